// The passes from a tile.program to functions of the LLVM dialect, in the order in which they run.
#ifndef LINMU_TARGET_CPU_PASSES_TD
#define LINMU_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def SimplifyTiles : Pass<"simplify-tiles", "::linmu::tile::ProgramOp"> {
  let summary = "Says what the CPU has no form of its own for in terms of what it has";
  let description = [{
    Products are f32: operands of bf16 and f16 are extended, which changes no value. Copies to buffers are done
    where they start, if their condition holds: a core's stores wait for nothing, so waits and barriers of one
    thread fall away.
  }];
  let statistics = [
    Statistic<"extended", "extended-operands", "Operands of products that were extended to f32">,
    Statistic<"copies", "copies", "Copies that became a load and a write">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

def MarkPrefetches : Pass<"mark-prefetches", "::linmu::tile::ProgramOp"> {
  let summary = "Marks the loads and stores whose rows a loop asks for an iteration ahead";
  let description = [{
    A core's own prefetcher follows rows that lie together, but neither those of one head among others nor
    those of an order. In the body of a loop the first load or store of each operand whose rows are a range
    that the loop moves gets the attribute `cpu.prefetch`.
  }];
  let statistics = [
    Statistic<"marked", "marked", "Loads and stores that were marked">
  ];
}

def AssignBuffers : Pass<"assign-buffers", "::linmu::tile::ProgramOp"> {
  let summary = "Decides which tiles are materialised, in which layouts, and which are recomputed";
  let description = [{
    Every op of a kernel with tiles among its results gets `cpu.buffers`: for each result the layouts of its
    buffers, that which the op itself writes first. An empty list is a tile that is recomputed, a register block
    at a time, wherever it is used.

    A loop gets `cpu.carried` as well, the same for the tiles that its body receives from the iteration before,
    and `cpu.next`: how the buffer of each gets its next value. `in-place` is block by block over the old one;
    `staged` is through a buffer of its own, because other elements still read the old value; `kept` is what the
    body yields as it received it; `scalar` is no tile.

    The layouts are `rows`, `panels` ([columns / width][rows][width], what the right-hand side of a product is
    read from) and `transposed-panels` (the same of the transpose).

    ```mlir
    %s = tile.dot %q, transpose_rhs %k {cpu.buffers = [["rows"]]} : ...
    %m = arith.mulf %s, %mask {cpu.buffers = [[]]} : ...
    ```
  }];
  let statistics = [
    Statistic<"materialised", "materialised", "Tiles that live in buffers">,
    Statistic<"recomputed", "recomputed", "Tiles that are recomputed where they are used">
  ];
}

def LowerTileToCPU : Pass<"lower-tile-to-cpu", "::mlir::ModuleOp"> {
  let summary = "Turns kernels with assigned buffers into functions of vector, memref and scf";
  let description = [{
    Expects kernels after `assign-buffers`. Programs go, with their kernels that nothing launches; one that is
    launched becomes
    `func.func @NAME(first, last, workspace, grid x, y, z, operands...)`, which runs the blocks [first, last).
    Attributes say what the runtime gives it: `linmu.workspace`, the bytes of workspace of a thread,
    `linmu.blocks_together`, how many blocks a thread best runs in one call, and `linmu.ranks`, the rank of each
    operand, -1 for a number.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "", "LLVM's name of the CPU; default: the machine at hand">
  ];
  let statistics = [
    Statistic<"kernels", "kernels", "Kernels lowered">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandMath : Pass<"expand-math", "::mlir::func::FuncOp"> {
  let summary = "Replaces what LLVM would call a library for by arithmetic";
  let description = [{
    Math functions, truncation to bf16 and ceiling division; integer ops, conversions, minima and maxima that
    LLVM leaves undefined on some operands, or that the machine would trap on, become what docs/patterns.md
    says. MathFunctions.h states the errors of functions.
  }];
  let statistics = [
    Statistic<"expanded", "expanded", "Functions and guarded ops that were replaced">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def AddEntries : Pass<"add-entries", "::mlir::ModuleOp"> {
  let summary = "Adds to each kernel the entry that the runtime calls";
  let description = [{
    `NAME.entry(arguments, first, last, workspace)` of runtime/core/package.h for each LLVM function with
    `linmu.ranks`: it unpacks the descriptors of NAME's operands and calls NAME, which becomes internal.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // LINMU_TARGET_CPU_PASSES_TD
