// linmu-opt: runs passes over .mlir files, for tests and for looking at one pass at a time.
#include "compiler/autodiff/Passes.h"
#include "compiler/derive/Passes.h"
#include "compiler/normalize/Passes.h"
#include "compiler/target/cpu/DefaultSchedule.h"
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "compiler/target/cuda/TargetCuda.h"
#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/tile/Passes.h"
#include "dialects/pattern/Pattern.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "runtime/core/version.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<linmu::pattern::PatternDialect, linmu::tile::TileDialect, linmu::cuda::CudaDialect,
                  mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::gpu::GPUDialect,
                  mlir::math::MathDialect, mlir::memref::MemRefDialect, mlir::vector::VectorDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  linmu::pattern::registerStepModels(registry);
  linmu::cpu::registerTarget(registry);
  mlir::registerTransformsPasses();
  linmu::registerAutodiffPasses();
  linmu::registerDerivePasses(linmu::cpu::defaultSchedule(/*cores=*/1));
  linmu::registerNormalizePasses();
  linmu::cpu::registerTargetCPUPasses();
  linmu::cuda::registerTargetCudaPasses();
  linmu::tile::registerTilePasses();
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &out) {
    out << "linmu-opt " << linmu::version() << " (LLVM " << LLVM_VERSION_STRING << ")\n";
  });
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "LinMU pass driver\n", registry));
}
