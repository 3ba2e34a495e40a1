// Clauses come in any order; the op is the same, and prints in one order.
// RUN: linmu-opt %s | FileCheck %s
!t = tensor<?x?x2x4xf32>
!s = tensor<?x2x4xf32>
!v = tensor<4xf32>

// CHECK-LABEL: @scan
// CHECK: pattern.scan reverse
// CHECK-NEXT: params(%[[W:.*]] = %arg2 : tensor<2x4xf32>)
// CHECK-NEXT: tokens(%[[X:.*]] = %arg0 : tensor<?x?x2x4xf32>, %[[Z:.*]] = %arg0 tail %arg6 : tensor<?x?x2x4xf32>, tensor<?x1x2x4xf32>)
// CHECK-NEXT: states(%[[S:.*]] = %arg1 : tensor<?x2x4xf32>)
// CHECK-NEXT: order(%arg3 : tensor<?x?xi32>)
// CHECK-NEXT: segments(%arg4 : tensor<?x?xi32>)
// CHECK-NEXT: source_mask(%arg5 : tensor<?x?xi1>) zeroes(%[[X]])
// CHECK-NEXT: -> (tensor<?x?x2x4xf32>)
// CHECK: arith.mulf %[[X]], %[[W]]
// CHECK: arith.addf %[[S]],
// CHECK: pattern.yield outputs(%[[Y:.*]] : tensor<4xf32>) states(%{{.*}} : tensor<4xf32>)
func.func @scan(%x: !t, %s0: !s, %w: tensor<2x4xf32>, %i: tensor<?x?xi32>, %id: tensor<?x?xi32>,
                %m: tensor<?x?xi1>, %tail: tensor<?x1x2x4xf32>) -> !t {
  %o, %s, %u = pattern.scan -> (!t) zeroes(%xt) segments(%id : tensor<?x?xi32>) states(%S = %s0 : !s)
      source_mask(%m : tensor<?x?xi1>) order(%i : tensor<?x?xi32>)
      tokens(%xt = %x : !t, %zt = %x tail %tail : !t, tensor<?x1x2x4xf32>) reverse params(%wt = %w : tensor<2x4xf32>) {
    %a = arith.mulf %xt, %wt : !v
    %b = pattern.lag %zt by 1 : !v
    %c = arith.addf %a, %b : !v
    %S1 = arith.addf %S, %c : !v
    pattern.yield states(%S1 : !v) outputs(%c : !v)
  }
  return %o : !t
}

// The tail of the segments comes after those of the tokens, whichever clause stands first.
// CHECK-LABEL: @tails
// CHECK: %[[O:.*]], %[[T:.*]]:2 = pattern.map
// CHECK-NEXT: tokens(%{{.*}} = %arg0 tail %arg1 : tensor<?x?x2x4xf32>, tensor<?x1x2x4xf32>)
// CHECK-NEXT: segments(%arg2 tail %arg3 : tensor<?x?xi32>, tensor<?x1xi32>)
// CHECK-NEXT: -> (tensor<?x?x2x4xf32>) {
// CHECK: return %[[O]], %[[T]]#0, %[[T]]#1 : tensor<?x?x2x4xf32>, tensor<?x1x2x4xf32>, tensor<?x1xi32>
func.func @tails(%x: !t, %tail: tensor<?x1x2x4xf32>, %id: tensor<?x?xi32>, %id0: tensor<?x1xi32>)
    -> (!t, tensor<?x1x2x4xf32>, tensor<?x1xi32>) {
  %o, %u, %id1 = pattern.map segments(%id tail %id0 : tensor<?x?xi32>, tensor<?x1xi32>) -> (!t)
      tokens(%xt = %x tail %tail : !t, tensor<?x1x2x4xf32>) {
    %b = pattern.lag %xt by 1 : !v
    pattern.yield outputs(%b : !v)
  }
  return %o, %u, %id1 : !t, tensor<?x1x2x4xf32>, tensor<?x1xi32>
}

// CHECK-LABEL: @window
// CHECK: pattern.window_attention %arg0, %arg0, %arg0 media(%arg1 : tensor<?x4xi32>) window [1, 2, 2] shift [0, 1, 1] scale 2.500000e-01 wrap joined : (tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
func.func @window(%q: !t, %m: tensor<?x4xi32>) -> !t {
  %o = pattern.window_attention %q, %q, %q wrap joined scale 0.25 shift [0, 1, 1] window [1, 2, 2]
      media(%m : tensor<?x4xi32>) : (!t, !t, !t) -> !t
  return %o : !t
}
