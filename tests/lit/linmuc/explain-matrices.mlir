// A map that makes a matrix for each token says why it does not run by blocks of tokens.
// RUN: linmuc %s --explain | FileCheck %s

// CHECK: pattern @matrices
// CHECK-NEXT: map at {{.*}}explain-matrices.mlir:[[#@LINE+3]]:8, forward -> map{{$}}
// CHECK-NEXT: this op works on a matrix for each token
func.func @matrices(%x: tensor<?x?x2x4xf32>, %z: tensor<?x?x2x4x4xf32>) -> tensor<?x?x2x4x4xf32> {
  %o = pattern.map tokens(%k = %x : tensor<?x?x2x4xf32>, %M = %z : tensor<?x?x2x4x4xf32>) -> (tensor<?x?x2x4x4xf32>) {
    %W = pattern.outer %k, %k : tensor<4xf32>, tensor<4xf32>
    %S = arith.addf %W, %M : tensor<4x4xf32>
    pattern.yield outputs(%S : tensor<4x4xf32>)
  }
  return %o : tensor<?x?x2x4x4xf32>
}
