// The schedule of CUDA GPUs.
#pragma once
#include "compiler/schedule/schedule.h"

namespace linmu::cuda {

/// What runs where the user says nothing, on a GPU with `processors` multiprocessors.
///
/// Chunks of 64 tokens: four warps of 16 rows of mma.sync each. A block takes 32 value columns of a state, so
/// that 128 x 32 of f32 are 32 registers of each of its 128 threads.
Schedule defaultSchedule(std::int64_t processors);

} // namespace linmu::cuda
