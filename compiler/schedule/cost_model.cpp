#include "compiler/schedule/cost_model.h"
#include "compiler/schedule/schedule.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <bit>

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
  if (schedule.costs.chunk_of_rows &&
      llvm::any_of(states, [](const StateCost &state) { return state.decays_by_row; }))
    chunk = schedule.costs.chunk_of_rows;
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

std::int64_t linmu::chooseChunkOfBorders(const StateCost &state, std::int64_t element,
                                         const Schedule &schedule) {
  std::int64_t chunk = chooseChunk(state, schedule), room = schedule.costs.border_cache;
  auto kept = [&] {
    return 2 * element * (state.key_size * state.value_size + chunk * (state.key_size + state.value_size));
  };
  while (!schedule.chunk && room && chunk > 16 && kept() > room)
    chunk /= 2;
  return chunk;
}

namespace {
/// Times in multiplications a token, of one sequence.
struct ScanTimes {
  const ScanCost &scan;
  const CostModel &costs;

  /// Of a block that walks with `width` of the value columns, and takes the outputs as well or just the
  /// exits.
  double ofBlock(std::int64_t width, bool outputs) const {
    double time = 0;
    for (const StateCost &state : scan.states) {
      double part = std::min(width, state.value_size), reads = outputs || state.feedback ? state.reads : 0;
      double keys = state.key_size * (reads + state.writes), pairs = scan.chunk * reads * state.writes;
      double bytes = 4 * (keys + part * ((outputs ? state.reads : 0) + state.writes));
      if (!outputs && state.feedback) // the transition: as much as K value columns
        part += state.key_size;
      time += state.key_size * pairs + part * (keys + pairs) + costs.work_a_byte * bytes;
    }
    return time;
  }
  /// Of `parts` blocks a head that take `time` each, in rounds of as many blocks as there are cores.
  double inRounds(double time, std::int64_t parts) const {
    return time * double((scan.heads * parts + costs.cores - 1) / costs.cores);
  }
  std::int64_t widest() const {
    std::int64_t width = 1;
    for (const StateCost &state : scan.states)
      width = std::max(width, state.value_size);
    return width;
  }
  double whole() const { return inRounds(ofBlock(widest(), true), 1); }
  double inColumns(std::int64_t width) const {
    double epilogue = 0; // writes what is read, and reads it again
    if (scan.epilogue)
      for (const StateCost &state : scan.states)
        epilogue += double(costs.work_a_byte * 8 * state.reads * state.value_size);
    return inRounds(ofBlock(width, true), (scan.columns + width - 1) / width) +
           epilogue * double(scan.heads) / double(costs.cores);
  }
  /// Multiplications that go over one segment, for its entry.
  double ofEntry() const {
    double time = 0;
    for (const StateCost &state : scan.states)
      time += double(state.key_size * state.value_size * (state.feedback ? state.key_size : 1));
    return time;
  }
  double inSegments(std::int64_t segments) const {
    double time = ofBlock(widest(), true) + ofBlock(widest(), false);
    return inRounds(time / double(segments), segments);
  }
};
} // namespace

std::int64_t linmu::chooseSegments(const ScanCost &scan, const Schedule &schedule) {
  if (schedule.segments)
    return schedule.segments;
  ScanTimes times{scan, schedule.costs};
  // Few heads need more to keep all cores busy.
  std::int64_t most = schedule.costs.most_segments
                          ? std::max(schedule.costs.most_segments, schedule.costs.cores / scan.heads)
                          : 2 * schedule.costs.cores;
  std::int64_t best = 2;
  for (std::int64_t segments = 3; segments <= most; ++segments)
    if (times.inSegments(segments) < times.inSegments(best))
      best = segments;
  return best;
}

std::int64_t linmu::columnsThatFit(const ScanCost &scan, const Schedule &schedule) {
  std::int64_t keys = 1, room = schedule.costs.block_state;
  for (const StateCost &state : scan.states)
    keys = std::max(keys, state.key_size);
  std::int64_t columns = scan.columns;
  if (room == 0 || columns * keys <= room || columns == 1)
    return 0;
  while (columns > schedule.costs.least_columns && columns * keys > room)
    columns = (columns + 1) / 2;
  return columns;
}

ScanSplit linmu::chooseSplit(const ScanCost &scan, const Schedule &schedule) {
  const CostModel &costs = schedule.costs;
  if (scan.heads >= costs.cores)
    return {};
  ScanTimes times{scan, costs};
  double best = 0.9 * times.whole();
  ScanSplit split{.tokens = costs.least_tokens};
  std::int64_t fitting = columnsThatFit(scan, schedule);
  if (std::int64_t narrowest = costs.least_columns; !schedule.columns)
    for (std::int64_t width = (fitting ? fitting : scan.columns / 2) / narrowest * narrowest;
         width >= narrowest; width -= narrowest)
      if (double time = times.inColumns(width); time < best) {
        best = time;
        split.columns = width;
      }
  std::int64_t segments = chooseSegments(scan, schedule);
  if (schedule.algorithm == Algorithm::automatic && !schedule.columns && !fitting &&
      times.inSegments(segments) < best) {
    double entries = 10 * times.ofEntry() * double(segments) / times.whole();
    split = {.segments = segments, .tokens = std::max(costs.least_tokens, std::int64_t(entries))};
  }
  return split;
}

WindowTiles linmu::chooseWindowTiles(const WindowSizes &sizes, const Schedule &schedule) {
  const CostModel &costs = schedule.costs;
  std::int64_t volume = (sizes.volume + 7) / 8 * 8;
  WindowTiles tiles;
  std::int64_t queries = schedule.query_block ? schedule.query_block : costs.window_queries;
  std::int64_t keys = schedule.key_block ? schedule.key_block : costs.window_keys;
  constexpr std::int64_t fewest = 32;
  auto fit = [&] {
    auto values = std::int64_t(std::bit_ceil(std::uint64_t(sizes.value_size)));
    return costs.window_sums == 0 || queries * (sizes.scores * keys + values) <= costs.window_sums;
  };
  while (!schedule.key_block && keys > fewest && !fit())
    keys /= 2;
  while (!schedule.query_block && queries > fewest && !fit())
    queries /= 2;
  tiles.queries = std::min(queries, volume);
  tiles.keys = std::min(keys, volume);
  bool fits =
      !schedule.key_block && volume <= costs.largest_window &&
      volume <= costs.window_cache / std::int64_t(sizeof(float)) / (sizes.key_size + sizes.value_size);
  tiles.whole = fits ? volume : costs.window_cache || volume <= tiles.keys ? tiles.keys : 0;
  tiles.share = std::max({tiles.whole, tiles.queries, std::min(costs.window_share, volume)});
  tiles.growth = schedule.score_growth;
  tiles.whole_blocks = schedule.whole_blocks;
  return tiles;
}
