// The schedule: how a pattern is to run on a target, as plain data.
#pragma once
#include "compiler/schedule/cost_model.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <map>
#include <set>
#include <string>

namespace linmu {

/// The algorithms of scans; `automatic` runs short sequences token by token and others in chunks.
enum class Algorithm { automatic, recurrent, chunked, two_kernels, segmented };
inline constexpr Algorithm algorithms[] = {Algorithm::automatic, Algorithm::recurrent, Algorithm::chunked,
                                           Algorithm::two_kernels, Algorithm::segmented};

/// What a target rounds the operands of products to.
enum class ProductType { f32, bf16, f16 };

/// A target gives it with its own values and cost model, and the text of the user goes over them. Zero leaves
/// a choice to the cost model. key_space.h declares the keys of the text.
struct Schedule {
  Algorithm algorithm = Algorithm::automatic;
  bool fuse = true;                 ///< maps join the scans and maps beside them
  std::int64_t chunk = 0;           ///< tokens of a chunk of a scan
  std::int64_t columns = 0;         ///< value columns of a block of a scan
  std::int64_t segments = 0;        ///< that the tokens of a scan are cut into
  std::int64_t prepare = 0;         ///< 1: systems of feedback are solved for all chunks before their walk
  std::int64_t recurrent_below = 0; ///< with `automatic`, sequences of fewer tokens run token by token
  std::int64_t map_block = 0;       ///< tokens that one block of a map works on
  std::int64_t query_block = 0;     ///< queries of a window that are scored at once; 0: by the cost model
  std::int64_t key_block = 0;       ///< keys that they are scored against at once; 0: by the cost model
  std::int64_t score_growth = 0; ///< powers of two by which weights of a window may exceed 1 before what was
                                 ///< summed is scaled; 0: it always is
  bool whole_blocks = false;   ///< blocks of keys of a window that are all there run without asking which are
  std::int64_t warps = 0;      ///< of a block; a power of two
  std::int64_t blocks = 0;     ///< that a multiprocessor is to hold at once, which bounds their registers
  std::int64_t ring_bytes = 0; ///< of shared memory for what loops load ahead; 0: the target's passes decide
  bool knows_lengths = true;   ///< a launch reads how long the sequences of a ragged batch are
  bool has_warps = false;      ///< the target's blocks have any
  bool rounds_products =
      false; ///< operands of products are rounded to the least type of the pattern's operands
  CostModel costs;
  std::set<std::string> given; ///< keys that the text sets
};

/// `target` with the text's choices, such as {"chunk", "64"}, over it. An unknown key or a bad value gives
/// one error that names the key, the expected and the actual.
llvm::Expected<Schedule> parseSchedule(const std::map<std::string, std::string> &text, Schedule target);

/// The same from "KEY=VALUE,KEY=VALUE".
llvm::Expected<Schedule> parseSchedule(llvm::StringRef text, Schedule target);

} // namespace linmu
