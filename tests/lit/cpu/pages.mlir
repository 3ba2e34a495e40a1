// The rows of an order lie anywhere: the first block of a group touches their pages a stretch ahead. Those of plain
// positions follow each other, and products of small heads leave no time between two rows.
// RUN: linmu-opt %s -split-input-file --normalize --derive=schedule=algorithm=chunked,chunk=16 \
// RUN:   --tile-to-cpu=cpu=x86-64-v4 --canonicalize --cse | FileCheck %s

!t = tensor<?x?x4x64xf32>
!o = tensor<?x?xi32>

// CHECK-LABEL: func.func @chunked(%arg0: index, %arg1: index
// CHECK: scf.for %[[GROUP:.*]] = %arg0 to %arg1 step %c16
// CHECK: %[[LAST:.*]] = arith.minsi
// CHECK: scf.for %[[FROM:.*]] = %c0 to %{{.*}} step %c64
// CHECK: %[[TO:.*]] = arith.minsi
// CHECK: scf.for %[[BLOCK:.*]] = %[[GROUP]] to %[[LAST]] step %c1
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[BLOCK]], %[[GROUP]]
// CHECK: scf.if %[[FIRST]]
// CHECK: scf.for %{{.*}} = %[[TO]] to %{{.*}} step %c16
// CHECK: scf.for %{{.*}} = %c0 to %c16 step %c1
// The first head's row of each operand and the last one's end; a page of 4 KiB holds what lies between.
// CHECK-COUNT-8: llvm.intr.prefetch
// CHECK-NOT: llvm.intr.prefetch
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO]] step %c16
func.func @ordered(%q: !t, %k: !t, %v: !t, %order: !o) -> !t {
  %o, %s = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : tensor<?x4x64x64xf32>)
      order(%order : !o) -> (!t) {
    %W = pattern.outer %kt, %vt : tensor<64xf32>, tensor<64xf32>
    %S1 = arith.addf %S, %W : tensor<64x64xf32>
    %y = pattern.read %S1, %qt : tensor<64x64xf32>, tensor<64xf32>
    pattern.yield outputs(%y : tensor<64xf32>) states(%S1 : tensor<64x64xf32>)
  }
  return %o : !t
}

// -----

!t = tensor<?x?x4x64xf32>

// CHECK-LABEL: func.func @chunked(%arg0: index, %arg1: index
// CHECK: scf.for %[[FROM:.*]] = %c0 to %{{.*}} step %c64
// CHECK: %[[TO:.*]] = arith.minsi
// CHECK-NOT: llvm.intr.prefetch
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO]] step %c16
func.func @plain(%q: !t, %k: !t, %v: !t, %init: tensor<?x4x64x64xf32>) -> !t {
  %o, %s = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = %init : tensor<?x4x64x64xf32>) -> (!t) {
    %W = pattern.outer %kt, %vt : tensor<64xf32>, tensor<64xf32>
    %S1 = arith.addf %S, %W : tensor<64x64xf32>
    %y = pattern.read %S1, %qt : tensor<64x64xf32>, tensor<64xf32>
    pattern.yield outputs(%y : tensor<64xf32>) states(%S1 : tensor<64x64xf32>)
  }
  return %o : !t
}

// -----

!u = tensor<?x?x4x16xf32>
!o = tensor<?x?xi32>

// CHECK-LABEL: func.func @chunked(%arg0: index, %arg1: index
// CHECK: scf.for %[[FROM:.*]] = %c0 to %{{.*}} step %c64
// CHECK: %[[TO:.*]] = arith.minsi
// CHECK-NOT: llvm.intr.prefetch
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[TO]] step %c16
func.func @small(%q: !u, %k: !u, %v: !u, %order: !o) -> !u {
  %o, %s = pattern.scan
      tokens(%qt = %q : !u, %kt = %k : !u, %vt = %v : !u)
      states(%S = zero : tensor<?x4x16x16xf32>)
      order(%order : !o) -> (!u) {
    %W = pattern.outer %kt, %vt : tensor<16xf32>, tensor<16xf32>
    %S1 = arith.addf %S, %W : tensor<16x16xf32>
    %y = pattern.read %S1, %qt : tensor<16x16xf32>, tensor<16xf32>
    pattern.yield outputs(%y : tensor<16xf32>) states(%S1 : tensor<16x16xf32>)
  }
  return %o : !u
}
