// A scan that is fed back has no segments: its systems are inverted for all chunks before, and walks in slices of columns
// leave what the writes put into the state and its gradients.
// RUN: linmu-opt %s -derive=schedule=algorithm=two_kernels,chunk=16,columns=4,prepare=1 -canonicalize -cse | FileCheck %s
// RUN: not linmu-opt %s -derive=schedule=algorithm=segmented 2>&1 | FileCheck %s --check-prefix=REFUSED

!vectors = tensor<?x?x2x8xf32>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// CHECK-LABEL: tile.program @feedback
// CHECK: tile.kernel @prepare
// CHECK: tile.inverse
// CHECK: tile.kernel @adjoint_states
// CHECK-NOT: tile.solve
// CHECK: tile.store {{.*}} : tensor<16x4xf32>, tensor<?x?x2x8xf32>
// CHECK: tile.kernel @adjoint_back
// CHECK-NOT: tile.solve
// CHECK: tile.kernel @adjoint(
// CHECK-NOT: tile.solve
// CHECK: tile.variant as "two_kernels(chunk=16, columns=4, prepare=1)"
// REFUSED: cannot run segmented as the schedule says: its state is fed back; write algorithm=two_kernels
func.func @feedback(%r: !vectors, %k: !vectors, %v: !vectors, %g: !scalars, %m: !scalars, %d: !vectors)
    -> (!scalars, !vectors, !scalars) {
  %x:6, %s = pattern.scan_adjoint tokens(%r, %k, %v, %g, %m : !vectors, !vectors, !vectors, !scalars, !scalars)
      read_cotangents [1](%d : !vectors)
      -> (!scalars, !vectors, !vectors, !vectors, !vectors, !scalars) init !state stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %mt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%kt, %rt : tensor<8xf32>, tensor<8xf32>) inclusive [false, true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) feedback(%mt) at [0, 0]
  }
  return %x#0, %x#2, %x#5 : !scalars, !vectors, !scalars
}
