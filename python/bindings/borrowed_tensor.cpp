#include "python/bindings/borrowed_tensor.h"
#include "runtime/core/cuda/devices.h"
#include "runtime/core/dlpack_view.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace py = pybind11;

namespace linmu::python {

namespace {

/// The operand or result that a tensor is borrowed for, as messages name it.
struct Who {
  const OperandSpec &spec;
  Access access;
  const Signature &signature;

  std::string operator+(const std::string &text) const {
    return std::string(access == Access::read ? "operand" : "result") + " '" + spec.name + "' of pattern '" +
           signature.name + "'" + text;
  }
};

std::string typeOf(py::handle object) {
  return py::str(py::type::of(object).attr("__name__")).cast<std::string>();
}

[[noreturn]] void failType(const Who &who, const std::string &actual) {
  DType expected = who.spec.dtype;
  throw Error(ErrorCode::invalidArgument, who + ": expected elements of type " + std::string(name(expected)) +
                                              (expected == DType::i1 ? " (bool)" : "") + ", got " + actual);
}

int rankOf(std::int64_t axes, const Who &who) {
  if (axes > TensorView::maxRank)
    throw Error(ErrorCode::invalidArgument, who + ": expected at most " +
                                                std::to_string(TensorView::maxRank) + " axes, got " +
                                                std::to_string(axes));
  return int(axes);
}

TensorView viewOf(const DLTensor &tensor, const Who &who) {
  return linmu::viewOf(tensor, who + "", who.spec.dtype);
}

[[noreturn]] void failReadOnly(const Who &who) {
  throw Error(ErrorCode::invalidArgument,
              who + ": expected an array that may be written, got a read-only one");
}

/// The table of functions of the type of `object`, or null.
const DLPackExchangeAPI *exchangeOf(py::handle object) {
  // By type, which is kept alive. Guarded by Python's global lock.
  static auto *known = new std::unordered_map<PyTypeObject *, const DLPackExchangeAPI *>;
  PyTypeObject *type = Py_TYPE(object.ptr());
  if (auto found = known->find(type); found != known->end())
    return found->second;
  const DLPackExchangeAPI *table = nullptr;
  py::object capsule =
      py::getattr(reinterpret_cast<PyObject *>(type), "__dlpack_c_exchange_api__", py::none());
  if (PyCapsule_IsValid(capsule.ptr(), "dlpack_exchange_api"))
    table =
        static_cast<const DLPackExchangeAPI *>(PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
  while (table && table->version.major != 1)
    table = table->previous;
  if (table && !table->view)
    table = nullptr;
  Py_INCREF(type);
  known->emplace(type, table);
  return table;
}

/// Whether the type itself, not a base of it, has the table: a subclass may hold no memory of its own.
bool isOfLibrarysOwnType(py::handle object) {
  static PyObject *name = PyUnicode_InternFromString("__dlpack_c_exchange_api__");
  PyObject *own = Py_TYPE(object.ptr())->tp_dict;
  return own && PyDict_Contains(own, name) == 1;
}

bool requiresGradient(py::handle object) {
  return py::bool_(py::getattr(object, "requires_grad", py::bool_(false)));
}

/// What a library says against lending a tensor, as one message.
[[noreturn]] void failLending(const Who &who, py::error_already_set &error) {
  if (!error.matches(PyExc_Exception)) // an interrupt is none of ours
    throw;
  std::string text = py::str(error.value()).cast<std::string>();
  throw Error(ErrorCode::invalidArgument, who + ": expected a tensor that its library lends, got " +
                                              py::str(error.type().attr("__name__")).cast<std::string>() +
                                              ": " + text.substr(0, text.find('\n')));
}

/// What the library of `object` gives for `arguments`: a capsule of DLPack 1, which read-only arrays need, or
/// of DLPack 0 where the library knows no other.
py::object dlpackOf(py::handle object, const py::dict &arguments) {
  py::object lend = object.attr("__dlpack__");
  try {
    return lend(**arguments, py::arg("max_version") = py::make_tuple(1, 0));
  } catch (py::error_already_set &error) {
    if (!error.matches(PyExc_TypeError))
      throw;
  }
  return lend(**arguments);
}

/// The capsule of a tensor; of one on a CUDA device once work on its library's stream is ordered before
/// `stream`.
py::object lend(py::handle object, const Who &who, const CallStream &stream) {
  try {
    py::dict arguments;
    if (py::hasattr(object, "__dlpack_device__")) {
      py::tuple device = object.attr("__dlpack_device__")();
      if (py::int_(device[0]).cast<int>() == dlpack_cuda) {
        auto handle = reinterpret_cast<std::uintptr_t>(stream.resolve());
        arguments["stream"] = handle ? handle : 1; // 1: the legacy default
      }
    }
    return dlpackOf(object, arguments);
  } catch (py::error_already_set &error) {
    failLending(who, error);
  }
}

/// The tensor in a capsule, which keeps it alive.
const DLTensor &tensorIn(const py::object &capsule, const Who &who) {
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor"))
    return static_cast<DLManagedTensor *>(PyCapsule_GetPointer(capsule.ptr(), "dltensor"))->dl_tensor;
  if (!PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned"))
    throw Error(ErrorCode::invalidArgument,
                who + ": expected __dlpack__ to give a capsule 'dltensor' or 'dltensor_versioned', got " +
                    typeOf(capsule));
  const auto &managed =
      *static_cast<DLManagedTensorVersioned *>(PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
  if (managed.version.major != 1)
    throw Error(ErrorCode::unsupported, who +
                                            ": expected a tensor lent by version 1 of DLPack, got version " +
                                            std::to_string(managed.version.major));
  if (who.access == Access::write && managed.flags & DLPACK_FLAG_BITMASK_READ_ONLY)
    failReadOnly(who);
  return managed.dl_tensor;
}

/// A tensor by CUDA's array interface, versions 2 and 3: a dictionary with shape, typestr, data and, where it
/// is not contiguous, strides in bytes.
TensorView viewOfArrayInterface(py::handle object, const Who &who, const CallStream &stream) {
  py::dict described = object.attr("__cuda_array_interface__");
  auto type = described["typestr"].cast<std::string>();
  TensorView view;
  static const std::pair<const char *, DType> types[] = {
      {"<f4", DType::f32}, {"<f2", DType::f16}, {"<i4", DType::i32}, {"|b1", DType::i1}};
  auto found = std::find_if(std::begin(types), std::end(types), [&](auto &one) { return type == one.first; });
  if (found == std::end(types))
    failType(who, "'" + type + "'");
  view.dtype = found->second;
  py::tuple shape = described["shape"];
  view.rank = rankOf(std::int64_t(shape.size()), who);
  py::tuple data = described["data"]; // the address, and whether it is read-only
  view.data = reinterpret_cast<void *>(data[0].cast<std::uintptr_t>());
  if (who.access == Access::write && data.size() > 1 && py::bool_(data[1]))
    failReadOnly(who);
  auto entry = [&](const char *key) -> py::object {
    return described.contains(key) ? py::object(described[key]) : py::none();
  };
  py::object strides = entry("strides");
  std::int64_t contiguous = 1;
  for (int axis = view.rank - 1; axis >= 0; --axis) {
    view.sizes[axis] = shape[std::size_t(axis)].cast<std::int64_t>();
    view.strides[axis] = contiguous;
    if (!strides.is_none()) {
      auto bytes = py::tuple(strides)[std::size_t(axis)].cast<std::int64_t>();
      if (bytes % sizeOf(view.dtype) != 0)
        throw Error(ErrorCode::invalidArgument,
                    who + ": expected strides of whole elements, got " + std::to_string(bytes) + " bytes");
      view.strides[axis] = bytes / sizeOf(view.dtype);
    }
    contiguous *= view.sizes[axis];
  }
  py::object of_object = entry("stream");
  if (!of_object.is_none()) {
    auto asked = of_object.cast<std::uintptr_t>(), used = reinterpret_cast<std::uintptr_t>(stream.resolve());
    if (asked != (used ? used : 1))
      throw Error(ErrorCode::invalidArgument,
                  who +
                      ": expected a tensor whose stream is that of the call, got one of "
                      "stream " +
                      std::to_string(asked),
                  "give stream= that one, or wait for it first");
  }
  view.device = {Device::cuda, cuda::deviceOf(view.data)};
  return view;
}

} // namespace

void *CallStream::resolve() const {
  if (given)
    return *given;
  void *stream = nullptr;
  if (library && library->current_stream(dlpack_cuda, device, &stream) != 0)
    throw py::error_already_set();
  return stream;
}

void BorrowedTensors::add(py::handle object, const OperandSpec &spec, Access access,
                          const Signature &signature, CallStream &stream) {
  const Who who{spec, access, signature};
  // Where torch might refuse to lend, tensors go the long way: it says why there.
  if (const DLPackExchangeAPI *library = exchangeOf(object)) {
    DLTensor tensor{};
    if (library->view(object.ptr(), &tensor) != 0) {
      PyErr_Clear();
    } else if ((tensor.device.device_type == dlpack_cuda ||
                (tensor.device.device_type == dlpack_cpu && isOfLibrarysOwnType(object))) &&
               !requiresGradient(object)) {
      if (tensor.device.device_type == dlpack_cuda && !stream.library) {
        stream.library = library;
        stream.device = tensor.device.device_id;
      }
      owners_.push_back(py::reinterpret_borrow<py::object>(object));
      views.push_back(viewOf(tensor, who));
      return;
    }
  }
  if (!py::hasattr(object, "__dlpack__")) {
    if (!py::hasattr(object, "__cuda_array_interface__"))
      throw Error(ErrorCode::invalidArgument,
                  who + ": expected a tensor with __dlpack__ (torch or numpy), got " + typeOf(object));
    owners_.push_back(py::reinterpret_borrow<py::object>(object));
    views.push_back(viewOfArrayInterface(object, who, stream));
    return;
  }
  py::object lent = lend(object, who, stream);
  const DLTensor &tensor = tensorIn(lent, who);
  owners_.push_back(lent);
  views.push_back(viewOf(tensor, who));
}

BorrowedTensors borrowAll(const py::sequence &tensors, const Signature &signature,
                          const std::vector<OperandSpec> &specs, Access access, CallStream &stream) {
  const char *many = access == Access::read ? "inputs" : "results";
  if (tensors.size() != specs.size())
    throw Error(ErrorCode::invalidArgument, "pattern '" + signature.name + "': expected " +
                                                std::to_string(specs.size()) + " " + many + ", got " +
                                                std::to_string(tensors.size()));
  BorrowedTensors borrowed;
  for (std::size_t i = 0; i < specs.size(); ++i)
    borrowed.add(tensors[i], specs[i], access, signature, stream);
  return borrowed;
}

} // namespace linmu::python
