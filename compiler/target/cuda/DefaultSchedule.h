// The schedule of CUDA GPUs.
#pragma once
#include "compiler/schedule/schedule.h"

namespace linmu::cuda {

/// What runs where the user says nothing, on a GPU with `processors` multiprocessors.
///
/// Chunks of 64 tokens, and 32 value columns of a state for each block, so that 128 x 32 of f32 are 16
/// registers of each of its 256 threads. On an H200, 16,384 tokens of 28 heads of 128 in bf16, scalar decay
/// took 1.03 ms by 8 warps and 1.24 by 4; chunks of 32, or 16 or 64 columns, 1.23 to 1.76.
Schedule defaultSchedule(std::int64_t processors);

} // namespace linmu::cuda
