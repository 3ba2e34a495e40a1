// The gradients of a scan by the borders of its chunks: walks for the states at the entries and for what is sent back to
// the exits, in segments or slices of columns, then all chunks at once.
// RUN: linmu-opt %s -derive=schedule=algorithm=segmented,chunk=16,segments=3 -canonicalize -cse | FileCheck %s
// RUN: linmu-opt %s -derive=schedule=algorithm=two_kernels,chunk=16,columns=4 -canonicalize -cse | FileCheck %s --check-prefix=COLUMNS

!vectors = tensor<?x?x2x8xf32>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// CHECK-LABEL: tile.program @scalar
// CHECK-DAG: %[[CHUNKS:.*]] = arith.ceildivui
// CHECK-DAG: tile.temporary(%{{.*}}, %{{.*}}) : tensor<?x2x?x8x8xf32>
// CHECK-DAG: tile.temporary(%{{.*}}) : tensor<?x2x3x8x8xf32>
// CHECK-DAG: tile.temporary(%{{.*}}) : tensor<?x2x3xf32>
// CHECK: tile.kernel @adjoint_ends
// CHECK: tile.kernel @adjoint_back_ends
// Each segment enters over the ends of those before it, and leaves the state at the entry of each chunk.
// CHECK: tile.kernel @adjoint_states
// CHECK: scf.for
// CHECK: tile.load {{.*}} tensor<?x2x3x8x8xf32>
// CHECK: scf.for {{.*}} step %c16
// CHECK: tile.store {{.*}} tensor<?x2x?x8x8xf32>
// CHECK: tile.kernel @adjoint_back
// CHECK: tile.kernel @adjoint(
// CHECK-NOT: scf.for
// CHECK: tile.variant as "segmented(chunk=16, segments=3)"
// CHECK: tile.launch @adjoint_ends
// CHECK: tile.launch @adjoint_back_ends
// CHECK: tile.launch @adjoint_states
// CHECK: tile.launch @adjoint_back
// CHECK: tile.launch @adjoint grid(%{{.*}}, %{{.*}}, %{{.*}})

// COLUMNS-LABEL: tile.program @scalar
// COLUMNS: tile.kernel @adjoint_states
// COLUMNS: tile.store {{.*}} : tensor<8x4xf32>, tensor<?x2x?x8x8xf32>
// COLUMNS: tile.variant as "two_kernels(chunk=16, columns=4)"
func.func @scalar(%r: !vectors, %k: !vectors, %v: !vectors, %g: !scalars, %d: !vectors)
    -> (!scalars, !vectors, !vectors, !vectors, !state) {
  %x:4, %s = pattern.scan_adjoint tokens(%r, %k, %v, %g : !vectors, !vectors, !vectors, !scalars)
      read_cotangents [0](%d : !vectors) -> (!scalars, !vectors, !vectors, !vectors) init !state stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  return %x#0, %x#1, %x#2, %x#3, %s : !scalars, !vectors, !vectors, !vectors, !state
}
