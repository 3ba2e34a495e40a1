// From the tensors of a call to the kernel of their sizes and types, in a microsecond: what Python would do
// in twenty. Whatever is new, or wrong, is for Python to say.
#include "python/bindings/bindings.h"
#include "python/bindings/borrowed_tensor.h"
#include "python/bindings/library_allocator.h"
#include "runtime/core/error.h"
#include "runtime/core/operand_check.h"
#include "runtime/jit/compile.h"
#include <pybind11/stl.h>

namespace py = pybind11;

namespace linmu::python {

namespace {

/// The kernels of one rule. An operand's open axes, batch and tokens, do not count; the other sizes, its
/// rank, element type and device do, and so does the library of the first tensor, which makes the results.
class RuleDispatch {
public:
  RuleDispatch(std::string name, const std::vector<std::string> &operands, std::vector<int> openAxes)
      : open_axes_(std::move(openAxes)) {
    operands_.name = std::move(name);
    for (const std::string &operand : operands)
      operands_.inputs.push_back({.name = operand, .shape = {}});
  }

  /// Launches the kernel that fits. None where none was added for such tensors, and where one of them is none
  /// that a kernel takes.
  py::object call(const py::tuple &arguments, int threads);

  /// The kernel for such tensors. `model(shape, type)` is what a result, of `types` in their order, is like,
  /// and `emptyLike(model)` makes one.
  void add(const py::tuple &arguments, Kernel kernel, py::object emptyLike, py::object model,
           const std::vector<py::object> &types);

private:
  struct Result {
    py::object type, shape, model; // the last shape, and its model
  };
  struct Entry {
    std::vector<std::int64_t> key;
    py::object library; // the type of the first tensor
    Kernel kernel;
    Signature inputs; // the signature without results
    py::object empty_like, model_of;
    std::vector<Result> results;
    py::object make(std::size_t index, const Symbols &symbols);
  };

  BorrowedTensors borrowArguments(const py::tuple &arguments, CallStream &stream) const;
  std::vector<std::int64_t> keyOf(const BorrowedTensors &tensors) const;
  /// Kernels are few, and calls come in rows: the last one first.
  std::shared_ptr<Entry> find(const std::vector<std::int64_t> &key, py::handle library);

  Signature operands_; // their names alone
  std::vector<int> open_axes_;
  std::vector<std::shared_ptr<Entry>> entries_;
  std::size_t last_ = 0;
};

BorrowedTensors RuleDispatch::borrowArguments(const py::tuple &arguments, CallStream &stream) const {
  BorrowedTensors tensors;
  for (std::size_t i = 0; i < operands_.inputs.size(); ++i)
    tensors.add(arguments[i], operands_.inputs[i], Access::read, operands_, stream);
  return tensors;
}

std::vector<std::int64_t> RuleDispatch::keyOf(const BorrowedTensors &tensors) const {
  std::vector<std::int64_t> key;
  key.reserve(5 * tensors.views.size());
  for (std::size_t i = 0; i < tensors.views.size(); ++i) {
    const TensorView &view = tensors.views[i];
    key.push_back((std::int64_t(view.device.kind) * 16 + std::int64_t(view.dtype)) * 16 + view.rank);
    key.push_back(view.device.index);
    for (int axis = open_axes_[i]; axis < view.rank; ++axis)
      key.push_back(view.sizes[std::size_t(axis)]);
  }
  return key;
}

std::shared_ptr<RuleDispatch::Entry> RuleDispatch::find(const std::vector<std::int64_t> &key,
                                                        py::handle library) {
  auto fits = [&](const Entry &entry) { return entry.library.is(library) && entry.key == key; };
  if (last_ < entries_.size() && fits(*entries_[last_]))
    return entries_[last_];
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (fits(*entries_[i])) {
      last_ = i;
      return entries_[i];
    }
  return nullptr;
}

py::object RuleDispatch::Entry::make(std::size_t index, const Symbols &symbols) {
  auto shape = py::tuple(py::cast(shapeOf(kernel.signature().results[index], symbols)));
  Result &result = results[index];
  py::object model = result.model;
  if (!result.shape || !shape.equal(result.shape)) {
    model = model_of(shape, result.type);
    result.shape = shape;
    result.model = model;
  }
  PyObject *made = PyObject_CallOneArg(empty_like.ptr(), model.ptr());
  if (!made)
    throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}

py::object RuleDispatch::call(const py::tuple &arguments, int threads) {
  if (arguments.size() != operands_.inputs.size() || arguments.empty() || entries_.empty())
    return py::none();
  BorrowedTensors in;
  CallStream stream;
  try {
    in = borrowArguments(arguments, stream);
  } catch (const Error &) {
    return py::none();
  }
  // A copy that stays: Python code runs below, and may add entries.
  std::shared_ptr<Entry> entry = find(keyOf(in), py::type::handle_of(arguments[0]));
  if (!entry)
    return py::none();
  const Signature &signature = entry->kernel.signature();
  Symbols symbols = checkOperands(entry->inputs, in.views, {});
  py::tuple results(signature.results.size());
  for (std::size_t i = 0; i < signature.results.size(); ++i)
    results[i] = entry->make(i, symbols);
  BorrowedTensors out = borrowAll(results, signature, signature.results, Access::write, stream);
  LaunchOptions options{.threads = threads, .stream = stream.resolve()};
  LibraryAllocator allocator(stream.library);
  if (stream.givesMemory())
    options.allocator = &allocator;
  {
    py::gil_scoped_release release;
    entry->kernel(in.views, out.views, options);
  }
  return results.size() == 1 ? py::object(results[0]) : std::move(results);
}

void RuleDispatch::add(const py::tuple &arguments, Kernel kernel, py::object emptyLike, py::object model,
                       const std::vector<py::object> &types) {
  CallStream stream;
  BorrowedTensors tensors = borrowArguments(arguments, stream);
  Signature inputs{kernel.signature().name, kernel.signature().inputs, {}};
  std::vector<Result> results;
  for (const py::object &type : types)
    results.push_back({type, {}, {}});
  entries_.push_back(std::make_shared<Entry>(Entry{keyOf(tensors), py::type::of(arguments[0]),
                                                   std::move(kernel), std::move(inputs), std::move(emptyLike),
                                                   std::move(model), std::move(results)}));
  last_ = entries_.size() - 1;
}

} // namespace

void registerDispatch(py::module_ &module) {
  py::class_<RuleDispatch>(module, "RuleDispatch")
      .def(py::init<std::string, std::vector<std::string>, std::vector<int>>(), py::arg("name"),
           py::arg("operands"), py::arg("open_axes"))
      .def("call", &RuleDispatch::call, py::arg("arguments"), py::arg("threads") = 0)
      .def("add", &RuleDispatch::add, py::arg("arguments"), py::arg("kernel"), py::arg("empty_like"),
           py::arg("model"), py::arg("types"));
}

} // namespace linmu::python
