// Up to 16 blocks walk 64 tokens each, then the next 64: a loop over groups of blocks, one over stretches of the
// tokens, one over the blocks of the group, and the walk itself. States wait in slots of the workspace.
// RUN: linmuc %s --emit=llvm --schedule=algorithm=chunked | FileCheck %s

// CHECK-LABEL: define internal void @chunked(
// CHECK: add {{.*}}, 16
// CHECK: add {{.*}}, 64
// 32 x 32 f32 a slot
// CHECK: mul {{.*}}, 4096

!t = tensor<?x?x4x32xf32>
func.func @plain(%q: !t, %k: !t, %v: !t) -> !t {
  %o, %s = pattern.scan
      tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : tensor<?x4x32x32xf32>) -> (!t) {
    %W = pattern.outer %kt, %vt : tensor<32xf32>, tensor<32xf32>
    %S1 = arith.addf %S, %W : tensor<32x32xf32>
    %y = pattern.read %S1, %qt : tensor<32x32xf32>, tensor<32xf32>
    pattern.yield outputs(%y : tensor<32xf32>) states(%S1 : tensor<32x32xf32>)
  }
  return %o : !t
}
