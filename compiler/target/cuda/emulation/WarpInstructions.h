// What the instructions of a warp compute, apart from memory: as the PTX ISA says it, written to be read.
#pragma once
#include "compiler/target/cuda/emulation/Machine.h"
#include <array>

namespace linmu::emulation {

inline constexpr unsigned warpSize = 32;
using Lanes = std::array<Lane *, warpSize>;

const char *nameOf(WarpInstruction instruction);

/// Shuffles and votes. False where the instruction is none of them.
bool exchangeValues(WarpInstruction instruction, const Lanes &lanes);

/// mma.sync: sums += a b. Products are exact and added in fp64, then rounded once; the tensor core keeps
/// fewer bits. False where the instruction is none.
bool multiplyMatrices(WarpInstruction instruction, const Lanes &lanes);

} // namespace linmu::emulation
