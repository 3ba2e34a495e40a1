// Up to 16 blocks walk 64 tokens each, then the next 64. States wait in slots of the workspace: they are set before
// the first stretch and stored after the last one.
// RUN: linmu-opt %s --normalize --derive=schedule=algorithm=chunked,chunk=16 --tile-to-cpu=cpu=x86-64-v3 \
// RUN:   --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @chunked(%{{.*}}: index, %{{.*}}: index
// CHECK-SAME: linmu.blocks_together = 16
// CHECK: scf.for %[[GROUP:.*]] = %arg0 to %arg1 step %c16
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: scf.for %[[FROM:.*]] = %c0 to %{{.*}} step %c64
// CHECK: %[[TO:.*]] = arith.minsi
// CHECK: scf.for %[[BLOCK:.*]] = %[[GROUP]] to %[[LAST]] step %c1
// CHECK: %[[SLOT:.*]] = arith.subi %[[BLOCK]], %[[GROUP]]
// CHECK: arith.muli %[[SLOT]], %c4096
// CHECK: scf.if
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO]] step %c16
// CHECK: scf.if

!t = tensor<?x?x4x32xf32>
!s = tensor<?x4x32x32xf32>
func.func @plain(%q: !t, %k: !t, %v: !t) -> (!t, !s) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %kt, %vt : tensor<32xf32>, tensor<32xf32>
    %S1 = arith.addf %S, %W : tensor<32x32xf32>
    %y = pattern.read %S1, %qt : tensor<32x32xf32>, tensor<32xf32>
    pattern.yield outputs(%y : tensor<32xf32>) states(%S1 : tensor<32x32xf32>)
  }
  return %o, %s : !t, !s
}
