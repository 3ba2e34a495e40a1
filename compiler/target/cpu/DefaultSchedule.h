// The schedule of CPUs.
#pragma once
#include "compiler/schedule/schedule.h"

namespace linmu::cpu {

/// What runs on `cores` cores where the user says nothing.
///
/// Chunks of 16 tokens, one AVX-512 vector of positions, are 12% faster than 32 at head sizes from 16 to 256.
/// A chunk costs the same however few of its rows are live, 7.5 us a head of 64 x 64 on one AVX2 core against
/// 0.4 us a token, so that up to 15 tokens run one by one. A block of a scan keeps its tiles in the 1 MB of a
/// core's L2 cache, one of a window its keys and values in half of it. A core of AVX2 makes
/// 28e9 multiplications a second, and reads some 9e9 bytes of memory.
Schedule defaultSchedule(std::int64_t cores);

} // namespace linmu::cpu
