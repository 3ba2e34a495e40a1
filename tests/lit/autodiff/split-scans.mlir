// A scan in normal form, taken apart and written as a pattern again.
// RUN: linmu-opt --normalize --split-scans %s | FileCheck %s
// RUN: linmu-opt --normalize --split-scans --restore-scans %s | FileCheck %s --check-prefix=RESTORED

!t = tensor<?x?x2x4xf32>
!v = tensor<4xf32>
!m = tensor<4x4xf32>

// CHECK-LABEL: func.func @gated(
// The decay is computed, keys and values are operands.
// CHECK: %[[G:.*]] = pattern.map
// CHECK: %[[Y:.*]]:2, %[[S:.*]] = pattern.normal_scan
// CHECK-NEXT: tokens(%{{.*}} = %[[G]] : tensor<?x?x2xf32>, %{{.*}} = %arg0 : {{.*}}, %{{.*}} = %arg1
// CHECK: pattern.form key_axis 0 decay(
// CHECK: finish
// CHECK: %[[O:.*]] = pattern.map
// CHECK: %[[Y]]#0
// CHECK: math.tanh
// CHECK: return %[[O]], %[[S]]
// RESTORED-LABEL: func.func @gated(
// RESTORED: pattern.scan
// RESTORED: %[[KNOWN:.*]] = pattern.assume %{{.*}} in [0xFFF0000000000000, 0.000000e+00] : f32
// RESTORED: math.exp %[[KNOWN]]
// RESTORED: pattern.outer
// RESTORED: pattern.read
// RESTORED-NOT: normal_scan
func.func @gated(%q: !t, %k: !t, %f: tensor<?x?x2xf32>) -> (!t, tensor<?x2x4x4xf32>) {
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %ft = %f : tensor<?x?x2xf32>)
      states(%S = zero : tensor<?x2x4x4xf32>) -> (!t) {
    %a = pattern.sigmoid %ft : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %kt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    %z = math.tanh %y : !v
    pattern.yield outputs(%z : !v) states(%S1 : !m)
  }
  return %o, %s : !t, tensor<?x2x4x4xf32>
}

// A decay of either sign: its sign is an operand as well, and the step chooses by it. Rows and columns have one each.
// CHECK-LABEL: func.func @signed(
// CHECK: %[[OF:.*]]:3 = pattern.map
// CHECK: pattern.normal_scan
// CHECK: pattern.form key_axis 0 decay(%{{.*}} : tensor<4xf32>) sign(%{{.*}} : tensor<4xf32>) value_decay(
// RESTORED-LABEL: func.func @signed(
// RESTORED: pattern.scan
// RESTORED: %[[SIZE:.*]] = math.exp
// RESTORED: %[[NEGATIVE:.*]] = arith.cmpf olt
// RESTORED: %[[OTHER:.*]] = arith.negf %[[SIZE]]
// RESTORED: %[[FACTOR:.*]] = arith.select %[[NEGATIVE]], %[[OTHER]], %[[SIZE]]
// RESTORED: %[[ROWS:.*]] = pattern.broadcast %[[FACTOR]] along 0
// RESTORED: %[[KEPT:.*]] = arith.mulf %[[ROWS]]
// RESTORED: %[[COLUMNS:.*]] = pattern.broadcast %{{.*}} along 1
// RESTORED: arith.mulf %[[COLUMNS]], %[[KEPT]]
func.func @signed(%k: !t, %f: !t, %g: !t) -> (!t, tensor<?x2x4x4xf32>) {
  %o, %s = pattern.scan tokens(%kt = %k : !t, %ft = %f : !t, %gt = %g : !t)
      states(%S = zero : tensor<?x2x4x4xf32>) -> (!t) {
    %a = math.tanh %ft : !v
    %b = pattern.sigmoid %gt : !v
    %A = pattern.outer %a, %b : !v, !v
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %kt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %kt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o, %s : !t, tensor<?x2x4x4xf32>
}
