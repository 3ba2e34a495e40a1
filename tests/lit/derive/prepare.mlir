// What no state has a part in is made for all chunks by a launch of its own: the inverse of the system, the scores of the
// read that the outputs use, and the decays. The walk solves nothing.
// RUN: linmu-opt %s -derive=schedule=algorithm=chunked,chunk=16,prepare=1 -canonicalize -cse | FileCheck %s

!vectors = tensor<?x?x2x8xf32>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// CHECK-LABEL: tile.program @delta
// CHECK: tile.temporary(%{{.*}}) : tensor<?x?x2x16xf32>
// CHECK: tile.temporary(%{{.*}}) : tensor<?x?x2x16xf32>
// CHECK: tile.temporary(%{{.*}}) : tensor<?x?x2xf32>
// CHECK: tile.temporary(%{{.*}}) : tensor<?x?x2xf32>
// CHECK: tile.temporary(%{{.*}}) : tensor<?x?x2xf32>
// CHECK: tile.kernel @chunked(
// CHECK: scf.for
// CHECK-NOT: tile.solve
// CHECK-NOT: tile.cumsum
// CHECK: tile.dot %{{.*}}, %{{.*}} triangle lhs_lower
// CHECK: tile.kernel @prepare(
// CHECK-NOT: scf.for
// CHECK: %[[INVERSE:.*]] = tile.inverse
// CHECK: tile.store %[[INVERSE]]
// CHECK: tile.variant as "chunked(chunk=16, prepare=1)" schedule = [{algorithm = "chunked", chunk = 16 : i64, prepare = 1 : i64}] {
// CHECK-NEXT: tile.launch @prepare grid(%[[HEADS:[^,]*]], %{{[^,]*}}, %[[BATCH:[^)]*]])
// CHECK-NEXT: tile.launch @chunked grid(%[[HEADS]], %[[BATCH]])
func.func @delta(%r: !vectors, %k: !vectors, %v: !vectors, %g: !scalars, %b: !scalars) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !scalars, %bt = %b : !scalars)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %bt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%kt, %rt : tensor<8xf32>, tensor<8xf32>) inclusive [false, true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) feedback(%bt) at [0, 0]
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %bt: f32, %u: tensor<8xf32>, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}
