// The passes from a tile.program to what each thread of a block does, in the order in which they run.
#ifndef LINMU_TARGET_CUDA_PASSES_TD
#define LINMU_TARGET_CUDA_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignWarps : Pass<"assign-warps", "::linmu::tile::ProgramOp"> {
  let summary = "Decides how many warps a block has, and how many blocks a multiprocessor holds";
  let description = [{
    Kernels get `warps`, by the size of their largest product, and those with products that keep no matrix from step
    to step of a loop `blocks`: the compiler then spends no more registers than lets so many run at once. Where
    `ring_bytes` says what rings may need, `deep_ring_bytes` is the share of blocks with so many warps. What the
    schedule has set stays.
  }];
  let options = [
    Option<"warps", "warps", "unsigned", "8", "Most warps of a block, a power of two">
  ];
}

def AssignProducts : Pass<"assign-products", "::linmu::tile::ProgramOp"> {
  let summary = "Decides how the warps of a block share each product";
  let description = [{
    `tile.dot` gets `cuda.warps`, the log2 of the warps along rows and columns of its result, and `cuda.swapped` where
    the instructions compute the transpose. What is counted are the bytes that warps read from shared memory, those
    that a result goes through it to be an operand of another product, barriers, and multiplications done twice. A
    search that goes from product to product, from several beginnings, takes what is least.
  }];
  let options = [
    Option<"warps", "warps", "unsigned", "8", "Warps of a block, a power of two">
  ];
  let statistics = [
    Statistic<"products", "products", "Products">,
    Statistic<"swapped", "swapped", "Products whose transpose is computed">
  ];
  let dependentDialects = ["::linmu::cuda::CudaDialect"];
}

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
    Option<"warps", "warps", "unsigned", "8", "Warps of a block, a power of two">
  ];
  let statistics = [
    Statistic<"conversions", "conversions", "Changes of layout in registers and by shuffles">,
    Statistic<"buffers", "buffers", "Tiles that go through shared memory">
  ];
  let dependentDialects = ["::linmu::cuda::CudaDialect"];
}

def AssignSwizzles : Pass<"assign-swizzles", "::linmu::tile::ProgramOp"> {
  let summary = "Decides where the elements of each buffer lie in shared memory";
  let description = [{
    `tile.alloc` gets `layout`, from offsets to elements: rows one after the other, their 16-byte pieces permuted so
    that the accesses of warps meet in as few banks as can be, and that `ldmatrix` serves the reads that it can.
  }];
  let statistics = [
    Statistic<"swizzled", "swizzled", "Buffers whose pieces are permuted">,
    Statistic<"conflicts", "conflicts", "Passes over the banks beyond those that the bytes need">
  ];
  let dependentDialects = ["::linmu::cuda::CudaDialect"];
}

def LowerToThreads : Pass<"lower-to-threads", "::linmu::tile::ProgramOp"> {
  let summary = "Turns ops on tiles into what each thread does with its registers";
  let description = [{
    Expects kernels after `assign-layouts` and `assign-swizzles`. A tile becomes the vector of a thread's registers;
    buffers become memrefs in the workgroup's address space, without a place yet and without barriers.
  }];
  let statistics = [
    Statistic<"kernels", "kernels", "Kernels lowered">
  ];
  let dependentDialects = ["::linmu::cuda::CudaDialect", "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def HoistIndexLoads : Pass<"hoist-index-loads", "::linmu::tile::ProgramOp"> {
  let summary = "Reads the indices of rows at the start of a step of a loop";
  let description = [{
    Rows that an order names are copied some steps ahead, but where they lie is known only once their indices have been
    read. These are read first thing in a step: the copies begin behind its first product, and find them there.
  }];
  let statistics = [
    Statistic<"hoisted", "hoisted", "Reads of indices">
  ];
}

def SkipScaling : Pass<"skip-scaling", "::linmu::tile::ProgramOp"> {
  let summary = "Leaves out multiplications of registers by factors that are all 1";
  let description = [{
    Of those that say `tile.usually_one`. The multiplications of a block by the same factors stand in a branch of their
    own, which a thread takes where one of its factors is not 1.
  }];
  let statistics = [
    Statistic<"skipped", "skipped", "Multiplications in a branch">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def SinkToUses : Pass<"sink-to-uses", "::linmu::tile::ProgramOp"> {
  let summary = "Puts what a thread computes or reads from shared memory where it is first used";
  let description = [{
    Products keep their order, and what has effects its place. Reads stay before the next write of their buffer and
    before waits. Expects buffers without places (`allocate-shared`), so that different ones do not overlap.
  }];
  let statistics = [
    Statistic<"moved", "moved", "Ops that stand elsewhere now">
  ];
}

def AllocateShared : Pass<"allocate-shared", "::linmu::tile::ProgramOp"> {
  let summary = "Gives buffers their places in a block's shared memory";
  let description = [{
    Buffers that are never alive at once may lie in the same place. With room for them, as long as a multiprocessor
    holds no fewer blocks for it, those that threads exchange tiles through have places of their own, so that fewer
    barriers are needed. Kernels get `shared_bytes`.
  }];
  let options = [
    Option<"room", "room", "int64_t", "0", "Bytes of shared memory that a block may have; 0: as few as can be">
  ];
  let statistics = [
    Statistic<"bytes", "bytes", "Shared memory of all kernels">,
    Statistic<"saved", "saved", "Bytes saved by sharing places">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect", "::mlir::memref::MemRefDialect"];
}

def PlaceBarriers : Pass<"place-barriers", "::linmu::tile::ProgramOp"> {
  let summary = "Puts a barrier wherever a thread touches shared memory that another has touched since the last one";
  let description = [{
    Two accesses of the same bytes of which one writes need a barrier between them, around a loop as well. Expects
    places (`allocate-shared`).
  }];
  let statistics = [
    Statistic<"barriers", "barriers", "Barriers placed">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
}

def PrintCuda : Pass<"print-cuda", "::mlir::ModuleOp"> {
  let summary = "Writes the CUDA C++ of every tile.program to standard output";
  let description = [{
    Expects kernels with `threads`. The text stands behind the prelude; the IR stays as it is.
  }];
  let options = [
    Option<"lines", "lines", "bool", "true", "Write #line directives with the places in the user's source">
  ];
}

#endif // LINMU_TARGET_CUDA_PASSES_TD
