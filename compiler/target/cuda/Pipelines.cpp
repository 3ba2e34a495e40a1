// tile-to-threads: the passes of the target in their order.
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/TargetCuda.h"
#include "compiler/tile/Passes.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace linmu;

static void clean(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void linmu::cuda::buildTileToThreads(OpPassManager &passes, const PipelineOptions &options) {
  tile::ExpandMacroOpsOptions macros;
  macros.diagonalInverses = true;
  macros.halves = true;
  macros.products = options.products != "f16"; // f16 has no room for what is divided by decays
  passes.addPass(tile::createExpandMacroOps(macros));
  if (options.products != "f32") {
    tile::RoundProductsOptions rounding;
    rounding.type = options.products;
    passes.addPass(tile::createRoundProducts(rounding));
    passes.nest<tile::ProgramOp>().addPass(tile::createExponentialsOfTwo());
  }
  if (options.products == "bf16")
    passes.nest<tile::ProgramOp>().addPass(tile::createDropSumErrors());
  clean(passes);
  passes.nest<tile::ProgramOp>().addPass(tile::createNarrowTemporaries());
  OpPassManager &program = passes.nest<tile::ProgramOp>();
  program.addPass(tile::createPadTiles());
  program.addPass(createCanonicalizerPass());
  AssignWarpsOptions warps;
  warps.warps = options.warps;
  program.addPass(createAssignWarps(warps));
  program.addPass(tile::createBufferLoads());
  tile::StageLoadsOptions stages;
  stages.stages = 2;
  program.addPass(tile::createStageLoads(stages));
  program.addPass(createCanonicalizerPass());
  program.addPass(createCSEPass());
  AssignProductsOptions products;
  products.warps = options.warps;
  program.addPass(createAssignProducts(products));
  AssignLayoutsOptions layouts;
  layouts.warps = options.warps;
  program.addPass(createAssignLayouts(layouts));
  clean(passes);
  passes.addPass(createLoopInvariantCodeMotionPass());
  OpPassManager &threads = passes.nest<tile::ProgramOp>();
  threads.addPass(createAssignSwizzles());
  threads.addPass(createLowerToThreads());
  clean(passes);
  passes.addPass(createLoopInvariantCodeMotionPass());
  OpPassManager &places = passes.nest<tile::ProgramOp>();
  places.addPass(createHoistIndexLoads());
  places.addPass(createCSEPass());
  places.addPass(createSkipScaling());
  places.addPass(createSinkToUses());
  AllocateSharedOptions shared;
  shared.room = options.sharedBytes;
  places.addPass(createAllocateShared(shared));
  places.addPass(createPlaceBarriers());
}

namespace {
struct TileToThreadsOptions : PassPipelineOptions<TileToThreadsOptions> {
  Option<std::string> products{*this, "products", llvm::cl::init("f32"),
                               llvm::cl::desc("Operands of f32 products are rounded to: bf16, f16 or f32")};
  Option<unsigned> warps{*this, "warps", llvm::cl::init(8), llvm::cl::desc("Warps of a block")};
};
} // namespace

void linmu::cuda::registerTargetCudaPasses() {
  registerCudaPasses();
  PassPipelineRegistration<TileToThreadsOptions>(
      "tile-to-threads", "Turns tile.programs into what each thread of a block does",
      [](OpPassManager &passes, const TileToThreadsOptions &options) {
        buildTileToThreads(passes, {options.products, options.warps, /*sharedBytes=*/0});
      });
}
