// RUN: linmu-opt %s -derive | FileCheck %s

// A state that nothing uses afterwards has no memory, and an op that nothing uses no kernel.
// CHECK-LABEL: tile.program @f
// CHECK-NOT: tile.temporary
// CHECK: tile.kernel @recurrent(%{{[^:]*}}: tensor<?x?x2xf32>, %{{[^:]*}}: tensor<?x?x2xf32>) {
// CHECK-NOT: tile.kernel
func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %o, %s = pattern.scan tokens(%xt = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2xf32>) -> (tensor<?x?x2xf32>) {
    %S1 = arith.addf %S, %xt : f32
    pattern.yield outputs(%S1 : f32) states(%S1 : f32)
  }
  %dead = pattern.map tokens(%xt = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%xt : f32)
  }
  return %o : tensor<?x?x2xf32>
}
