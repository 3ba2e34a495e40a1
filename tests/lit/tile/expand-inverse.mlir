// Inverses: diagonal blocks by forward substitution from the identity, then neighbours joined by two dots.
// RUN: linmu-opt %s -expand-macro-ops=sub-chunk=2 | FileCheck %s --implicit-check-not=tile.inverse
// RUN: linmu-opt %s -expand-macro-ops=ops=solve | FileCheck %s --check-prefix=KEPT

// CHECK-LABEL: @one
// CHECK-SAME: (%[[A:.*]]: tensor<6x6xf32>)

// [0, 2) and [2, 4) become [0, 4), which [4, 6) then joins.
// CHECK: %[[A00:.*]] = tensor.extract_slice %[[A]][0, 0] [2, 2] [1, 1]
// CHECK: arith.cmpi eq
// CHECK: %[[ONE:.*]] = arith.select
// CHECK: tile.transpose %[[A00]]
// CHECK: %[[P:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[ONE]])
// CHECK: %[[LATER:.*]] = arith.cmpi sgt
// CHECK: %[[LOWER:.*]] = arith.cmpi sle
// CHECK: arith.andi %[[LATER]], %[[LOWER]]
// CHECK: %[[Q:.*]] = scf.for
// CHECK: %[[A10:.*]] = tensor.extract_slice %[[A]][2, 0] [2, 2] [1, 1]
// CHECK: %[[AP:.*]] = tile.dot %[[A10]], %[[P]]
// CHECK: %[[QAP:.*]] = tile.dot %[[Q]], %[[AP]] triangle lhs_lower
// CHECK: tensor.insert_slice %[[P]] into {{.*}}[0, 0] [2, 2] [1, 1] : tensor<2x2xf32> into tensor<4x4xf32>
// CHECK: tensor.insert_slice %[[QAP]] into {{.*}}[2, 0] [2, 2] [1, 1]
// CHECK: %[[HALF:.*]] = tensor.insert_slice %[[Q]] into {{.*}}[2, 2] [2, 2] [1, 1]
// CHECK: %[[LAST:.*]] = scf.for
// CHECK: %[[A20:.*]] = tensor.extract_slice %[[A]][4, 0] [2, 4] [1, 1]
// CHECK: %[[BETWEEN:.*]] = tile.dot %[[A20]], %[[HALF]]
// CHECK: tile.dot %[[LAST]], %[[BETWEEN]] triangle lhs_lower
// CHECK: tensor.insert_slice %[[HALF]] into {{.*}}[0, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<6x6xf32>
// CHECK: tensor.insert_slice {{.*}}[4, 0] [2, 4] [1, 1]
// CHECK: tensor.insert_slice %[[LAST]] into {{.*}}[4, 4] [2, 2] [1, 1]

// KEPT-LABEL: @one
// KEPT: tile.inverse
func.func @one(%a: tensor<6x6xf32>) -> tensor<6x6xf32> {
  %t = tile.inverse %a : tensor<6x6xf32> -> tensor<6x6xf32>
  return %t : tensor<6x6xf32>
}

// A loop for each column of blocks carries all blocks of the column.
// CHECK-LABEL: @two
// CHECK-COUNT-2: scf.for {{.*}} -> (tensor<2x2xf32>, tensor<2x2xf32>)
func.func @two(%a: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %t:4 = tile.inverse %a, %a, %a, %a : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
  return %t#1 : tensor<2x2xf32>
}
