// The gradient of a scan is one walk in reverse, whatever its form, and goes to the operands of the form.
// RUN: linmu-opt --normalize --split-scans --differentiate %s | FileCheck %s

!t = tensor<?x?x2x4xf32>
!v = tensor<4xf32>
!m = tensor<4x4xf32>
!s = tensor<?x2x4x4xf32>

// CHECK-LABEL: func.func @delta_gradient(
// CHECK: pattern.normal_scan
// CHECK: %[[D:.*]]:6, %[[DS:.*]] = pattern.scan_adjoint tokens(
// CHECK-SAME: init(%{{.*}} : tensor<?x2x4x4xf32>) read_cotangents [1](%{{.*}}) final_cotangent(%{{.*}} : tensor<?x2x4x4xf32>)
// CHECK: pattern.form key_axis 0 decay({{.*}} inclusive [false, true] {{.*}} feedback({{.*}}) at [0, 0]
// CHECK-NOT: pattern.normal_scan
// CHECK-NOT: pattern.inner_product
// What one op alone contributes is a result as it is; two contributions are added.
// CHECK: pattern.reduce %[[D]]#1, %[[D]]#3
// CHECK: return {{.*}}, %[[DS]] :
func.func @delta(%q: !t, %k: !t, %v: !t, %f: tensor<?x?x2xf32>, %s0: !s) -> (!t, !s) {
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %ft = %f : tensor<?x?x2xf32>)
      states(%S = %s0 : !s) -> (!t) {
    %a = pattern.sigmoid %ft : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %old = pattern.read %D, %kt : !m, !v
    %w = arith.subf %vt, %old : !v
    %W = pattern.outer %kt, %w : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o, %s : !t, !s
}
