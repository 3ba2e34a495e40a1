// The cost model: what a derivation chooses where the schedule leaves the choice, from a target's figures.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace linmu {

struct Schedule;

/// Figures of a target.
struct CostModel {
  std::int64_t cores = 1;          ///< blocks that run at the same time
  std::int64_t chunk = 0;          ///< tokens of a chunk whose tiles fit `scan_cache`
  std::int64_t chunk_of_rows = 0;  ///< the same where each row of a state decays on its own; 0: no less
  std::int64_t scan_cache = 0;     ///< bytes of f32 tiles that a block of a scan may keep
  std::int64_t work_a_byte = 0;    ///< multiplications in the time that a byte of memory takes
  std::int64_t most_segments = 0;  ///< of a sequence whose heads keep all cores busy; states are written and
                                   ///< read once more for each; 0: twice the cores
  std::int64_t segment_tokens = 0; ///< sequences with half as many a segment have half the segments; 0: never
  std::int64_t least_state = 0;    ///< scans whose states all have fewer elements run token by token
  std::int64_t block_state = 0;    ///< elements of a state that a block can keep; 0: all
  std::int64_t entry_columns = 0;  ///< value columns of a block that goes over segments; 0: all
  std::int64_t least_columns = 0;  ///< fewer value columns a block waste vectors
  std::int64_t least_tokens = 0;   ///< sequences of no more are not worth waking another core
  std::int64_t border_cache = 0;   ///< bytes that a block with the gradients of a chunk may keep; 0: any
  std::int64_t window_cache = 0;   ///< bytes of keys and values, as f32, that a block of a window may keep
  std::int64_t window_queries = 0; ///< of a window at a time
  std::int64_t window_keys = 0;    ///< keys of a window at a time where they do not fit
  std::int64_t window_sums = 0;    ///< scores and sums of values that a block can keep; 0: all
  std::int64_t window_share = 0;   ///< queries of a window that one block takes where there are so many
  std::int64_t largest_window = 0; ///< tokens of a window whose keys may be taken at once
};

/// What one state of a chunked scan costs.
struct StateCost {
  std::int64_t key_size = 1, value_size = 1; ///< K and V
  std::int64_t reads = 1, writes = 1;
  bool feedback = false;
  bool decays_by_row = false; ///< or by value column
};

/// Bytes of f32 tiles that one block of a chunked scan keeps at once: the state, reads, keys and values of a
/// chunk, and its scores.
std::int64_t chunkedWorkspaceBytes(const StateCost &state, std::int64_t chunk);

/// The chunk of a scan: the work a token is 2C(K + V) for scores and their products beside 4KV for the
/// state's, so that small chunks cost less, while every chunk reads and writes the state once. The target's
/// chunk, halved down to 8 where a block's tiles exceed its cache.
std::int64_t chooseChunk(llvm::ArrayRef<StateCost> states, const Schedule &schedule);

/// The same of gradients by the borders of chunks, whose block keeps both borders, `element` bytes each of
/// their elements, and rows of keys and values: halved down to 16 where it keeps more than the target's
/// blocks may.
std::int64_t chooseChunkOfBorders(const StateCost &state, std::int64_t element, const Schedule &schedule);

/// A scan in chunks, as the cost model sees it.
struct ScanCost {
  llvm::SmallVector<StateCost> states = {};
  std::int64_t chunk = 0;
  std::int64_t columns = 1; ///< value columns that blocks may take some of each; 1 where they may not
  bool epilogue = false;    ///< a split of the columns needs a kernel more, over what was read
  std::int64_t heads = 1;   ///< of one sequence
};

/// How a scan is split further than by heads and batch: value columns of a block, or segments of its tokens;
/// 0 for no split.
struct ScanSplit {
  std::int64_t columns = 0, segments = 0;
  std::int64_t tokens = 0; ///< sequences of no more are not worth it
};

/// The value columns of a block where a state's are more than it can keep; 0 where they are not, or cannot be
/// split.
std::int64_t columnsThatFit(const ScanCost &scan, const Schedule &schedule);

/// The split of one sequence, where it takes at most 0.9 of the time. A slice of columns costs the scores
/// again. A segment costs its end from zero, which without feedback is the product for the exit alone, and
/// with it as much as K more value columns; and one core goes over all segments, which no more than a tenth
/// of the time may be spent on. Time is counted in multiplications a token, in rounds of as many
/// blocks as there are cores, and bytes of operands.
ScanSplit chooseSplit(const ScanCost &scan, const Schedule &schedule);

/// The segments of a scan that is to have some: no more than it takes to keep all cores busy.
std::int64_t chooseSegments(const ScanCost &scan, const Schedule &schedule);

/// The sizes of a window attention: tokens of a whole window, features of keys and of values.
struct WindowSizes {
  std::int64_t volume = 1, key_size = 1, value_size = 1;
  std::int64_t scores = 1; ///< matrices of queries by keys that a block keeps at once
};

/// Tiles of a window attention. Cells of more than whole - keys and at most `whole` tokens take all their
/// keys at once, others `keys` at a time. Either volume <= whole, or whole = keys, or whole = 0: none all at
/// once.
struct WindowTiles {
  std::int64_t queries = 32, keys = 64, whole = 64;
  std::int64_t share = 64;   ///< queries of a cell that one block takes, one tile after the other
  std::int64_t growth = 0;   ///< Schedule::score_growth
  bool whole_blocks = false; ///< Schedule::whole_blocks
};

/// All keys of a window are gathered once for all of its queries where keys and values fit the target's
/// cache. Otherwise, and at the ragged ends of a grid, some at a time: fewer cost more in rescaling what was
/// summed, more are wasted on cells that do not fill them. Where a block cannot keep the scores and sums of
/// so many queries, first fewer keys are taken, then fewer queries.
WindowTiles chooseWindowTiles(const WindowSizes &sizes, const Schedule &schedule);

} // namespace linmu
