// All ops of the dialect.
#ifndef LINMU_TILE_OPS_TD
#define LINMU_TILE_OPS_TD

include "dialects/tile/MathOps.td"
include "dialects/tile/MemoryOps.td"
include "dialects/tile/ProgramOps.td"

#endif // LINMU_TILE_OPS_TD
