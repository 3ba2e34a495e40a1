// The gradients of a scan: a kernel for the states at the entries of chunks, and one that walks back over them.
// RUN: linmu-opt %s -derive=schedule=algorithm=chunked,chunk=16 -canonicalize -cse | FileCheck %s
// RUN: linmu-opt %s -derive=schedule=algorithm=recurrent -canonicalize -cse | FileCheck %s --check-prefix=ONE

!vectors = tensor<?x?x2x8xf32>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// CHECK-LABEL: tile.program @scalar
// CHECK: %[[CHUNKS:.*]] = arith.ceildivui
// CHECK: %[[ENTRIES:.*]] = tile.temporary(%{{.*}}, %[[CHUNKS]]) : tensor<?x2x?x8x8xf32>
// CHECK: tile.kernel @adjoint_states
// CHECK: scf.for {{.*}} step %c16{{.*}} iter_args
// CHECK: tile.store {{.*}} tensor<?x2x?x8x8xf32>
// CHECK: tile.kernel @adjoint
// The last chunk comes first, and is the one that may be short.
// CHECK: scf.for
// CHECK: arith.subi
// CHECK: tile.load {{.*}} tensor<?x2x?x8x8xf32>
// Sums of what crosses a token: nothing is subtracted from them.
// CHECK: tile.transpose
// CHECK: tile.cumsum exclusive
// CHECK: tile.store
// CHECK-NOT: arith.subf
// CHECK: tile.variant as "chunked(chunk=16)"
// CHECK: tile.launch @adjoint_states
// CHECK: tile.launch @adjoint

// ONE-LABEL: tile.program @scalar
// The states of one chunk, token by token, are all that is kept beside the entries of the chunks.
// ONE: tile.temporary({{.*}}) : tensor<?x2x?x8x8xf32>
// ONE: tile.temporary({{.*}}) : tensor<?x2x16x8x8xf32>
// ONE: tile.kernel @adjoint
// ONE: !tile.range<1>
// ONE: tile.variant as "recurrent"
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

// Feedback: the inverse of the forward system, transposed. By row: paths across the decays are an op of tiles.
// CHECK-LABEL: tile.program @feedback
// CHECK: tile.kernel @adjoint(
// CHECK-DAG: tile.solve
// CHECK-DAG: tile.dot transpose_lhs
// CHECK-DAG: tile.decay_values
// The decay's gradient comes last.
// CHECK: tile.decay_paths
func.func @feedback(%r: !vectors, %k: !vectors, %v: !vectors, %g: !vectors, %m: !scalars, %d: !vectors)
    -> (!vectors, !vectors, !scalars) {
  %x:6, %s = pattern.scan_adjoint tokens(%r, %k, %v, %g, %m : !vectors, !vectors, !vectors, !vectors, !scalars)
      read_cotangents [1](%d : !vectors)
      -> (!vectors, !vectors, !vectors, !vectors, !vectors, !scalars) init !state stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>, %mt: f32):
    pattern.form key_axis 0 decay(%gt : tensor<8xf32>) reads(%kt, %rt : tensor<8xf32>, tensor<8xf32>) inclusive [false, true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) feedback(%mt) at [0, 0]
  }
  return %x#0, %x#2, %x#5 : !vectors, !vectors, !scalars
}

// By value there is no system; scores see no decay.
// CHECK-LABEL: tile.program @by_value
// CHECK: tile.kernel @adjoint(
// CHECK: tile.decay_scores
// CHECK-NOT: tile.solve
func.func @by_value(%r: !vectors, %k: !vectors, %v: !vectors, %g: !vectors, %d: !vectors)
    -> (!vectors, !vectors, !vectors) {
  %x:4, %s = pattern.scan_adjoint tokens(%r, %k, %v, %g : !vectors, !vectors, !vectors, !vectors)
      read_cotangents [0](%d : !vectors) -> (!vectors, !vectors, !vectors, !vectors) init !state stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: tensor<8xf32>):
    pattern.form key_axis 0 value_decay(%gt : tensor<8xf32>) reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  return %x#0, %x#1, %x#3 : !vectors, !vectors, !vectors
}
