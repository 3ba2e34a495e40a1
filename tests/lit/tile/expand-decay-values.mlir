// Decay values: a dot for each pair of sub-chunks, a token at a time inside one, no exponentials.
// RUN: linmu-opt %s -expand-macro-ops=sub-chunk=2 | FileCheck %s --implicit-check-not=tile.decay_values --implicit-check-not=math.exp
// RUN: linmu-opt %s -expand-macro-ops=ops=decay_scores | FileCheck %s --check-prefix=KEPT

// CHECK-LABEL: @inclusive
// CHECK-SAME: (%[[SCORES:.*]]: tensor<6x6xf32>, %[[VALUES:.*]]: tensor<6x3xf32>, %[[DECAYS:.*]]: tensor<6x3xf32>)
// CHECK-DAG: %[[D0:.*]] = tensor.extract_slice %[[DECAYS]][0, 0] [2, 3] [1, 1]
// CHECK-DAG: %[[D1:.*]] = tensor.extract_slice %[[DECAYS]][2, 0] [2, 3] [1, 1]
// CHECK-DAG: %[[D2:.*]] = tensor.extract_slice %[[DECAYS]][4, 0] [2, 3] [1, 1]
// CHECK: %[[V0:.*]] = tensor.extract_slice %[[VALUES]][0, 0] [2, 3] [1, 1]
// CHECK: %[[S00:.*]] = tensor.extract_slice %[[SCORES]][0, 0] [2, 2] [1, 1]
// CHECK: %[[BY_TOKEN:.*]] = tile.transpose %[[S00]]
// CHECK: %[[R0:.*]]:2 = scf.for %[[I:.*]] = {{.*}} iter_args(%[[SUM:.*]] = {{.*}}, %[[FACTORS:.*]] = {{.*}})
// CHECK: %[[TOKEN:.*]] = arith.subi {{.*}}, %[[I]] : index
// CHECK: tile.extract %[[V0]][%[[TOKEN]]]
// CHECK: tile.extract %[[BY_TOKEN]][%[[TOKEN]]]
// CHECK: %[[ADDED:.*]] = arith.addf %[[SUM]]
// CHECK: arith.select {{.*}}, %[[ADDED]], %[[SUM]]
// CHECK: arith.select {{.*}}, %[[FACTORS]]
// CHECK: tensor.insert_slice %[[R0]]#0 into {{.*}}[0, 0] [2, 3] [1, 1]
// CHECK: %[[END0:.*]] = tile.cumprod exclusive reversed %[[D0]]
// CHECK: %[[LEFT0:.*]] = arith.mulf %[[V0]], %[[END0]]

// The sum over earlier sub-chunks decays from the start of this one.
// CHECK: %[[S10:.*]] = tensor.extract_slice %[[SCORES]][2, 0] [2, 2] [1, 1]
// CHECK: %[[PAIR:.*]] = tile.dot %[[S10]], %[[LEFT0]]
// CHECK: %[[START1:.*]] = tile.cumprod %[[D1]]
// CHECK: %[[MET:.*]] = arith.mulf %[[PAIR]], %[[START1]]
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[MET]],
// CHECK: tile.extract %{{.*}}[%{{.*}}] : tensor<2x3xf32> -> tensor<3xf32>
// CHECK: %[[FAR:.*]] = arith.mulf %[[LEFT0]]
// CHECK: %[[FIRST:.*]] = tile.dot {{.*}}, %[[FAR]]
// CHECK: %[[BOTH:.*]] = tile.dot {{.*}} init %[[FIRST]]
// CHECK: arith.mulf %[[BOTH]]

// KEPT-LABEL: @inclusive
// KEPT: tile.decay_values
func.func @inclusive(%s: tensor<6x6xf32>, %v: tensor<6x3xf32>, %d: tensor<6x3xf32>) -> tensor<6x3xf32> {
  %r = tile.decay_values %s, %v decays %d : tensor<6x6xf32>, tensor<6x3xf32>
  return %r : tensor<6x3xf32>
}

// CHECK-LABEL: @exclusive
// CHECK: scf.for
// CHECK: arith.addi {{.*}} : i32
// CHECK: tile.cumprod exclusive %{{.*}} : tensor<1x3xf32>
func.func @exclusive(%s: tensor<3x3xf32>, %v: tensor<3x3xf32>, %d: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %r = tile.decay_values exclusive %s, %v decays %d : tensor<3x3xf32>, tensor<3x3xf32>
  return %r : tensor<3x3xf32>
}

// The transpose goes from the last sub-chunk to the first; each token takes what later rows of its own give.
// CHECK-LABEL: @transposed
// CHECK-SAME: (%[[SCORES:.*]]: tensor<4x4xf32>
// CHECK: tensor.extract_slice %[[SCORES]][2, 2] [2, 2] [1, 1]
// CHECK: scf.for
// CHECK: tile.reduce add
// CHECK: tensor.insert_slice {{.*}}[2, 0] [2, 3] [1, 1]
// CHECK: tensor.extract_slice %[[SCORES]][2, 0] [2, 2] [1, 1]
// CHECK: %[[SUM:.*]] = tile.dot transpose_lhs
// CHECK: %[[END:.*]] = tile.cumprod exclusive reversed
// CHECK: arith.mulf %[[SUM]], %[[END]]
func.func @transposed(%s: tensor<4x4xf32>, %v: tensor<4x3xf32>, %d: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %r = tile.decay_values transposed %s, %v decays %d : tensor<4x4xf32>, tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}
