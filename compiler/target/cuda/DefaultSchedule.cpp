#include "compiler/target/cuda/DefaultSchedule.h"

using namespace linmu;

Schedule cuda::defaultSchedule(std::int64_t processors, std::int64_t shared_bytes) {
  Schedule schedule;
  schedule.has_warps = true;
  schedule.rounds_products = true;
  // Two steps of keys, values and reads of 64 x 128 in 16 bits; what else a kernel keeps needs some 40 KiB.
  constexpr std::int64_t kib = 1024;
  schedule.ring_bytes = shared_bytes >= 200 * kib   ? 160 * kib
                        : shared_bytes >= 140 * kib ? 98 * kib
                                                    : 48 * kib;
  schedule.prepare = 1;
  schedule.knows_lengths = false;
  schedule.recurrent_below = 16;
  schedule.map_block = 32;
  schedule.score_growth = 8; // f16 holds weights and their products with values all the same
  schedule.costs = {
      .cores = processors,
      .chunk = 64,
      .chunk_of_rows = 32,
      .scan_cache = 340 * kib, // what shared memory and registers hold, some of it in 16 bits
      .work_a_byte = 12,       // kernels wait for each other's results more than for memory
      .most_segments = 10,
      .segment_tokens = 1024,
      .block_state = 128 * 128, // 64 registers of each of 256 threads
      .entry_columns = 16,
      .least_columns = 32,
      .least_tokens = 1024,
      .border_cache = shared_bytes,
      .window_queries = 128,
      .window_keys = 64,
      .window_sums = 128 * (32 + 128), // 160 registers of each of 128 threads
      .window_share = 256,             // what a block prepares is not worth fewer
  };
  return schedule;
}
