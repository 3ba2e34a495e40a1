// A sequence of a ragged batch, backwards from its last token.
// RUN: linmu-opt %s -derive -canonicalize -cse | FileCheck %s

!t = tensor<?x?x1x64xf32>
!v = tensor<64xf32>

// CHECK: tile.kernel @recurrent(
// CHECK: %[[N:.*]] = arith.subi %{{.*}}, %[[BEGIN:.*]] : index
// CHECK: scf.for %[[P:.*]] = %c0 to %[[N]] step %c1
// CHECK: %[[LAST:.*]] = arith.subi %[[N]], %c1
// CHECK: %[[BACK:.*]] = arith.subi %[[LAST]], %[[P]]
// CHECK: arith.addi %[[BEGIN]], %[[BACK]]
func.func @reverse(%x: !t, %cu: tensor<?xi32>) -> !t {
  %o, %s = pattern.scan reverse tokens(%xt = %x : !t) states(%S = zero : tensor<?x1x64xf32>)
      sequences(%cu : tensor<?xi32>) -> (!t) {
    %t = math.tanh %S : !v
    %S1 = arith.addf %t, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}
