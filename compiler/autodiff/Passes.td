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
  let summary = "Makes of a function of maps, split scans, windows and permutes the function of its gradients";
  let description = [{
    The new function takes the inputs and, for each result of `of`, its cotangent `d_RESULT`; it gives `d_INPUT` for each
    input of `wrt`. Where none are named these are all of floats. Gradients are built of
    `scan_adjoint`, `window_adjoint`, maps and sums.
  }];
  let options = [
    ListOption<"wrt", "wrt", "std::string", "Names of the inputs that want a gradient">,
    ListOption<"of", "of", "std::string", "Names of the results that have a cotangent; it is zero for others">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def RestoreScans : Pass<"restore-scans", "::mlir::func::FuncOp"> {
  let summary = "Turns scans in normal form into scans whose step says what the form means";
  let constructor = "::linmu::createRestoreScansPass()";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def DropUnused : Pass<"drop-unused", "::mlir::func::FuncOp"> {
  let summary = "Takes from scans and maps the outputs, states and operands that nothing needs";
  let description = [{
    A gradient computes the forward pass again, but needs part of it only. A state goes where its final value has no
    use and nothing that stays reads it; a scan that loses its last one is a map. An output that is a token operand as
    it is goes as well: that operand stands for it. Loops with masks or segments stay as
    they are: `expand-clauses` comes before.
  }];
  let constructor = "::linmu::createDropUnusedPass()";
  let statistics = [
    Statistic<"shrunk", "shrunk", "Scans and maps that lost something">,
    Statistic<"erased", "erased", "Ops that nothing used">
  ];
}

#endif // LINMU_AUTODIFF_PASSES_TD
