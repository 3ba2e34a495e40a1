// The definition of the tile dialect: programs in fp64, block by block, apart from any target. Written to be
// read; it is the arbiter of every pass on tile IR.
#pragma once
#include "dialects/pattern/StepValue.h"
#include "dialects/tile/Tile.h"

namespace linmu::interpreter {

/// An operand in memory: row-major doubles, whatever its element type. Values are rounded where the program
/// says so (`arith.truncf`), nowhere else.
using Memory = pattern::StepValue;

/// What `tile.extent` gives.
struct Extents {
  std::int64_t batch = 1, tokens = 0, media_items = 0, sequences = 0, longest_sequence = 0;
};

/// Runs the variant of `program` for a call. Operands are the program's arguments in order: inputs, then
/// results, which are written. Temporaries, buffers and copies that were not waited for hold NaN.
/// Throws std::runtime_error for an access out of bounds or an op that it does not know.
void run(tile::ProgramOp program, llvm::ArrayRef<Memory *> operands, const Extents &extents);

/// The algorithm of the variant that `run` would run.
std::string algorithmFor(tile::ProgramOp program, const Extents &extents);

} // namespace linmu::interpreter
