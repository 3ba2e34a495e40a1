// The extension module: kernels, and tensors borrowed through DLPack. What users call is in linmu/kernel.py.
#include "python/bindings/dlpack.h"
#include "runtime/core/error.h"
#include "runtime/core/operand_check.h"
#include "runtime/core/settings.h"
#include "runtime/jit/compile.h"
#include <cstdint>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace linmu;

namespace {

/// A tensor lent by another library: the capsule keeps it alive.
struct Borrowed {
  py::capsule capsule;
  TensorView view;
};

std::string nameOf(DLDataType type) {
  static constexpr const char *kinds[] = {"int", "uint", "float", "opaque", "bfloat", "complex", "bool"};
  std::string kind = type.code < std::size(kinds) ? kinds[type.code] : "kind" + std::to_string(type.code);
  return kind + std::to_string(type.bits) + (type.lanes == 1 ? "" : "x" + std::to_string(type.lanes));
}

/// `who` is the operand or result with its quoted name, as messages name it; `expected` what the pattern has.
DType dtypeOf(DLDataType type, const std::string &who, DType expected) {
  if (type.lanes == 1) {
    if (type.code == 2 && type.bits == 32)
      return DType::f32;
    if (type.code == 2 && type.bits == 16)
      return DType::f16;
    if (type.code == 4 && type.bits == 16)
      return DType::bf16;
    if (type.code == 0 && type.bits == 32)
      return DType::i32;
    if (type.code == 6 && type.bits == 8)
      return DType::i1;
  }
  throw Error(ErrorCode::invalidArgument, who + ": expected elements of type " + std::string(name(expected)) +
                                              (expected == DType::i1 ? " (bool)" : "") + ", got " +
                                              nameOf(type));
}

/// The capsule of a tensor. What its library says against lending it becomes part of one message.
py::object lend(py::handle object, const std::string &who) {
  if (!py::hasattr(object, "__dlpack__"))
    throw Error(ErrorCode::invalidArgument,
                who + ": expected a tensor with __dlpack__ (torch or numpy), got " +
                    py::str(py::type::of(object).attr("__name__")).cast<std::string>());
  try {
    return object.attr("__dlpack__")();
  } catch (py::error_already_set &error) {
    if (!error.matches(PyExc_Exception)) // an interrupt is none of ours
      throw;
    std::string text = py::str(error.value()).cast<std::string>();
    throw Error(ErrorCode::invalidArgument, who + ": expected a tensor that its library lends, got " +
                                                py::str(error.type().attr("__name__")).cast<std::string>() +
                                                ": " + text.substr(0, text.find('\n')));
  }
}

Borrowed borrow(py::handle object, const std::string &who, DType expected) {
  py::object lent = lend(object, who);
  if (!PyCapsule_IsValid(lent.ptr(), "dltensor"))
    throw Error(ErrorCode::invalidArgument,
                who + ": expected __dlpack__ to give a capsule 'dltensor', got " +
                    py::str(py::type::of(lent).attr("__name__")).cast<std::string>());
  auto capsule = py::reinterpret_borrow<py::capsule>(lent);
  auto *managed = static_cast<DLManagedTensor *>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  const DLTensor &tensor = managed->dl_tensor;
  if (tensor.device.device_type != 1)
    throw Error(ErrorCode::unsupported, who + ": expected a tensor on the CPU, got device type " +
                                            std::to_string(tensor.device.device_type));
  if (tensor.ndim > TensorView::maxRank)
    throw Error(ErrorCode::invalidArgument, who + ": expected at most " +
                                                std::to_string(TensorView::maxRank) + " axes, got " +
                                                std::to_string(tensor.ndim));
  TensorView view;
  view.data = static_cast<std::byte *>(tensor.data) + tensor.byte_offset;
  view.dtype = dtypeOf(tensor.dtype, who, expected);
  view.rank = tensor.ndim;
  std::int64_t contiguous = 1;
  for (int axis = tensor.ndim - 1; axis >= 0; --axis) {
    view.sizes[axis] = tensor.shape[axis];
    view.strides[axis] = tensor.strides ? tensor.strides[axis] : contiguous;
    contiguous *= tensor.shape[axis];
  }
  return {std::move(capsule), view};
}

/// Tensors of a call, kept alive.
struct Lent {
  std::vector<Borrowed> borrowed;
  std::vector<TensorView> views;
  void add(py::handle tensor, const std::string &who, DType expected) {
    borrowed.push_back(borrow(tensor, who, expected));
    views.push_back(borrowed.back().view);
  }
};

Lent borrowAll(const py::sequence &tensors, const Signature &signature, const std::vector<OperandSpec> &specs,
               const char *one, const char *many) {
  if (tensors.size() != specs.size())
    throw Error(ErrorCode::invalidArgument, "pattern '" + signature.name + "': expected " +
                                                std::to_string(specs.size()) + " " + many + ", got " +
                                                std::to_string(tensors.size()));
  Lent lent;
  for (std::size_t i = 0; i < specs.size(); ++i)
    lent.add(tensors[i], std::string(one) + " '" + specs[i].name + "' of pattern '" + signature.name + "'",
             specs[i].dtype);
  return lent;
}

/// The shape of a result of a call whose inputs gave `symbols`.
py::list shapeOf(const OperandSpec &spec, const Symbols &symbols) {
  py::list shape;
  for (const Extent &extent : spec.shape)
    shape.append(extent.kind == Extent::batch        ? symbols.batch
                 : extent.kind == Extent::tokens     ? symbols.tokens
                 : extent.kind == Extent::mediaItems ? symbols.media_items
                                                     : extent.value);
  return shape;
}

/// Launches on the tensors `results`, or, where it is a function of (shape, dtype), on those that it makes
/// once the inputs are known to fit. Returns the results.
py::list launch(const Kernel &kernel, const py::sequence &inputs, const py::object &results, int threads) {
  const Signature &signature = kernel.signature();
  Lent in = borrowAll(inputs, signature, signature.inputs, "operand", "inputs");
  py::list tensors;
  if (PyCallable_Check(results.ptr())) {
    Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, in.views, {});
    for (const OperandSpec &spec : signature.results)
      tensors.append(results(shapeOf(spec, symbols), std::string(name(spec.dtype))));
  } else {
    tensors = py::list(results);
  }
  Lent out = borrowAll(tensors, signature, signature.results, "result", "results");
  py::gil_scoped_release release;
  kernel(in.views, out.views, LaunchOptions{threads});
  return tensors;
}

/// An operand as (name, dtype, shape), the shape's symbols as "B", "N" and "M".
py::tuple describe(const OperandSpec &spec) {
  py::list shape;
  for (const Extent &extent : spec.shape)
    switch (extent.kind) {
    case Extent::constant:
      shape.append(extent.value);
      break;
    case Extent::batch:
      shape.append("B");
      break;
    case Extent::tokens:
      shape.append("N");
      break;
    case Extent::mediaItems:
      shape.append("M");
      break;
    }
  return py::make_tuple(spec.name, std::string(name(spec.dtype)), py::tuple(shape));
}

py::list describe(const std::vector<OperandSpec> &specs) {
  py::list result;
  for (const OperandSpec &spec : specs)
    result.append(describe(spec));
  return result;
}

CompileOptions optionsOf(std::string filename, std::string function,
                         std::map<std::string, std::string> aliases,
                         std::map<std::string, std::string> schedule, bool useDiskCache) {
  CompileOptions options;
  options.filename = std::move(filename);
  options.function = std::move(function);
  options.aliases = std::move(aliases);
  options.schedule = std::move(schedule);
  options.use_disk_cache = useDiskCache;
  return options;
}

} // namespace

PYBIND11_MODULE(_linmu, module) {
  static py::exception<Error> patternError(module, "PatternError", PyExc_ValueError);
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer)
        std::rethrow_exception(pointer);
    } catch (const Error &error) {
      std::string text = error.what();
      if (!error.hint().empty())
        text += "\n" + error.hint();
      switch (error.code()) {
      case ErrorCode::invalidPattern:
        PyErr_SetString(patternError.ptr(), text.c_str());
        break;
      case ErrorCode::invalidArgument:
      case ErrorCode::corruptFile:
        PyErr_SetString(PyExc_ValueError, text.c_str());
        break;
      case ErrorCode::unsupported:
        PyErr_SetString(PyExc_NotImplementedError, text.c_str());
        break;
      case ErrorCode::io:
        PyErr_SetString(PyExc_OSError, text.c_str());
        break;
      case ErrorCode::internal:
        PyErr_SetString(PyExc_RuntimeError, text.c_str());
        break;
      }
    }
  });

  py::class_<Kernel>(module, "Kernel")
      .def_property_readonly("name", [](const Kernel &kernel) { return kernel.signature().name; })
      .def_property_readonly("inputs",
                             [](const Kernel &kernel) { return describe(kernel.signature().inputs); })
      .def_property_readonly("results",
                             [](const Kernel &kernel) { return describe(kernel.signature().results); })
      .def_property_readonly("key", [](const Kernel &kernel) { return kernel.package().key; })
      .def_property_readonly("code",
                             [](const Kernel &kernel) {
                               const auto &image = kernel.package().images.front().code;
                               return py::bytes(reinterpret_cast<const char *>(image.data()), image.size());
                             })
      .def("algorithm", &Kernel::algorithm, py::arg("tokens"), py::arg("batch") = 1)
      .def("launch", &launch, py::arg("inputs"), py::arg("results"), py::arg("threads") = 0);

  module.def(
      "compile",
      [](const std::string &source, std::string filename, std::string function,
         std::map<std::string, std::string> aliases, std::map<std::string, std::string> schedule,
         bool useDiskCache) {
        CompileOptions options = optionsOf(std::move(filename), std::move(function), std::move(aliases),
                                           std::move(schedule), useDiskCache);
        py::gil_scoped_release release;
        return compile(source, options);
      },
      py::arg("source"), py::arg("filename"), py::arg("function"), py::arg("aliases"), py::arg("schedule"),
      py::arg("use_disk_cache"));
  module.def(
      "explain",
      [](const std::string &source, std::string filename, std::string function,
         std::map<std::string, std::string> aliases, std::map<std::string, std::string> schedule, bool json) {
        CompileOptions options = optionsOf(std::move(filename), std::move(function), std::move(aliases),
                                           std::move(schedule), true);
        py::gil_scoped_release release;
        return explain(source, options, json);
      },
      py::arg("source"), py::arg("filename"), py::arg("function"), py::arg("aliases"), py::arg("schedule"),
      py::arg("json"));
  module.def("statistics", [] {
    CompileStatistics statistics = compileStatistics();
    py::dict result;
    result["compiled"] = statistics.compiled;
    result["disk_hits"] = statistics.disk_hits;
    result["memory_hits"] = statistics.memory_hits;
    result["memory_bytes"] = statistics.memory_bytes;
    return result;
  });
}
