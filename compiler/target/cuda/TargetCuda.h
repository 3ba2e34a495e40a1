// The CUDA target: a tile.program becomes a package of CUDA C++, which NVRTC makes machine code of.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/core/package.h"

namespace linmu::cuda {

/// The dialects that the target needs beyond those of tile IR.
void registerTarget(mlir::DialectRegistry &registry);

struct PipelineOptions {
  /// The type that f32 operands of products are rounded to: "bf16", "f16", or "f32" for none.
  std::string products = "f32";
  unsigned warps = 8;      ///< of a block
  int64_t sharedBytes = 0; ///< that a block may have; 0: it takes as few as can be
};
/// The passes from tiles to threads (Passes.td).
void buildTileToThreads(mlir::OpPassManager &passes, const PipelineOptions &options);
/// Registers the passes of the target and `tile-to-threads`.
void registerTargetCudaPasses();

/// The whole target. `module` holds one tile.program; it is consumed. The package has a source and no images.
/// Products are rounded to the smallest type among the operands of the pattern that are f32, bf16 or f16.
/// Where a kernel would need more shared memory than the `sharedBytes` that a block may have, its loops load
/// less far ahead; a kernel that needs more all the same is an error.
mlir::FailureOr<Package> compile(mlir::ModuleOp module, const Signature &signature, llvm::StringRef key,
                                 int64_t sharedBytes);

} // namespace linmu::cuda
