// The schedule of CUDA GPUs.
#pragma once
#include "compiler/schedule/schedule.h"

namespace linmu::cuda {

/// What runs where the user says nothing, on a GPU with `processors` multiprocessors, whose blocks may have
/// `shared_bytes` of shared memory.
///
/// On an H200, 28 heads of 128 in bf16 by chunks of 64 tokens: scalar decay of 16,384 tokens took 345 us in 9
/// segments by 8 warps, 394 in 18, 475 by 4 warps, 525 by slices of 32 value columns; the gated delta rule
/// 1.6 ms by slices of 32 columns and 8 warps, 1.8 by 4 warps or in segments.
Schedule defaultSchedule(std::int64_t processors, std::int64_t shared_bytes);

} // namespace linmu::cuda
