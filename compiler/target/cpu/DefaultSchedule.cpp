#include "compiler/target/cpu/DefaultSchedule.h"

using namespace linmu;

Schedule cpu::defaultSchedule(std::int64_t cores) {
  Schedule schedule;
  schedule.recurrent_below = 16;
  schedule.map_block = 32;
  schedule.costs = {
      .cores = cores,
      .chunk = 16,
      .scan_cache = 1 << 20,
      .work_a_byte = 3,
      .least_state = 2, // what becomes of a number is a few operations; pairs of tokens are hundreds
      .least_columns = 16,
      .least_tokens = 256,
      .window_cache = 1 << 19,
      .window_queries = 32,
      .window_keys = 64,
      .largest_window = 1024,
  };
  return schedule;
}
