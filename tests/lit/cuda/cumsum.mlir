// Sums along a vector of fewer elements than a warp has lanes: the lanes behind hold the elements once more, and begin
// anew with them.
// RUN: linmu-opt %s --tile-to-threads | FileCheck %s

tile.program @p inputs(%x: tensor<?xf32>) results(%y: tensor<?xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @k
  tile.kernel @k(%x: tensor<?xf32>, %y: tensor<?xf32>) {
    // CHECK: %[[LANE:.*]] = gpu.lane_id
    // CHECK: %[[C15:.*]] = arith.constant 15 : index
    // CHECK: %[[ELEMENT:.*]] = arith.andi %[[LANE]], %[[C15]]
    // CHECK-NOT: arith.cmpi sge, %[[LANE]]
    // CHECK: %[[C8:.*]] = arith.constant 8 : index
    // CHECK: arith.cmpi sge, %[[ELEMENT]], %[[C8]]
    // CHECK-NOT: arith.cmpi sge, %[[LANE]]
    // CHECK-COUNT-4: gpu.shuffle
    // CHECK-NOT: gpu.shuffle
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    %rows = tile.range %c0 to %n -> !tile.range<16>
    %v = tile.load %x[%rows] : tensor<?xf32>, [!tile.range<16>] -> tensor<16xf32>
    %sum, %error = tile.cumsum %v : tensor<16xf32>
    tile.store %sum, %y[%rows] : tensor<16xf32>, tensor<?xf32>, [!tile.range<16>]
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %y : tensor<?xf32>, tensor<?xf32>)
  }
}
