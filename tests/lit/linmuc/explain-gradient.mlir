// What runs for a gradient: the walk back over the scan, with the scan's form.
// RUN: linmuc %s --gradient --explain | FileCheck %s
// RUN: linmuc %s --gradient --explain --schedule=algorithm=recurrent | FileCheck %s --check-prefix=ONE

!t = tensor<?x?x2x16xf32>
// CHECK: scan_adjoint at <gradient of {{.*}}, reverse -> chunked(chunk=16)
// CHECK-NEXT: state #0 (16x16): decay scalar, 1 writes, 0 reads before and 1 after them, no feedback
// CHECK: tokens < 16 -> {{.*}}recurrent
// CHECK: otherwise -> {{.*}}chunked(chunk=16){{.*}} by {{.*}}adjoint_states[2, batch]{{.*}}adjoint[2, batch]
// ONE: scan_adjoint at {{.*}}, reverse -> recurrent
func.func @retention(%q: !t, %k: !t, %v: !t) -> !t {
  %o, %s = pattern.scan reverse tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t)
      states(%S = zero : tensor<?x2x16x16xf32>) -> (!t) {
    %A = arith.constant dense<0.9> : tensor<16x16xf32>
    %D = arith.mulf %A, %S : tensor<16x16xf32>
    %W = pattern.outer %kt, %vt : tensor<16xf32>, tensor<16xf32>
    %S1 = arith.addf %D, %W : tensor<16x16xf32>
    %y = pattern.read %S1, %qt : tensor<16x16xf32>, tensor<16xf32>
    pattern.yield outputs(%y : tensor<16xf32>) states(%S1 : tensor<16x16xf32>)
  }
  return %o : !t
}
