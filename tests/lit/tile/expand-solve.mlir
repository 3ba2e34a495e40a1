// Solves: forward by blocks of rows, or an inverse and products with it.
// RUN: linmu-opt %s -expand-macro-ops=sub-chunk=2 | FileCheck %s --implicit-check-not=tile.solve --implicit-check-not=tile.inverse
// RUN: linmu-opt %s -expand-macro-ops="ops=solve solve-by-inverse=true" | FileCheck %s --check-prefix=INVERSE --implicit-check-not=tile.solve
// RUN: linmu-opt %s -expand-macro-ops=solve-by-inverse=true | FileCheck %s --check-prefix=BOTH --implicit-check-not=tile.solve --implicit-check-not=tile.inverse
// RUN: linmu-opt %s -expand-macro-ops="ops=inverse solve-by-inverse=true" | FileCheck %s --check-prefix=KEPT --implicit-check-not=tile.inverse

// CHECK-LABEL: @one
// CHECK-SAME: (%[[A:.*]]: tensor<4x4xf32>, %[[V:.*]]: tensor<4x8xf32>)
// CHECK: %[[V0:.*]] = tensor.extract_slice %[[V]][0, 0] [2, 8] [1, 1]
// CHECK: %[[A00:.*]] = tensor.extract_slice %[[A]][0, 0] [2, 2] [1, 1]
// CHECK: %[[COLUMNS:.*]] = tile.transpose %[[A00]]
// CHECK: %[[W0:.*]] = scf.for %[[ROW:.*]] = {{.*}} iter_args(%[[W:.*]] = %[[V0]])
// CHECK: tile.extract %[[W]][%[[ROW]]]
// CHECK: arith.cmpi sgt
// CHECK: tile.extract %[[COLUMNS]][%[[ROW]]]
// CHECK: %[[SUM:.*]] = arith.addf %[[W]]
// CHECK: arith.select {{.*}}, %[[SUM]], %[[W]]
// CHECK: tensor.insert_slice %[[W0]] into {{.*}}[0, 0] [2, 8] [1, 1]
// CHECK: %[[V1:.*]] = tensor.extract_slice %[[V]][2, 0] [2, 8] [1, 1]
// CHECK: %[[A10:.*]] = tensor.extract_slice %[[A]][2, 0] [2, 2] [1, 1]
// CHECK: %[[KNOWN:.*]] = tile.dot %[[A10]], %[[W0]] init %[[V1]]
// CHECK: %[[W1:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[KNOWN]])
// CHECK: tensor.insert_slice %[[W1]] into {{.*}}[2, 0] [2, 8] [1, 1]

// INVERSE-LABEL: @one
// INVERSE-SAME: (%[[A:.*]]: tensor<4x4xf32>, %[[V:.*]]: tensor<4x8xf32>)
// INVERSE-NEXT: %[[T:.*]] = tile.inverse %[[A]] : tensor<4x4xf32> -> tensor<4x4xf32>
// INVERSE-NEXT: %[[W:.*]] = tile.dot %[[T]], %[[V]] triangle lhs_lower
// INVERSE-NEXT: return %[[W]]

// BOTH-LABEL: @one
// BOTH: %[[T:.*]] = scf.for
// BOTH: tile.dot %[[T]], %{{.*}} triangle lhs_lower

// KEPT-LABEL: @one
// KEPT: tile.solve
func.func @one(%a: tensor<4x4xf32>, %v: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %w = tile.solve systems(%a : tensor<4x4xf32>) values(%v : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %w : tensor<4x8xf32>
}

// Rows of several unknowns are solved together.
// CHECK-LABEL: @two
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<2x8xf32>, tensor<2x8xf32>)
// CHECK-COUNT-2: arith.select
// CHECK: scf.yield

// INVERSE-LABEL: @two
// INVERSE: %[[T:.*]]:4 = tile.inverse
// INVERSE-NEXT: %[[W00:.*]] = tile.dot %[[T]]#0, %[[V:.*]] triangle lhs_lower
// INVERSE-NEXT: %[[W0:.*]] = tile.dot %[[T]]#1, %[[U:.*]] init %[[W00]] : tensor<2x8xf32> triangle lhs_lower
// INVERSE-NEXT: %[[W10:.*]] = tile.dot %[[T]]#2, %[[V]] triangle lhs_lower
// INVERSE-NEXT: %[[W1:.*]] = tile.dot %[[T]]#3, %[[U]] init %[[W10]] : tensor<2x8xf32> triangle lhs_lower
// INVERSE-NEXT: return %[[W0]], %[[W1]]
func.func @two(%a: tensor<2x2xf32>, %v: tensor<2x8xf32>, %u: tensor<2x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %w:2 = tile.solve systems(%a, %a, %a, %a : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) values(%v, %u : tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<2x8xf32>, tensor<2x8xf32>
  return %w#0, %w#1 : tensor<2x8xf32>, tensor<2x8xf32>
}
