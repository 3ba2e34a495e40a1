#include "compiler/schedule/cost_model.h"
#include "compiler/schedule/schedule.h"
#include <algorithm>

using namespace linmu;

std::int64_t linmu::chunkedWorkspaceBytes(const StateCost &state, std::int64_t chunk) {
  std::int64_t keys = chunk * state.key_size * (state.reads + 2 * state.writes);
  std::int64_t values = chunk * state.value_size * (state.reads + state.writes);
  std::int64_t scores = chunk * chunk * state.reads * state.writes;
  return 4 * (state.key_size * state.value_size + keys + values + scores);
}

std::int64_t linmu::chooseChunk(llvm::ArrayRef<StateCost> states, const Schedule &schedule) {
  if (schedule.chunk)
    return schedule.chunk;
  std::int64_t chunk = schedule.costs.chunk;
  auto workspace = [&] {
    std::int64_t bytes = 0;
    for (const StateCost &state : states)
      bytes += chunkedWorkspaceBytes(state, chunk);
    return bytes;
  };
  while (chunk > 8 && workspace() > schedule.costs.scan_cache)
    chunk /= 2;
  return chunk;
}

std::int64_t linmu::chooseColumns(llvm::ArrayRef<StateCost> states, std::int64_t chunk, std::int64_t columns,
                                  std::int64_t heads, const Schedule &schedule) {
  const std::int64_t narrowest = schedule.costs.least_columns, cores = schedule.costs.cores;
  if (heads >= cores)
    return 0;
  // Multiplications a token, in rounds of as many blocks as there are cores.
  auto cost = [&](std::int64_t width) {
    std::int64_t work = 0;
    for (const StateCost &state : states) {
      std::int64_t part = std::min(width, state.value_size);
      work += chunk * state.key_size * state.reads * state.writes +
              part * (state.key_size * (state.reads + state.writes) + chunk * state.reads * state.writes);
    }
    std::int64_t blocks = heads * ((columns + width - 1) / width);
    return work * ((blocks + cores - 1) / cores);
  };
  std::int64_t best = columns;
  for (std::int64_t width = columns / 2 / narrowest * narrowest; width >= narrowest; width -= narrowest)
    if (cost(width) < cost(best))
      best = width;
  return 10 * cost(best) < 9 * cost(columns) ? best : 0;
}

WindowTiles linmu::chooseWindowTiles(const WindowSizes &sizes, const Schedule &schedule) {
  const CostModel &costs = schedule.costs;
  std::int64_t volume = (sizes.volume + 7) / 8 * 8;
  WindowTiles tiles;
  tiles.queries = std::min(schedule.query_block, volume);
  tiles.keys = std::min<std::int64_t>(schedule.key_block ? schedule.key_block : costs.window_keys, volume);
  bool fits =
      !schedule.key_block && volume <= costs.largest_window &&
      volume <= costs.window_cache / 4 / (sizes.key_size + sizes.value_size);
  tiles.whole = fits ? volume : tiles.keys;
  return tiles;
}
