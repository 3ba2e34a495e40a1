// The rows of the next chunk are asked for a few at a time, between the products of this one.
// RUN: linmuc %s --emit=llvm --schedule=algorithm=chunked | FileCheck %s

// CHECK-LABEL: define internal void @chunked(
// CHECK: call void @llvm.prefetch{{.*}}(ptr {{.*}}, i32 0, i32 2, i32 1)
// CHECK: fmuladd
// CHECK: call void @llvm.prefetch
// CHECK: fmuladd
// CHECK: call void @llvm.prefetch
// CHECK: fmuladd

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
