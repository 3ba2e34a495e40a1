// Tensors of other libraries as operands, without copies.
#pragma once
#include "python/bindings/dlpack.h"
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <optional>
#include <pybind11/pybind11.h>
#include <string>
#include <vector>

namespace linmu::python {

/// What a call does with a tensor.
enum class Access { read, write };

/// The stream that a call runs on.
struct CallStream {
  std::optional<void *> given; ///< by the caller
  /// The library of the first tensor on a CUDA device that says which stream is its current one, and gives
  /// memory; null where there is none.
  const DLPackExchangeAPI *library = nullptr;
  std::int32_t device = 0;

  /// The one given, else the library's current one, else the legacy default stream.
  void *resolve() const;
  /// Whether the library gives memory whose order is that of the call's stream.
  bool givesMemory() const { return library && library->allocate && !given; }
};

/// The tensors of a call, kept alive.
class BorrowedTensors {
public:
  /// Borrows `object` for `spec` of `signature`: by the table of functions of its type, by __dlpack__, or by
  /// __cuda_array_interface__. Throws Error(invalidArgument) that calls it an operand, or, with
  /// Access::write, a result, which a read-only array cannot be.
  void add(pybind11::handle object, const OperandSpec &spec, Access access, const Signature &signature,
           CallStream &stream);

  std::vector<TensorView> views;

private:
  std::vector<pybind11::object> owners_;
};

/// The tensors of a call for all `specs`, to be read or written.
BorrowedTensors borrowAll(const pybind11::sequence &tensors, const Signature &signature,
                          const std::vector<OperandSpec> &specs, Access access, CallStream &stream);

} // namespace linmu::python
