// How much memory a run has taken.
#pragma once
#include <torch/torch.h>

namespace linmu::distill {

/// Bytes at most so far: on a GPU of tensors, as torch's allocator counts them; else, or where it has another
/// allocator, of this process.
double peakMemory(torch::Device device);

} // namespace linmu::distill
