// The passes that bring a function of pattern ops to what derive expects, in the order in which they run.
#ifndef LINMU_NORMALIZE_PASSES_TD
#define LINMU_NORMALIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandClauses : Pass<"expand-clauses"> {
  let summary = "Turns segments and masks of scans and maps into tokens and selects of the step";
  let description = [{
    At the first token of a segment states and lags count as zero. A source mask acts on the operands that the
    step reads, and so on what tails hold in the end; an output mask on what the step yields.
  }];
  let constructor = "::linmu::createExpandClausesPass()";
  let statistics = [
    Statistic<"expanded", "expanded", "Scans and maps that had clauses">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def FoldPermutes : Pass<"fold-permutes", "::mlir::func::FuncOp"> {
  let summary = "Turns permuted tokens of a scan or map into its order, and joins permutes";
  let description = [{
    Where all tokens of a loop come out of permutes by one order and its outputs go back by that order, the loop
    walks the tokens in that order itself. An order of a map that nothing depends on is dropped.
  }];
  let constructor = "::linmu::createFoldPermutesPass()";
}

def FuseMaps : Pass<"fuse-maps", "::mlir::func::FuncOp"> {
  let summary = "Joins maps with the scans and maps beside them";
  let description = [{
    A map becomes part of the step of a loop that makes its tokens or takes its outputs. The loop keeps the
    locations of the maps that went into it in `pattern.fused`.
  }];
  let constructor = "::linmu::createFuseMapsPass()";
  let statistics = [
    Statistic<"fused", "fused", "Maps that became part of another loop">
  ];
}

def FuseIntoAdjoints : Pass<"fuse-into-adjoints", "::mlir::func::FuncOp"> {
  let summary = "Joins maps with the gradients of scans that start from what they make";
  let description = [{
    Where the stage of a `pattern.scan_adjoint` takes what a map yields, it takes what that is made of instead, as long
    as there is no more of it to read. A map that nothing else uses goes.
  }];
  let constructor = "::linmu::createFuseIntoAdjointsPass()";
  let statistics = [
    Statistic<"fused", "fused", "Gradients of scans that a map became part of">
  ];
}

def Normalize : Pass<"normalize"> {
  let summary = "Brings scans whose states are affine in themselves to the normal form";
  let description = [{
    A `pattern.scan` becomes a `pattern.normal_scan` where its step says how states decay, what is read back from
    them and what is written to them. A scan that has no such form stays, with the reason in `pattern.opaque`
    and the location of the op behind it in `pattern.opaque_at`.
  }];
  let constructor = "::linmu::createNormalizePass()";
  let statistics = [
    Statistic<"normal", "normal", "Scans in normal form">,
    Statistic<"opaque", "opaque", "Scans that stayed as they are">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

#endif // LINMU_NORMALIZE_PASSES_TD
