// Sums of whole tensors: a block a head of the result, and of tokens a block of them.
// RUN: linmu-opt --derive %s | FileCheck %s

// CHECK-LABEL: tile.program @sums
// CHECK: tile.kernel @reduce(
// CHECK: scf.for
// CHECK: arith.truncf
// CHECK: tile.kernel @reduce_1(
// CHECK: scf.for
// CHECK: scf.for
// CHECK: tile.kernel @inner_product(
// CHECK: tile.reduce
// CHECK: schedule = [{algorithm = "reduce"}, {algorithm = "reduce"}, {algorithm = "inner_product"}]
func.func @sums(%a: tensor<?x?x4x8xf32>, %s: tensor<?x4x8xf32>)
    -> (tensor<?x?x2x8xbf16>, tensor<1x8xf32>, tensor<?x4xf32>) {
  %x = pattern.reduce %a : tensor<?x?x4x8xf32> -> tensor<?x?x2x8xbf16>
  %y = pattern.reduce %s : tensor<?x4x8xf32> -> tensor<1x8xf32>
  %z = pattern.inner_product %s, %s over [0] : tensor<?x4x8xf32> -> tensor<?x4xf32>
  return %x, %y, %z : tensor<?x?x2x8xbf16>, tensor<1x8xf32>, tensor<?x4xf32>
}
