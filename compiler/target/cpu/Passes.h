// Passes of compiler/target/cpu.
#pragma once
#include "compiler/target/cpu/Machine.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

namespace linmu::cpu {

#define GEN_PASS_DECL
#include "compiler/target/cpu/Passes.h.inc"

/// For a machine that is known already.
std::unique_ptr<mlir::Pass> createLowerTileToCPU(const Machine &machine);

/// `tile-to-cpu`: from tile.programs to functions of vector, memref and scf; the last pass is `lowering`.
void buildTileToCPU(mlir::OpPassManager &passes, std::unique_ptr<mlir::Pass> lowering);
/// `cpu-to-llvm`: from those functions to the LLVM dialect, with entries. That is expand-math, MLIR's own
/// conversions, and add-entries.
void buildCPUToLLVM(mlir::OpPassManager &passes);
void buildConversionToLLVM(mlir::OpPassManager &passes);

/// Attributes of a kernel's function (Passes.td, lower-tile-to-cpu).
inline constexpr llvm::StringLiteral workspaceAttribute = "linmu.workspace",
                                     blocksTogetherAttribute = "linmu.blocks_together",
                                     ranksAttribute = "linmu.ranks";

/// All passes and both pipelines, by their names.
void registerTargetCPUPasses();

} // namespace linmu::cpu
