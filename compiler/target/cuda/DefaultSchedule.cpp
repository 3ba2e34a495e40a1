#include "compiler/target/cuda/DefaultSchedule.h"

using namespace linmu;

Schedule cuda::defaultSchedule(std::int64_t processors, std::int64_t shared_bytes) {
  Schedule schedule;
  schedule.has_warps = true;
  // Two steps of keys, values and reads of 64 x 128 in 16 bits; what else a kernel keeps needs some 40 KiB.
  schedule.ring_bytes = shared_bytes >= 140 * 1024 ? 98 * 1024 : 48 * 1024;
  schedule.recurrent_below = 16;
  schedule.map_block = 32;
  schedule.query_block = 64;
  schedule.costs = {
      .cores = processors,
      .chunk = 64,
      .chunk_of_rows = 16,
      .scan_cache = 1 << 20,
      .work_a_byte = 12, // kernels wait for each other's results more than for memory
      .most_segments = 10,
      .entry_columns = 16,
      .least_columns = 32,
      .least_tokens = 1024,
      .window_cache = 1 << 16,
      .window_keys = 64,
      .largest_window = 64,
  };
  return schedule;
}
