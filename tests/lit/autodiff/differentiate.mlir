// The gradient of a map and of a permute: the step backwards, sums of params, lags in the other direction.
// RUN: linmu-opt --differentiate --canonicalize --cse %s | FileCheck %s
// RUN: linmu-opt --pass-pipeline='builtin.module(func.func(differentiate{wrt=x}),canonicalize)' %s | FileCheck %s --check-prefix=WRT

!t = tensor<?x?x2x4xf32>
!v = tensor<4xf32>

// CHECK-LABEL: func.func @scaled_gradient(
// CHECK-SAME: %[[X:.*]]: tensor<?x?x2x4xf32> {pattern.name = "x"}, %[[W:.*]]: tensor<1x4xf32> {pattern.name = "w"}, %[[D:.*]]: tensor<?x?x2x4xf32> {pattern.name = "d_y"})
// CHECK-SAME: {pattern.name = "d_x"}, tensor<1x4xf32> {pattern.name = "d_w"}
// The sum over the tokens is a state, and that over batch and heads a reduce.
// CHECK: %[[DX:.*]], %[[SUM:.*]] = pattern.scan
// CHECK: arith.mulf
// CHECK: %[[RX:.*]] = pattern.reduce %[[DX]] : tensor<?x?x2x4xf32> -> tensor<?x?x2x4xf32>
// CHECK: %[[RW:.*]] = pattern.reduce %[[SUM]] : tensor<?x2x4xf32> -> tensor<1x4xf32>
// CHECK: return %[[RX]], %[[RW]]
// WRT-LABEL: func.func @scaled_gradient(
// WRT-NOT: pattern.scan
// WRT: pattern.map
// WRT: return %{{.*}} : tensor<?x?x2x4xf32>
func.func @scaled(%x: !t {pattern.name = "x"}, %w: tensor<1x4xf32> {pattern.name = "w"})
    -> (!t {pattern.name = "y"}) {
  %y = pattern.map params(%wt = %w : tensor<1x4xf32>) tokens(%xt = %x : !t) -> (!t) {
    %z = arith.mulf %xt, %wt : !v
    pattern.yield outputs(%z : !v)
  }
  return %y : !t
}

// CHECK-LABEL: func.func @lagged_gradient(
// CHECK: pattern.map reverse
// CHECK: pattern.lag %{{.*}} by 2
// CHECK: pattern.permute inverse
// WRT-LABEL: func.func @lagged_gradient(
func.func @lagged(%x: !t {pattern.name = "x"}, %i: tensor<?x?xi32>) -> !t {
  %p = pattern.permute %x order(%i : tensor<?x?xi32>) : !t
  %y = pattern.map tokens(%xt = %p : !t) -> (!t) {
    %before = pattern.lag %xt by 2 : !v
    %z = arith.addf %xt, %before : !v
    pattern.yield outputs(%z : !v)
  }
  return %y : !t
}

// An input that nothing depends on has a gradient of zeros.
// CHECK-LABEL: func.func @unused_gradient(
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<4xf32>
// CHECK: pattern.yield outputs(%[[ZERO]]
// WRT-LABEL: func.func @unused_gradient(
func.func @unused(%x: !t {pattern.name = "x"}, %y: !t {pattern.name = "y"}) -> !t {
  %o = pattern.map tokens(%xt = %x : !t) -> (!t) {
    pattern.yield outputs(%xt : !v)
  }
  return %o : !t
}
