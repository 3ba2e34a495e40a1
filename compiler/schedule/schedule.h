// The schedule: how a pattern is to run, as plain data.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>

namespace linmu {

struct Schedule {
  enum class Algorithm {
    automatic, ///< recurrent for short sequences, chunked from `recurrent_below` tokens on where it applies
    recurrent, ///< one token at a time at every length
    chunked,   ///< chunked at every length; a scan without normal form is an error
  };
  Algorithm algorithm = Algorithm::automatic;
  std::int64_t chunk = 0; ///< tokens of a chunk; 0: the cost model's choice
  /// With `automatic`, sequences of fewer tokens run recurrently. A chunk costs the same however few of its
  /// rows are live: 7.5 us a head of 64 x 64 on one AVX2 core against 0.4 us a token.
  std::int64_t recurrent_below = 16;
  bool fuse = true;              ///< maps join the scans and maps beside them
  std::int64_t map_block = 32;   ///< tokens that one block of a map works on
  std::int64_t query_block = 32; ///< queries of a window that are scored at once
  std::int64_t key_block = 0;    ///< keys that they are scored against at once; 0: the cost model's choice
};

/// Reads overrides such as {"chunk", "64"}. Keys are the fields' names; `algorithm` takes auto, recurrent or
/// chunked. An unknown key or a bad value gives one error that names the key, the expected and the actual.
llvm::Expected<Schedule> parseSchedule(const std::map<std::string, std::string> &overrides);

/// The same from "KEY=VALUE,KEY=VALUE".
llvm::Expected<Schedule> parseSchedule(llvm::StringRef overrides);

/// What one state of a chunked scan costs.
struct StateCost {
  std::int64_t key_size = 1, value_size = 1; ///< K and V
  std::int64_t reads = 1, writes = 1;
};

/// Bytes of f32 tiles that one block of a chunked scan keeps at once: the state, reads, keys and values of a
/// chunk, and its scores.
std::int64_t chunkedWorkspaceBytes(const StateCost &state, std::int64_t chunk);

/// The chunk of a scan: the work a token is 2C(K + V) for scores and their products beside 4KV for the
/// state's, so that small chunks cost less, while every chunk reads and writes the state once. 16 tokens, one
/// AVX-512 vector of positions, are 12% faster than 32 at head sizes from 16 to 256. Halved, to 8, where a
/// block's tiles exceed the 1 MB of a core's L2 cache.
std::int64_t chooseChunk(llvm::ArrayRef<StateCost> states, const Schedule &schedule);

/// The sizes of a window attention: tokens of a whole window, features of keys and of values.
struct WindowSizes {
  std::int64_t volume = 1, key_size = 1, value_size = 1;
};

/// Tiles of a window attention. Cells of more than whole - keys and at most `whole` tokens take all their
/// keys at once, others `keys` at a time. Either volume <= whole, or whole = keys.
struct WindowTiles {
  std::int64_t queries = 32, keys = 64, whole = 64;
};

/// All keys of a window are gathered once for all of its queries where keys and values fit half of the 1 MB
/// of a core's L2 cache. Otherwise, and at the ragged ends of a grid, 64 keys at a time: fewer cost more in
/// rescaling what was summed, more are wasted on cells that do not fill them.
WindowTiles chooseWindowTiles(const WindowSizes &sizes, const Schedule &schedule);

} // namespace linmu
