// The extension module: kernels on tensors of other libraries. What users call is in linmu/kernel.py.
#include "python/bindings/bindings.h"
#include "python/bindings/borrowed_tensor.h"
#include "python/bindings/library_allocator.h"
#include "runtime/core/error.h"
#include "runtime/core/operand_check.h"
#include "runtime/core/version.h"
#include "runtime/jit/compile.h"
#include <cstdint>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace linmu;
using namespace linmu::python;

namespace {

/// Launches on the tensors `results`, or, where it is a function of (shape, dtype), on those that it makes
/// once the inputs are known to fit. `stream` is the handle of a CUDA stream or None. Returns the results.
py::list launch(const Kernel &kernel, const py::sequence &inputs, const py::object &results, int threads,
                const py::object &stream) {
  const Signature &signature = kernel.signature();
  CallStream call;
  if (!stream.is_none())
    call.given = reinterpret_cast<void *>(stream.cast<std::uintptr_t>());
  BorrowedTensors in = borrowAll(inputs, signature, signature.inputs, Access::read, call);
  py::list tensors;
  if (PyCallable_Check(results.ptr())) {
    Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, in.views, {});
    for (const OperandSpec &spec : signature.results)
      tensors.append(results(py::cast(shapeOf(spec, symbols)), std::string(name(spec.dtype))));
  } else {
    tensors = py::list(results);
  }
  BorrowedTensors out = borrowAll(tensors, signature, signature.results, Access::write, call);
  LaunchOptions options{.threads = threads, .stream = call.resolve()};
  LibraryAllocator allocator(call.library);
  if (call.givesMemory())
    options.allocator = &allocator;
  py::gil_scoped_release release;
  kernel(in.views, out.views, options);
  return tensors;
}

/// The machine code; for CUDA, of each architecture one cubin a kernel, one after the other.
py::bytes codeOf(const Kernel &kernel) {
  std::string code;
  for (const PackageImage &image : kernel.package().images)
    code.append(reinterpret_cast<const char *>(image.code.data()), image.code.size());
  return py::bytes(code);
}

/// A token order or media table on the host.
void checkTable(const Kernel &kernel, const std::string &operand, py::handle table, std::int64_t tokens) {
  CallStream none;
  BorrowedTensors borrowed;
  OperandSpec spec{.name = operand, .dtype = DType::i32, .shape = {}};
  borrowed.add(table, spec, Access::read, kernel.signature(), none);
  kernel.checkTable(operand, borrowed.views[0], tokens);
}

/// An operand as (name, dtype, shape), the shape's symbols as "B", "N", "M" and "S" (or "S+1").
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
    case Extent::sequences:
      shape.append(extent.value ? "S+" + std::to_string(extent.value) : "S");
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
                         std::map<std::string, std::string> schedule, std::string target, bool useDiskCache) {
  CompileOptions options;
  options.filename = std::move(filename);
  options.function = std::move(function);
  options.aliases = std::move(aliases);
  options.schedule = std::move(schedule);
  options.target = std::move(target);
  if (options.target != "cpu")
    for (py::handle folder : py::module_::import("sys").attr("path"))
      if (py::isinstance<py::str>(folder))
        options.package_folders.emplace_back(folder.cast<std::string>());
  options.use_disk_cache = useDiskCache;
  return options;
}

} // namespace

PYBIND11_MODULE(_linmu, module) {
  module.attr("__version__") = version();
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
      .def_property_readonly("code", &codeOf)
      .def("algorithm", &Kernel::algorithm, py::arg("tokens"), py::arg("batch") = 1)
      .def("launch", &launch, py::arg("inputs"), py::arg("results"), py::arg("threads") = 0,
           py::arg("stream") = py::none())
      .def_property_readonly(
          "runs_on",
          [](const Kernel &kernel) { return kernel.deviceKind() == Device::cuda ? "cuda" : "cpu"; })
      .def("workspace_bytes", &Kernel::workspaceBytes, py::arg("tokens"), py::arg("batch") = 1,
           py::arg("media_items") = 1)
      .def("check_table", &checkTable, py::arg("operand"), py::arg("table"), py::arg("tokens"));

  module.def(
      "compile",
      [](const std::string &source, std::string filename, std::string function,
         std::map<std::string, std::string> aliases, std::map<std::string, std::string> schedule,
         std::string target, bool useDiskCache,
         std::optional<std::pair<std::vector<std::string>, std::vector<std::string>>> gradient) {
        CompileOptions options = optionsOf(std::move(filename), std::move(function), std::move(aliases),
                                           std::move(schedule), std::move(target), useDiskCache);
        if (gradient)
          options.gradient = {std::move(gradient->first), std::move(gradient->second)};
        py::gil_scoped_release release;
        return compile(source, options);
      },
      "The kernel, or that of the gradients (wrt, of).", py::arg("source"), py::arg("filename"),
      py::arg("function"), py::arg("aliases"), py::arg("schedule"), py::arg("target"),
      py::arg("use_disk_cache"), py::arg("gradient") = py::none());
  module.def(
      "explain",
      [](const std::string &source, std::string filename, std::string function,
         std::map<std::string, std::string> aliases, std::map<std::string, std::string> schedule,
         std::string target, bool json) {
        CompileOptions options = optionsOf(std::move(filename), std::move(function), std::move(aliases),
                                           std::move(schedule), std::move(target), true);
        py::gil_scoped_release release;
        return explain(source, options, json);
      },
      py::arg("source"), py::arg("filename"), py::arg("function"), py::arg("aliases"), py::arg("schedule"),
      py::arg("target"), py::arg("json"));
  module.def(
      "open_package",
      [](const py::bytes &bytes, const std::string &origin) {
        std::string_view text = bytes;
        return Kernel::open(deserialize(std::as_bytes(std::span(text)), origin));
      },
      py::arg("bytes"), py::arg("origin"));
  registerDispatch(module);
  registerInterpreter(module);
  module.def("statistics", [] {
    CompileStatistics statistics = compileStatistics();
    py::dict result;
    result["compiled"] = statistics.compiled;
    result["disk_hits"] = statistics.disk_hits;
    result["memory_hits"] = statistics.memory_hits;
    result["memory_bytes"] = statistics.memory_bytes;
    result["images_compiled"] = statistics.images_compiled;
    result["image_disk_hits"] = statistics.image_disk_hits;
    return result;
  });
}
