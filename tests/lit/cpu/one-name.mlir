// A pattern may be named as one of its kernels is.
// RUN: linmuc %s --emit=llvm | FileCheck %s

// CHECK: define void @map.entry(
// CHECK: define internal void @map(
func.func @map(%x: tensor<?x?x2x16xf32>) -> tensor<?x?x2x16xf32> {
  %o = pattern.map tokens(%xt = %x : tensor<?x?x2x16xf32>) -> (tensor<?x?x2x16xf32>) {
    %y = math.exp %xt : tensor<16xf32>
    pattern.yield outputs(%y : tensor<16xf32>)
  }
  return %o : tensor<?x?x2x16xf32>
}
