// lower-tile-to-cpu: the kernels of tile.programs as functions of vector, memref and scf.
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace linmu;

namespace {
struct LowerTileToCPU : PassWrapper<LowerTileToCPU, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerTileToCPU)
  LowerTileToCPU() = default;
  LowerTileToCPU(const LowerTileToCPU &other) : PassWrapper(other) {}

  Option<std::string> cpu{*this, "cpu",
                          llvm::cl::desc("LLVM's name of the CPU; default: the machine at hand")};

  StringRef getArgument() const override { return "lower-tile-to-cpu"; }
  StringRef getDescription() const override {
    return "Lowers the kernels of tile.programs to functions of vector, memref and scf";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<func::FuncDialect, LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect,
                    scf::SCFDialect, vector::VectorDialect>();
  }
  void runOnOperation() override {
    if (!cpu.empty() && !cpu::Machine::isKnown(cpu)) {
      getOperation().emitError("lower-tile-to-cpu: requires cpu to be one that LLVM knows, got '")
          << cpu << "'";
      return signalPassFailure();
    }
    cpu::Machine machine = cpu::Machine::named(cpu);
    for (tile::ProgramOp program : llvm::make_early_inc_range(getOperation().getOps<tile::ProgramOp>())) {
      if (failed(cpu::lowerKernels(program, machine)))
        return signalPassFailure();
      program.erase();
    }
  }
};
} // namespace

void linmu::registerTargetCPUPasses() {
  registerPass([]() -> std::unique_ptr<Pass> { return std::make_unique<LowerTileToCPU>(); });
}
