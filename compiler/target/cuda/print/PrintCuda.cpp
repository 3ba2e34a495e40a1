// print-cuda: programs as CUDA C++ on standard output.
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/print/Printer.h"

using namespace mlir;

namespace linmu::cuda {
#define GEN_PASS_DEF_PRINTCUDA
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

namespace {
struct PrintCuda : linmu::cuda::impl::PrintCudaBase<PrintCuda> {
  using PrintCudaBase::PrintCudaBase;

  void runOnOperation() override {
    for (auto program : getOperation().getOps<linmu::tile::ProgramOp>()) {
      FailureOr<std::vector<linmu::KernelSource>> kernels = linmu::cuda::printProgram(program, {lines});
      if (failed(kernels))
        return signalPassFailure();
      for (const linmu::KernelSource &kernel : *kernels)
        llvm::outs() << kernel.text;
    }
    markAllAnalysesPreserved();
  }
};
} // namespace
