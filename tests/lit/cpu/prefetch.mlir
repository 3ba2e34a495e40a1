// The rows of the next chunk are asked for line by line, between the steps of the products of this one.
// RUN: linmu-opt %s --normalize --derive=schedule=algorithm=chunked,chunk=16 --tile-to-cpu=cpu=x86-64-v4 \
// RUN:   --canonicalize --cse | FileCheck %s

// The addresses of 16 rows of four operands.
// CHECK-LABEL: func.func @chunked(
// CHECK: memref.store %{{.*}}, %[[ROWS:.*]][%{{.*}}] : memref<64xi64>
// CHECK-COUNT-3: memref.store %{{.*}}, %[[ROWS]][%{{.*}}] : memref<64xi64>

// Scores: 13 of the 16 steps of a block of rows bring a line.
// CHECK: scf.for %{{.*}} = %c0 to %c13 step %c1 iter_args
// CHECK-COUNT-32: vector.fma
// CHECK: memref.load %[[ROWS]]
// CHECK: "llvm.intr.prefetch"
// CHECK: scf.yield
// CHECK: scf.for %{{.*}} = %c52 to %c64 step %c4 iter_args
// CHECK-NOT: llvm.intr.prefetch
// CHECK: vector.store

// Reads of the state, in blocks of two panels: every step does.
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args
// CHECK-COUNT-32: vector.fma
// CHECK: "llvm.intr.prefetch"

// Writes of the state bring the rest: seven of the eight steps of its 16 blocks.
// CHECK: scf.for %{{.*}} = %c0 to %c7 step %c1 iter_args
// CHECK-COUNT-32: vector.fma
// CHECK: "llvm.intr.prefetch"

!t = tensor<?x?x4x64xf32>
func.func @plain(%q: !t, %k: !t, %v: !t) -> !t {
  %o, %s = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : tensor<?x4x64x64xf32>) -> (!t) {
    %W = pattern.outer %kt, %vt : tensor<64xf32>, tensor<64xf32>
    %S1 = arith.addf %S, %W : tensor<64x64xf32>
    %y = pattern.read %S1, %qt : tensor<64x64xf32>, tensor<64xf32>
    pattern.yield outputs(%y : tensor<64xf32>) states(%S1 : tensor<64x64xf32>)
  }
  return %o : !t
}
