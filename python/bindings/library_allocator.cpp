#include "python/bindings/library_allocator.h"
#include "runtime/core/error.h"
#include <pybind11/pybind11.h>
#include <string>

namespace linmu::python {

void *LibraryAllocator::allocate(std::int64_t bytes, std::int32_t device, void *) {
  pybind11::gil_scoped_acquire lock;
  DLTensor prototype{};
  prototype.device = {2, device};
  prototype.ndim = 1;
  prototype.dtype = {1, 8, 1};
  prototype.shape = &bytes;
  std::string reason;
  auto note = [](void *context, const char *kind, const char *message) {
    *static_cast<std::string *>(context) = std::string(kind) + ": " + message;
  };
  if (library_->allocate(&prototype, &tensor_, &reason, note) != 0)
    throw Error(ErrorCode::io, "cannot allocate " + std::to_string(bytes) + " bytes of temporaries on cuda:" +
                                   std::to_string(device) + ": " + reason.substr(0, reason.find('\n')));
  return static_cast<std::byte *>(tensor_->dl_tensor.data) + tensor_->dl_tensor.byte_offset;
}

void LibraryAllocator::release(void *, std::int32_t, void *) noexcept {
  pybind11::gil_scoped_acquire lock;
  if (tensor_ && tensor_->deleter)
    tensor_->deleter(tensor_);
  tensor_ = nullptr;
}

} // namespace linmu::python
