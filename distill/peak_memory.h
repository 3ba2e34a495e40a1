// How much memory a run has taken.
#pragma once
#include <torch/torch.h>

namespace c10 {
struct DeviceAllocator;
}

namespace linmu::distill {

/// What counts the memory of tensors on a GPU, and the number of the GPU.
struct MemoryCount {
  /// Null on the CPU, and where it is not torch's: somebody may have put another in its place.
  c10::DeviceAllocator *allocator = nullptr;
  torch::DeviceIndex index = 0;
};
MemoryCount memoryCountOf(torch::Device device);

/// Bytes at most so far: on a GPU of tensors, as torch's allocator counts them; else, or where it has another
/// allocator, of this process.
double peakMemory(torch::Device device);

} // namespace linmu::distill
