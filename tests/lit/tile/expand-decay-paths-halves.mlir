// Paths across decays by halves, with the values beside them: for blocks of 2 and of 4 tokens one dot gives what leads from
// their first half to their second, either way, and one the sums of paths that cross each token; no steps, and nothing
// subtracted or divided.
// RUN: linmu-opt %s -expand-macro-ops=halves | FileCheck %s --implicit-check-not=tile.decay_ --implicit-check-not=arith.subf --implicit-check-not=scf.for --implicit-check-not=divf

// CHECK-LABEL: @inclusive
// CHECK-SAME: (%[[WEIGHTS:.*]]: tensor<4x4xf32>, %[[WRITERS:.*]]: tensor<4x3xf32>, %[[READERS:.*]]: tensor<4x3xf32>, %[[DECAYS:.*]]: tensor<4x3xf32>)
// CHECK: %[[TRANSPOSED:.*]] = tile.transpose %[[WEIGHTS]]
// CHECK: %[[EITHER:.*]] = arith.select %{{.*}}, %[[WEIGHTS]], %[[TRANSPOSED]]
// CHECK: %[[PARTED:.*]] = arith.select %{{.*}}, %[[EITHER]]
// CHECK: %[[FROM:.*]] = tile.cumprod every 1 %[[DECAYS]]
// CHECK: %[[TO:.*]] = tile.cumprod exclusive reversed every 1 %[[DECAYS]]
// CHECK: %[[LEFT:.*]] = arith.select %[[SECOND:.*]], %[[FROM]], %[[TO]]
// CHECK: %[[ROWS:.*]] = arith.select %[[SECOND]], %[[READERS]], %[[WRITERS]]
// CHECK: %[[AT_MIDDLE:.*]] = arith.mulf %[[ROWS]], %[[LEFT]]
// CHECK: %[[OTHERS:.*]] = tile.dot %[[PARTED]], %[[AT_MIDDLE]]
// CHECK: %[[GIVEN:.*]] = arith.mulf %[[OTHERS]], %[[LEFT]]
// CHECK: arith.select %[[SECOND]], %[[GIVEN]]
// CHECK: arith.select %[[SECOND]], %{{.*}}, %[[GIVEN]]
// CHECK: arith.cmpi sge
// CHECK: %[[PATHS:.*]] = arith.mulf %[[ROWS]], %[[GIVEN]]
// CHECK: %[[SUM:.*]] = tile.dot %{{.*}}, %[[PATHS]]
// CHECK: tile.cumprod every 2 %[[DECAYS]]
// CHECK: tile.dot
// CHECK: %[[ALL:.*]] = tile.dot %{{.*}} init %[[SUM]]
// What a token gives itself.
// CHECK: tile.reduce add
// CHECK: return %{{.*}}, %{{.*}}, %[[ALL]]
func.func @inclusive(%w: tensor<4x4xf32>, %k: tensor<4x3xf32>, %r: tensor<4x3xf32>, %d: tensor<4x3xf32>)
    -> (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>) {
  %q = tile.decay_values %w, %k decays %d : tensor<4x4xf32>, tensor<4x3xf32>
  %p = tile.decay_values transposed %w, %r decays %d : tensor<4x4xf32>, tensor<4x3xf32>
  %x = tile.decay_paths %w from %k to %r decays %d : tensor<4x4xf32>, tensor<4x3xf32>
  return %q, %p, %x : tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>
}

// Values of other weights are on their own.
// CHECK-LABEL: @exclusive
// CHECK-SAME: (%[[WEIGHTS:.*]]: tensor<2x2xf32>, %[[OTHER:.*]]: tensor<2x2xf32>,
// CHECK: tile.transpose %[[WEIGHTS]]
// CHECK: tile.cumprod exclusive every 1
// CHECK: tile.cumprod exclusive reversed every 1
// CHECK: arith.cmpi sgt
// CHECK: arith.select %{{.*}}, %[[OTHER]]
// CHECK: tile.dot
func.func @exclusive(%w: tensor<2x2xf32>, %o: tensor<2x2xf32>, %k: tensor<2x3xf32>, %r: tensor<2x3xf32>, %d: tensor<2x3xf32>)
    -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tile.decay_paths exclusive %w from %k to %r decays %d : tensor<2x2xf32>, tensor<2x3xf32>
  %q = tile.decay_values exclusive %o, %k decays %d : tensor<2x2xf32>, tensor<2x3xf32>
  return %x, %q : tensor<2x3xf32>, tensor<2x3xf32>
}

// CHECK-LABEL: @one
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.0{{.*}}> : tensor<1x3xf32>
// CHECK: return %[[ZERO]]
func.func @one(%w: tensor<1x1xf32>, %k: tensor<1x3xf32>, %r: tensor<1x3xf32>, %d: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %x = tile.decay_paths %w from %k to %r decays %d : tensor<1x1xf32>, tensor<1x3xf32>
  return %x : tensor<1x3xf32>
}
