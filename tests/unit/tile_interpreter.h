// An interpreter of tile programs in fp64, written to be read: it says what a program means, block by block,
// apart from any target. Every access is checked against its operand's extents.
#pragma once
#include "dialects/pattern/StepValue.h"
#include "dialects/tile/Tile.h"
#include "llvm/ADT/DenseMap.h"

namespace linmu::test {

/// An operand in memory: row-major doubles, whatever its element type.
using Memory = pattern::StepValue;

/// Runs the variant of `program` for `tokens` tokens. Operands are the program's arguments in order: inputs,
/// then results, which are written. Throws std::runtime_error for an access out of bounds, an op that it does
/// not know, or a length that no variant covers.
void interpret(tile::ProgramOp program, llvm::ArrayRef<Memory *> operands, std::int64_t batch,
               std::int64_t tokens);

/// The algorithm of the variant that `interpret` would run.
std::string algorithmFor(tile::ProgramOp program, std::int64_t tokens);

} // namespace linmu::test
