// The gradient of windows is one op, which takes the score's derivative with it.
// RUN: linmu-opt --normalize --split-scans --differentiate %s | FileCheck %s

!q = tensor<?x?x4x8xbf16>
!k = tensor<?x?x2x8xbf16>
!v = tensor<?x?x1x6xf32>
!o = tensor<?x?x4x6xbf16>

// CHECK-LABEL: func.func @plain_gradient(
// CHECK: %[[Q:.*]], %[[K:.*]], %[[V:.*]] = pattern.window_adjoint %arg0, %arg1, %arg2, %arg4 media(%arg3 : tensor<?x4xi32>)
// CHECK-SAME: window [1, 4, 4] shift [0, 2, 2] scale 5.000000e-01 wrap joined
// CHECK-SAME: -> (tensor<?x?x4x8xbf16>, tensor<?x?x2x8xbf16>, tensor<?x?x1x6xf32>)
// CHECK-NOT: score
// CHECK: return %[[Q]], %[[K]], %[[V]] :
func.func @plain(%q: !q, %k: !k, %v: !v, %m: tensor<?x4xi32>) -> !o {
  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window [1, 4, 4] shift [0, 2, 2]
      scale 0.5 wrap joined : (!q, !k, !v) -> !o
  return %o : !o
}

// A score that is chosen sends back to what was chosen; coordinates get nothing.
// CHECK-LABEL: func.func @masked_gradient(
// CHECK: pattern.window_adjoint
// CHECK-SAME: score {
// CHECK: arith.select
// CHECK-NEXT: pattern.yield outputs(%{{.*}} : f32)
// CHECK-NEXT: } gradient {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %[[T:.*]]: i32, %{{.*}}: i32, %{{.*}}: i32, %[[KT:.*]]: i32, %{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32, %[[D:.*]]: f32):
// CHECK: %[[TANH:.*]] = math.tanh %[[S]]
// CHECK: %[[LATER:.*]] = arith.cmpi slt, %[[T]], %[[KT]]
// CHECK: %[[SENT:.*]] = arith.select %[[LATER]], %{{.*}}, %[[D]] : f32
// CHECK: %[[SQUARE:.*]] = arith.mulf %[[TANH]], %[[TANH]]
// CHECK: %[[SLOPE:.*]] = arith.subf %{{.*}}, %[[SQUARE]]
// CHECK: %[[BACK:.*]] = arith.mulf %[[SENT]], %[[SLOPE]]
// CHECK: pattern.yield outputs(%[[BACK]] : f32)
func.func @masked(%q: !q, %k: !k, %v: !v, %m: tensor<?x4xi32>) -> !o {
  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window [1, 4, 4] shift [0, 2, 2]
      scale 0.5 wrap joined : (!q, !k, !v) -> !o {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    %c = math.tanh %s : f32
    %never = arith.constant 0xFF800000 : f32
    %later = arith.cmpi slt, %qt, %kt : i32
    %seen = arith.select %later, %never, %c : f32
    pattern.yield outputs(%seen : f32)
  }
  return %o : !o
}

// What the score does not depend on gets nothing.
// CHECK-LABEL: func.func @constant_gradient(
// CHECK: } gradient {
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT: pattern.yield outputs(%[[ZERO]] : f32)
func.func @constant(%q: !q, %k: !k, %v: !v, %m: tensor<?x4xi32>) -> !o {
  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window [1, 4, 4] shift [0, 2, 2]
      scale 0.5 wrap joined : (!q, !k, !v) -> !o {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    %f = arith.sitofp %head : i32 to f32
    pattern.yield outputs(%f : f32)
  }
  return %o : !o
}
