// tile-to-cpu and cpu-to-llvm: the passes of the target in their order.
#include "compiler/target/cpu/Passes.h"
#include "dialects/tile/Tile.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace linmu;

void linmu::cpu::buildTileToCPU(OpPassManager &passes, std::unique_ptr<Pass> lowering) {
  OpPassManager &program = passes.nest<tile::ProgramOp>();
  program.addPass(createSimplifyTiles());
  program.addPass(createMarkPrefetches());
  program.addPass(createAssignBuffers());
  passes.addPass(std::move(lowering));
}

void linmu::cpu::buildConversionToLLVM(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // While ops are few: it walks them all.
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertToLLVMPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
}

void linmu::cpu::buildCPUToLLVM(OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createExpandMath());
  buildConversionToLLVM(passes);
  passes.addPass(createAddEntries());
}

namespace linmu::cpu {
#define GEN_PASS_REGISTRATION
#include "compiler/target/cpu/Passes.h.inc"
} // namespace linmu::cpu

namespace {
struct TileToCPUOptions : PassPipelineOptions<TileToCPUOptions> {
  Option<std::string> cpu{*this, "cpu",
                          llvm::cl::desc("LLVM's name of the CPU; default: the machine at hand")};
};
} // namespace

void linmu::cpu::registerTargetCPUPasses() {
  registerCPUPasses();
  PassPipelineRegistration<TileToCPUOptions>("tile-to-cpu",
                                             "Turns tile.programs into functions of vector, memref and scf",
                                             [](OpPassManager &passes, const TileToCPUOptions &options) {
                                               LowerTileToCPUOptions lowering;
                                               lowering.cpu = options.cpu;
                                               buildTileToCPU(passes, createLowerTileToCPU(lowering));
                                             });
  PassPipelineRegistration<>("cpu-to-llvm", "Turns the functions of tile-to-cpu into the LLVM dialect",
                             buildCPUToLLVM);
}
