#include "compiler/target/cuda/DefaultSchedule.h"

using namespace linmu;

Schedule cuda::defaultSchedule(std::int64_t processors) {
  Schedule schedule;
  schedule.columns = 32;
  schedule.has_warps = true;
  schedule.recurrent_below = 16;
  schedule.map_block = 32;
  schedule.query_block = 64;
  schedule.costs = {
      .cores = processors,
      .chunk = 64,
      .scan_cache = 1 << 20,
      .work_a_byte = 200,
      .least_columns = 32,
      .least_tokens = 64,
      .window_cache = 1 << 16,
      .window_keys = 64,
      .largest_window = 64,
  };
  return schedule;
}
