// Decay scores: a dot for each pair of sub-chunks, a column at a time inside one, no exponentials.
// RUN: linmu-opt %s -expand-macro-ops=sub-chunk=2 | FileCheck %s --implicit-check-not=tile.decay_scores --implicit-check-not=math.exp
// RUN: linmu-opt %s -expand-macro-ops=ops=solve,decay_values | FileCheck %s --check-prefix=KEPT

// CHECK-LABEL: @inclusive
// CHECK-SAME: (%[[READS:.*]]: tensor<6x3xf32>, %[[KEYS:.*]]: tensor<6x3xf32>, %[[DECAYS:.*]]: tensor<6x3xf32>)
// CHECK-DAG: %[[D0:.*]] = tensor.extract_slice %[[DECAYS]][0, 0] [2, 3] [1, 1]
// CHECK-DAG: %[[D1:.*]] = tensor.extract_slice %[[DECAYS]][2, 0] [2, 3] [1, 1]
// CHECK-DAG: %[[D2:.*]] = tensor.extract_slice %[[DECAYS]][4, 0] [2, 3] [1, 1]

// Inside the first sub-chunk: the loop goes from its last token to its first.
// CHECK-DAG: %[[R0:.*]] = tensor.extract_slice %[[READS]][0, 0] [2, 3] [1, 1]
// CHECK-DAG: %[[K0:.*]] = tensor.extract_slice %[[KEYS]][0, 0] [2, 3] [1, 1]
// CHECK: %[[S0:.*]]:2 = scf.for %[[I:.*]] = {{.*}} iter_args(%[[SCORES:.*]] = {{.*}}, %[[FACTORS:.*]] = {{.*}})
// CHECK: %[[TOKEN:.*]] = arith.subi {{.*}}, %[[I]] : index
// CHECK: %[[KEY:.*]] = tile.extract %[[K0]][%[[TOKEN]]]
// CHECK: %[[ROWS:.*]] = tile.broadcast %[[KEY]] along 1
// CHECK: %[[DECAYED:.*]] = arith.mulf %[[FACTORS]], %[[ROWS]]
// CHECK: %[[PRODUCTS:.*]] = arith.mulf %[[R0]], %[[DECAYED]]
// CHECK: tile.reduce add %[[PRODUCTS]] over 1
// CHECK: %[[NEXT:.*]] = arith.select {{.*}}, %[[SCORES]]
// CHECK: tile.extract %[[D0]][%[[TOKEN]]]
// CHECK: %[[GROWN:.*]] = arith.select {{.*}}, %[[FACTORS]]
// CHECK: scf.yield %[[NEXT]], %[[GROWN]]
// CHECK: tensor.insert_slice %[[S0]]#0 into {{.*}}[0, 0] [2, 2] [1, 1]
// CHECK: %[[END0:.*]] = tile.cumprod exclusive reversed %[[D0]]
// CHECK: %[[LEFT0:.*]] = arith.mulf %[[K0]], %[[END0]]

// The second reads the first.
// CHECK: %[[START1:.*]] = tile.cumprod %[[D1]]
// CHECK: %[[MET1:.*]] = arith.mulf {{.*}}, %[[START1]]
// CHECK: %[[PAIR:.*]] = tile.dot %[[MET1]], transpose_rhs %[[LEFT0]]
// CHECK: tensor.insert_slice %[[PAIR]] into {{.*}}[2, 0] [2, 2] [1, 1]

// Across it, the first's keys decay by its product of decays.
// CHECK: %[[RUNNING:.*]] = tile.cumprod %[[D1]]
// CHECK: %[[WHOLE:.*]] = tile.extract %[[RUNNING]]
// CHECK: %[[OVER:.*]] = tile.broadcast %[[WHOLE]] along 1
// CHECK: %[[FAR:.*]] = arith.mulf %[[LEFT0]], %[[OVER]]
// CHECK: tile.cumprod exclusive reversed %[[D1]]
// CHECK: tile.cumprod %[[D2]]
// CHECK: tile.dot {{.*}}, transpose_rhs %[[FAR]]
// CHECK: tensor.insert_slice {{.*}}[4, 0] [2, 2] [1, 1]
// CHECK: tensor.insert_slice {{.*}}[4, 2] [2, 2] [1, 1]
// CHECK: tensor.insert_slice {{.*}}[4, 4] [2, 2] [1, 1]

// KEPT-LABEL: @inclusive
// KEPT: tile.decay_scores
func.func @inclusive(%r: tensor<6x3xf32>, %k: tensor<6x3xf32>, %d: tensor<6x3xf32>) -> tensor<6x6xf32> {
  %s = tile.decay_scores %r, %k decays %d : tensor<6x3xf32> -> tensor<6x6xf32>
  return %s : tensor<6x6xf32>
}

// Readers that stop before their own token: their factors are exclusive. The last sub-chunk has one token.
// CHECK-LABEL: @exclusive
// CHECK: scf.for
// CHECK: arith.addi {{.*}} : i32
// CHECK: tile.cumprod exclusive %{{.*}} : tensor<1x3xf32>
// CHECK: tile.dot {{.*}} : tensor<1x3xf32>, tensor<2x3xf32> -> tensor<1x2xf32>
func.func @exclusive(%r: tensor<3x3xf32>, %k: tensor<3x3xf32>, %d: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %s = tile.decay_scores exclusive %r, %k decays %d : tensor<3x3xf32> -> tensor<3x3xf32>
  return %s : tensor<3x3xf32>
}

// One sub-chunk needs neither slices nor dots.
// CHECK-LABEL: @single
// CHECK-NOT: tensor.
// CHECK-NOT: tile.dot
// CHECK: return
func.func @single(%r: tensor<2x3xf32>, %k: tensor<2x3xf32>, %d: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %s = tile.decay_scores %r, %k decays %d : tensor<2x3xf32> -> tensor<2x2xf32>
  return %s : tensor<2x2xf32>
}
