// ldmatrix and stmatrix: matrices of 8 rows of 16 bytes between shared memory and the registers of a warp.
#pragma once
#include "compiler/target/cuda/emulation/Memory.h"
#include "compiler/target/cuda/emulation/WarpInstructions.h"

namespace linmu::emulation {

/// `first` is lane 0 of the warp; the others are the threads behind it.
Memory::Checked accessMatrices(WarpInstruction instruction, const Lanes &lanes, Memory &shared,
                               const Actor &first);

} // namespace linmu::emulation
