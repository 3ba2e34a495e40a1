// The tile dialect: how a pattern runs, as block programs on static tiles.
#ifndef LINMU_TILE_DIALECT_TD
#define LINMU_TILE_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::linmu::tile";
  let useDefaultTypePrinterParser = 1;
  let summary = "Programs, launches, kernels and operations on tiles";
  let description = [{
    A tile is a builtin tensor of static shape and rank 0 to 2 (`f32`, `tensor<32xf32>`,
    `tensor<32x64xf32>`); `arith`, `math` and `scf` work on it as they are. Operands in memory are tensors
    with dynamic or higher-rank shapes and are touched by `tile.load` and `tile.store` only. Memory that a
    block shares between its threads is a `!tile.buffer`, which holds elements and has no value of its own.
  }];
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

#endif // LINMU_TILE_DIALECT_TD
