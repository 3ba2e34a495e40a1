// Tiles of 40 by 48 as 64 by 64: loads are limited, what a product or a sum would take from beyond is replaced.
// RUN: linmu-opt %s --pad-tiles --canonicalize | FileCheck %s
// RUN: not linmu-opt %s --pad-tiles=least=64 2>&1 | FileCheck %s --check-prefix=SLICE

// SLICE: requires a slice of a power of two many rows and columns, at a multiple of them, got 16 at 16
tile.program @p inputs(%x: tensor<?x40x48xf32>, %i: tensor<40xi32>) results(%y: tensor<?x40x48xf32>, %z: tensor<?x48xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @k(%x: tensor<?x40x48xf32>, %i: tensor<40xi32>, %y: tensor<?x40x48xf32>, %z: tensor<?x48xf32>) {
    %b = tile.block_id 0
    // CHECK-DAG: %[[C40:.*]] = arith.constant 40 : index
    // CHECK-DAG: %[[C48:.*]] = arith.constant 48 : index
    // CHECK-DAG: %[[ROWS:.*]] = tile.range %{{.*}} to %[[C40]] -> !tile.range<64>
    // CHECK-DAG: %[[COLUMNS:.*]] = tile.range %{{.*}} to %[[C48]] -> !tile.range<64>
    // CHECK: %[[T:.*]] = tile.load %{{.*}}[%{{.*}}, %[[ROWS]], %[[COLUMNS]]] : {{.*}} -> tensor<64x64xf32>
    %t = tile.load %x[%b] : tensor<?x40x48xf32>, [index] -> tensor<40x48xf32>
    %e = math.exp %t : tensor<40x48xf32>
    // exp(0) is not 0: the contracted columns beyond 48 are made so on both sides.
    // CHECK: %[[E:.*]] = math.exp %[[T]]
    // CHECK: %[[L:.*]] = arith.select %{{.*}}, %[[E]], %{{.*}} : tensor<64x64xi1>, tensor<64x64xf32>
    // CHECK: %[[R:.*]] = arith.select %{{.*}}, %[[E]], %{{.*}} : tensor<64x64xi1>, tensor<64x64xf32>
    // CHECK: tile.dot %[[L]], transpose_rhs %[[R]]
    %s = tile.dot %e, transpose_rhs %e : tensor<40x48xf32>, tensor<40x48xf32> -> tensor<40x40xf32>
    // What was loaded has zeros there already.
    // CHECK: tile.dot %{{.*}}, %[[T]] : tensor<64x64xf32>
    %u = tile.dot %s, %t : tensor<40x40xf32>, tensor<40x48xf32> -> tensor<40x48xf32>
    // CHECK: tile.store %{{.*}} : tensor<64x64xf32>, tensor<?x40x48xf32>, [index, !tile.range<64>, !tile.range<64>]
    tile.store %u, %y[%b] : tensor<40x48xf32>, tensor<?x40x48xf32>, [index]
    // CHECK: arith.select %{{.*}}, %[[E]], %{{.*}} : tensor<64x64xi1>
    // CHECK: tile.reduce max
    %m = tile.reduce max %e over 0 : tensor<40x48xf32> -> tensor<48xf32>
    // A slice of 16 rows stays one.
    // CHECK: tensor.extract_slice %{{.*}}[16, 0] [16, 64] [1, 1] : tensor<64x64xf32> to tensor<16x64xf32>
    %part = tensor.extract_slice %e[16, 0] [16, 48] [1, 1] : tensor<40x48xf32> to tensor<16x48xf32>
    %n = tile.reduce max %part over 0 : tensor<16x48xf32> -> tensor<48xf32>
    %most = arith.maximumf %m, %n : tensor<48xf32>
    tile.store %most, %z[%b] : tensor<48xf32>, tensor<?x48xf32>, [index]
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %i, %y, %z : tensor<?x40x48xf32>, tensor<40xi32>, tensor<?x40x48xf32>, tensor<?x48xf32>)
  }
}
