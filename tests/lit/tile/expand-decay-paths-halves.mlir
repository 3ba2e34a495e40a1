// Paths across decays by halves: for blocks of 2 and of 4 tokens what leads from their first half to their second, and
// the sums of it that cross each token, two dots; no steps and nothing subtracted or divided.
// RUN: linmu-opt %s -expand-macro-ops=halves | FileCheck %s --implicit-check-not=tile.decay_paths --implicit-check-not=arith.subf --implicit-check-not=scf.for --implicit-check-not=divf

// CHECK-LABEL: @inclusive
// CHECK-SAME: (%[[WEIGHTS:.*]]: tensor<4x4xf32>, %[[WRITERS:.*]]: tensor<4x3xf32>, %[[READERS:.*]]: tensor<4x3xf32>, %[[DECAYS:.*]]: tensor<4x3xf32>)
// CHECK: %[[TRANSPOSED:.*]] = tile.transpose %[[WEIGHTS]]
// CHECK: %[[EITHER:.*]] = arith.select %{{.*}}, %[[WEIGHTS]], %[[TRANSPOSED]]
// CHECK: %[[PARTED:.*]] = arith.select %{{.*}}, %[[EITHER]]
// CHECK: %[[FROM:.*]] = tile.cumprod every 1 %[[DECAYS]]
// CHECK: %[[TO:.*]] = tile.cumprod exclusive reversed every 1 %[[DECAYS]]
// CHECK: %[[SECOND:.*]] = arith.mulf %[[READERS]], %[[FROM]]
// CHECK: %[[FIRST:.*]] = arith.mulf %[[WRITERS]], %[[TO]]
// CHECK: %[[ROWS:.*]] = arith.select %{{.*}}, %[[SECOND]], %[[FIRST]]
// CHECK: %[[OTHERS:.*]] = tile.dot %[[PARTED]], %[[ROWS]]
// CHECK: %[[PATHS:.*]] = arith.mulf %[[ROWS]], %[[OTHERS]]
// CHECK: arith.cmpi sge
// CHECK: %[[SUM:.*]] = tile.dot %{{.*}}, %[[PATHS]]
// CHECK: tile.cumprod every 2 %[[DECAYS]]
// CHECK: %[[TWO:.*]] = tile.dot
// CHECK: %[[PATHS_2:.*]] = arith.mulf %{{.*}}, %[[TWO]]
// CHECK: %[[ALL:.*]] = tile.dot %{{.*}}, %[[PATHS_2]] init %[[SUM]]
// CHECK: return %[[ALL]]
func.func @inclusive(%w: tensor<4x4xf32>, %k: tensor<4x3xf32>, %r: tensor<4x3xf32>, %d: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %x = tile.decay_paths %w from %k to %r decays %d : tensor<4x4xf32>, tensor<4x3xf32>
  return %x : tensor<4x3xf32>
}

// CHECK-LABEL: @exclusive
// CHECK: tile.cumprod exclusive every 1
// CHECK: tile.cumprod exclusive reversed every 1
// CHECK: arith.cmpi sgt
func.func @exclusive(%w: tensor<2x2xf32>, %k: tensor<2x3xf32>, %r: tensor<2x3xf32>, %d: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %x = tile.decay_paths exclusive %w from %k to %r decays %d : tensor<2x2xf32>, tensor<2x3xf32>
  return %x : tensor<2x3xf32>
}

// CHECK-LABEL: @one
// CHECK: return %{{.*}}
func.func @one(%w: tensor<1x1xf32>, %k: tensor<1x3xf32>, %r: tensor<1x3xf32>, %d: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %x = tile.decay_paths %w from %k to %r decays %d : tensor<1x1xf32>, tensor<1x3xf32>
  return %x : tensor<1x3xf32>
}
