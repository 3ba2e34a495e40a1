// The passes that make of a pattern the pattern of its gradients, in the order in which they run behind normalize.
#ifndef LINMU_AUTODIFF_PASSES_TD
#define LINMU_AUTODIFF_PASSES_TD

include "mlir/Pass/PassBase.td"

def SplitScans : Pass<"split-scans", "::mlir::func::FuncOp"> {
  let summary = "Takes scans in normal form apart: maps around one scan a state";
  let description = [{
    A map computes what the form of a state is made of, a `pattern.normal_scan` of that state alone gives what was
    read and written, and a map at the end computes the outputs.
  }];
  let constructor = "::linmu::createSplitScansPass()";
  let statistics = [
    Statistic<"split", "split", "Scans that were taken apart">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def Differentiate : Pass<"differentiate", "::mlir::func::FuncOp"> {
  let summary = "Makes of a function of maps, split scans and permutes the function of its gradients";
  let description = [{
    The new function takes the inputs and, for each float result, its cotangent `d_RESULT`; it gives `d_INPUT` for each
    input of `wrt`, all of floats where none are named. Gradients are built of reverse scans in normal form, maps and
    sums.
  }];
  let options = [
    ListOption<"wrt", "wrt", "std::string", "Names of the inputs that want a gradient">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def RestoreScans : Pass<"restore-scans", "::mlir::func::FuncOp"> {
  let summary = "Turns scans in normal form into scans whose step says what the form means";
  let constructor = "::linmu::createRestoreScansPass()";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif // LINMU_AUTODIFF_PASSES_TD
