// The passes from a tile.program to what each thread of a block does, in the order in which they run.
#ifndef LINMU_TARGET_CUDA_PASSES_TD
#define LINMU_TARGET_CUDA_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignLayouts : Pass<"assign-layouts", "::linmu::tile::ProgramOp"> {
  let summary = "Gives each tile its layout in the registers of a block, and brings tiles from one to another";
  let description = [{
    A product's result has the layout of its accumulators; its operands are brought to those of its fragments. What
    is loaded lies by rows, a vector to a thread; vectors lie whole in each warp. Work element by element is done in
    the layout of an accumulator among its operands, else of the first operand that has one. Constants, coordinates,
    broadcasts and what is made of them alone have no layout of their own: they are made again in each that is asked
    for.

    Where threads have to exchange elements inside their warp, or in their own registers, the change is a
    `cuda.convert`; where warps do, the tile goes through a buffer.

    Tiles must have powers of two many rows and columns, those of products at least 16.
  }];
  let options = [
    Option<"warps", "warps", "unsigned", "4", "Warps of a block, a power of two">
  ];
  let statistics = [
    Statistic<"conversions", "conversions", "Changes of layout in registers and by shuffles">,
    Statistic<"buffers", "buffers", "Tiles that go through shared memory">
  ];
  let dependentDialects = ["::linmu::cuda::CudaDialect"];
}

#endif // LINMU_TARGET_CUDA_PASSES_TD
