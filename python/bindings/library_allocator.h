// Memory for a launch from the library whose tensors it runs on.
#pragma once
#include "python/bindings/dlpack.h"
#include "runtime/core/kernel.h"

namespace linmu::python {

/// Tensors of bytes on the library's current stream: torch's caching allocator, which knows about graphs that
/// are being captured. Takes Python's global lock for each call.
class LibraryAllocator final : public DeviceAllocator {
public:
  explicit LibraryAllocator(const DLPackExchangeAPI *library) : library_(library) {}

  void *allocate(std::int64_t bytes, std::int32_t device, void *stream) override;
  void release(void *memory, std::int32_t device, void *stream) noexcept override;

private:
  const DLPackExchangeAPI *library_;
  DLManagedTensorVersioned *tensor_ = nullptr; ///< of the one allocation that a launch makes
};

} // namespace linmu::python
