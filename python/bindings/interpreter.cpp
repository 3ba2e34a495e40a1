// The definition of a pattern in fp64, for comparison with what kernels give.
#include "compiler/api/compiler_api.h"
#include "python/bindings/bindings.h"
#include "runtime/core/error.h"
#include <cstring>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace linmu::python {

namespace {

DType dtypeNamed(const std::string &text) {
  for (DType type : {DType::f32, DType::bf16, DType::f16, DType::i32, DType::i1})
    if (name(type) == text)
      return type;
  throw Error(ErrorCode::invalidArgument, "expected f32, bf16, f16, i32 or i1, got '" + text + "'");
}

using Given = std::tuple<std::string, std::vector<std::int64_t>, py::buffer>;

HostTensor tensorOf(const Given &given) {
  const auto &[dtype, shape, buffer] = given;
  HostTensor tensor{dtypeNamed(dtype), shape, {}};
  std::int64_t count = 1;
  for (std::int64_t extent : shape)
    count *= extent;
  py::buffer_info info = buffer.request();
  if (info.size * info.itemsize != count * std::int64_t(sizeof(double)))
    throw Error(ErrorCode::invalidArgument, "expected " + std::to_string(count) + " doubles, got " +
                                                std::to_string(info.size * info.itemsize) + " bytes");
  tensor.elements.resize(std::size_t(count));
  if (count)
    std::memcpy(tensor.elements.data(), info.ptr, std::size_t(count) * sizeof(double));
  return tensor;
}

} // namespace

void registerInterpreter(py::module_ &module) {
  module.def(
      "interpret",
      [](const std::string &source, std::string function, const std::vector<Given> &inputs, int threads) {
        std::vector<HostTensor> tensors;
        tensors.reserve(inputs.size());
        for (const Given &given : inputs)
          tensors.push_back(tensorOf(given));
        compiler::Options options;
        options.function = std::move(function);
        compiler::Tensors results;
        {
          py::gil_scoped_release release;
          results = compiler::interpret(source, options, tensors, threads);
        }
        if (!results.ok)
          throw Error(ErrorCode::invalidPattern, results.diagnostics);
        py::list list;
        for (const HostTensor &tensor : results.tensors)
          list.append(
              py::make_tuple(tensor.shape, py::bytes(reinterpret_cast<const char *>(tensor.elements.data()),
                                                     tensor.elements.size() * sizeof(double))));
        return list;
      },
      "Results as (shape, doubles) of the pattern on inputs (dtype, shape, doubles), all row-major.",
      py::arg("source"), py::arg("function"), py::arg("inputs"), py::arg("threads") = 1);
}

} // namespace linmu::python
