// RUN: linmu-opt %s -derive=schedule=algorithm=segmented,chunk=16,segments=4 -canonicalize -cse | FileCheck %s

!vectors = tensor<?x?x2x8xf32>
!scalars = tensor<?x?x2xf32>
!state = tensor<?x2x8x8xf32>

// Without feedback a segment's transition is the product of its decays, one number: each segment goes over those before
// it, and the last one has the final state.
// CHECK-LABEL: tile.program @decay
// CHECK-DAG: tile.temporary(%{{.*}}) : tensor<?x2x4x8x8xf32>
// CHECK-DAG: tile.temporary(%{{.*}}) : tensor<?x2x4xf32>
// CHECK: tile.kernel @segment_ends(
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<8x8xf32>, f32)
// CHECK-NOT: triangle result_lower
// CHECK-NOT: segment_entries
// CHECK: tile.kernel @segments(
// CHECK: %[[SEGMENT:.*]] = tile.block_id 1
// CHECK: %[[ENTRY:.*]] = scf.for %{{.*}} to %[[SEGMENT]]
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[ENTRY]])
// CHECK: triangle result_lower
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[SEGMENT]]
// CHECK: scf.if %[[LAST]]
// CHECK-NEXT: tile.store
// CHECK: tile.variant as "segmented(chunk=16, segments=4)" schedule = [{algorithm = "segmented", chunk = 16 : i64, segments = 4 : i64}] {
// CHECK-NEXT: tile.launch @segment_ends grid(%[[HEADS:[^,]*]], %[[SEGMENTS:[^,]*]], %[[BATCH:[^)]*]])
// CHECK-NEXT: tile.launch @segments grid(%[[HEADS]], %[[SEGMENTS]], %[[BATCH]])
func.func @decay(%r: !vectors, %k: !vectors, %v: !vectors, %g: !scalars) -> (!vectors, !state) {
  %o, %s = pattern.normal_scan tokens(%rt = %r : !vectors, %kt = %k : !vectors, %vt = %v : !vectors, %gt = %g : !scalars)
      states(%S = zero : !state) -> (!vectors)
  stage {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32):
    pattern.form key_axis 0 decay(%gt : f32) reads(%rt : tensor<8xf32>) inclusive [true]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) at []
  }
  finish {
  ^bb0(%rt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>, %gt: f32, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield outputs(%y : tensor<8xf32>)
  }
  return %o, %s : !vectors, !state
}

// With it the transition is a matrix, from the identity, by the same solve; the second kernel multiplies with
// it.
// CHECK-LABEL: tile.program @feedback
// CHECK: tile.kernel @segment_ends(
// CHECK: tile.coordinate
// CHECK: tile.solve
// CHECK: tile.solve
// CHECK: tile.kernel @segment_entries(
// CHECK: tile.dot {{.*}} init
func.func @feedback(%k: !vectors, %v: !vectors, %b: !scalars) -> !state {
  %s = pattern.normal_scan tokens(%kt = %k : !vectors, %vt = %v : !vectors, %bt = %b : !scalars)
      states(%S = zero : !state) -> ()
  stage {
  ^bb0(%kt: tensor<8xf32>, %vt: tensor<8xf32>, %bt: f32):
    pattern.form key_axis 0 reads(%kt : tensor<8xf32>) inclusive [false]
        writes(%kt : tensor<8xf32>) values(%vt : tensor<8xf32>) feedback(%bt) at [0, 0]
  }
  finish {
  ^bb0(%kt: tensor<8xf32>, %vt: tensor<8xf32>, %bt: f32, %y: tensor<8xf32>, %w: tensor<8xf32>):
    pattern.yield
  }
  return %s : !state
}
