// The pass that turns a pattern into a program of block kernels.
#ifndef LINMU_DERIVE_PASSES_TD
#define LINMU_DERIVE_PASSES_TD

include "mlir/Pass/PassBase.td"

def Derive : Pass<"derive", "::mlir::ModuleOp"> {
  let summary = "Turns each function of pattern ops into a tile.program for one schedule";
  let description = [{
    Expects functions after `expand-clauses`, `fuse-maps` and `normalize`: no clause for segments or masks is
    left. Scans in normal form become chunked kernels and, for short sequences, recurrent ones; other scans
    recurrent ones; windows, maps, permutations and token orders one kernel each.
  }];
  let constructor = "::linmu::createDerivePass(target)";
  let options = [
    Option<"schedule", "schedule", "std::string", "",
           "KEY=VALUE,... over the target's choices; compiler/schedule/key_space.cpp declares the keys">
  ];
  let statistics = [
    Statistic<"kernels", "kernels", "Kernels made">
  ];
  let dependentDialects = ["::linmu::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // LINMU_DERIVE_PASSES_TD
