// Decay scores and values as one product, where the decays of every column leave enough to divide by; else token by token
// as without the option. The mask selects: what a product with later tokens gives is not used.
// RUN: linmu-opt %s -expand-macro-ops=products -cse | FileCheck %s --implicit-check-not=tile.decay_

// CHECK-LABEL: @scores
// CHECK-SAME: (%[[READS:.*]]: tensor<16x8xf32>, %[[KEYS:.*]]: tensor<16x8xf32>, %[[DECAYS:.*]]: tensor<16x8xf32>)
// CHECK: %[[ALL:.*]] = tile.cumprod exclusive %[[DECAYS]]
// CHECK: %[[SEEN:.*]] = arith.mulf %[[READS]], %[[ALL]]
// CHECK: %[[LEFT:.*]] = tile.cumprod exclusive reversed %[[DECAYS]]
// CHECK: %[[WRITTEN:.*]] = arith.mulf %[[KEYS]], %[[LEFT]]
// CHECK: arith.divf
// CHECK: %[[OVER:.*]] = arith.mulf %[[WRITTEN]]
// CHECK: arith.cmpf ogt, {{.*}} : tensor<8xf32>
// CHECK: tile.reduce max
// CHECK: %[[ALLOWED:.*]] = arith.cmpf oeq
// CHECK: scf.if %[[ALLOWED]]
// CHECK: %[[DOT:.*]] = tile.dot %[[SEEN]], transpose_rhs %[[OVER]] triangle result_lower
// CHECK: %[[VISIBLE:.*]] = arith.cmpi sgt
// CHECK: arith.select %[[VISIBLE]], %[[DOT]]
// CHECK: } else {
// CHECK: scf.for
// CHECK: tile.reduce add
func.func @scores(%r: tensor<16x8xf32>, %k: tensor<16x8xf32>, %d: tensor<16x8xf32>) -> tensor<16x16xf32> {
  %s = tile.decay_scores exclusive %r, %k decays %d : tensor<16x8xf32> -> tensor<16x16xf32>
  return %s : tensor<16x16xf32>
}

// CHECK-LABEL: @values
// CHECK-SAME: (%[[SCORES:.*]]: tensor<16x16xf32>, %[[VALUES:.*]]: tensor<16x8xf32>, %[[DECAYS:.*]]: tensor<16x8xf32>)
// CHECK: %[[OVER:.*]] = arith.mulf
// CHECK: %[[LOWER:.*]] = arith.select %{{.*}}, %[[SCORES]]
// CHECK: scf.if
// CHECK: %[[DOT:.*]] = tile.dot %[[LOWER]], %{{.*}} triangle lhs_lower
// CHECK: arith.mulf %[[DOT]]
// CHECK: } else {
// CHECK: scf.for
func.func @values(%s: tensor<16x16xf32>, %v: tensor<16x8xf32>, %d: tensor<16x8xf32>) -> tensor<16x8xf32> {
  %o = tile.decay_values %s, %v decays %d : tensor<16x16xf32>, tensor<16x8xf32>
  return %o : tensor<16x8xf32>
}
