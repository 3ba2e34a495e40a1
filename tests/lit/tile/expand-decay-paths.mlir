// Paths across decays: a dot for each pair of sub-chunks, a writer at a time inside one; nothing is subtracted from sums.
// RUN: linmu-opt %s -expand-macro-ops=sub-chunk=2 | FileCheck %s --implicit-check-not=tile.decay_paths --implicit-check-not=arith.subf

// CHECK-LABEL: @inclusive
// CHECK-SAME: (%[[WEIGHTS:.*]]: tensor<6x6xf32>, %[[WRITERS:.*]]: tensor<6x3xf32>, %[[READERS:.*]]: tensor<6x3xf32>
// Readers of the last sub-chunk against the writers of both before it.
// CHECK: tensor.extract_slice %[[WEIGHTS]][2, 0] [2, 2] [1, 1]
// CHECK: tile.dot
// CHECK: tensor.extract_slice %[[WEIGHTS]][4, 0] [2, 2] [1, 1]
// CHECK: tile.dot
// CHECK: tensor.extract_slice %[[WEIGHTS]][4, 2] [2, 2] [1, 1]
// CHECK: tile.dot
// Into the last sub-chunk paths lead from its start, and inside it from one writer after the other.
// CHECK: tile.cumsum reversed
// CHECK: scf.for
// CHECK: tile.cumsum reversed
// Across the middle one lead those from the first to the last, whole; out of it sums of its own writers.
// CHECK: tile.dot transpose_lhs
// CHECK: tile.cumsum exclusive %
// CHECK: tile.reduce add
// CHECK: tile.cumsum reversed
func.func @inclusive(%w: tensor<6x6xf32>, %k: tensor<6x3xf32>, %r: tensor<6x3xf32>, %d: tensor<6x3xf32>) -> tensor<6x3xf32> {
  %x = tile.decay_paths %w from %k to %r decays %d : tensor<6x6xf32>, tensor<6x3xf32>
  return %x : tensor<6x3xf32>
}

// CHECK-LABEL: @exclusive
// CHECK: tile.cumsum exclusive reversed
func.func @exclusive(%w: tensor<2x2xf32>, %k: tensor<2x3xf32>, %r: tensor<2x3xf32>, %d: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %x = tile.decay_paths exclusive %w from %k to %r decays %d : tensor<2x2xf32>, tensor<2x3xf32>
  return %x : tensor<2x3xf32>
}
