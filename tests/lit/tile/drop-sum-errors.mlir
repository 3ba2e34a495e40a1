// What rounding takes from sums of bounded decays is left out wherever it is added or subtracted; elsewhere it is zero. Sums
// of decays without a bound, or of too many, keep it.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(drop-sum-errors),canonicalize)' | FileCheck %s

tile.program @p inputs(%x: tensor<64xf32>) results(%y: tensor<64x64xf32>, %z: tensor<64xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @bounded(
  tile.kernel @bounded(%x: tensor<64xf32>, %y: tensor<64x64xf32>, %z: tensor<64xf32>) {
    %c0 = arith.constant 0 : index
    %c63 = arith.constant 63 : index
    %least = arith.constant -2.0e+02 : f32
    %none = arith.constant dense<0.0> : tensor<64xf32>
    %live = arith.constant dense<true> : tensor<64xi1>
    %r = tile.range %c0 -> !tile.range<64>
    %g = tile.load %x[%r] : tensor<64xf32>, [!tile.range<64>] -> tensor<64xf32>
    %b = tile.broadcast %least : f32 to tensor<64xf32>
    %cut = arith.maximumf %g, %b : tensor<64xf32>
    %n = tile.coordinate 0 : tensor<64xi32>
    %few = arith.constant dense<50> : tensor<64xi32>
    %is_live = arith.cmpi slt, %n, %few : tensor<64xi32>
    %log = arith.select %is_live, %cut, %none : tensor<64xi1>, tensor<64xf32>
    // CHECK: %[[SUM:.*]], %{{.*}} = tile.cumsum
    %sum, %error = tile.cumsum %log : tensor<64xf32>
    // CHECK: %[[ROWS:.*]] = tile.broadcast %[[SUM]] along 0
    // CHECK: %[[COLUMNS:.*]] = tile.broadcast %[[SUM]] along 1
    // CHECK: %[[BETWEEN:.*]] = arith.subf %[[ROWS]], %[[COLUMNS]]
    // CHECK-NOT: arith.subf
    // CHECK-NOT: arith.addf
    // CHECK: tile.store %[[BETWEEN]]
    %s0 = tile.broadcast %sum along 0 : tensor<64xf32> to tensor<64x64xf32>
    %s1 = tile.broadcast %sum along 1 : tensor<64xf32> to tensor<64x64xf32>
    %d = arith.subf %s0, %s1 : tensor<64x64xf32>
    %e0 = tile.broadcast %error along 0 : tensor<64xf32> to tensor<64x64xf32>
    %e1 = tile.broadcast %error along 1 : tensor<64xf32> to tensor<64x64xf32>
    %e = arith.subf %e0, %e1 : tensor<64x64xf32>
    %between = arith.addf %d, %e : tensor<64x64xf32>
    tile.store %between, %y[%r, %r] : tensor<64x64xf32>, tensor<64x64xf32>, [!tile.range<64>, !tile.range<64>]
    // Less an error, and one that something else takes.
    // CHECK: %[[LAST:.*]] = tile.extract %[[SUM]]
    // CHECK: %[[ALL:.*]] = tile.broadcast %[[LAST]]
    // CHECK: %[[KEPT:.*]] = arith.subf %[[ALL]], %[[SUM]]
    // CHECK: %[[PRODUCT:.*]] = arith.mulf %[[KEPT]], %[[ZERO:.*]] : tensor<64xf32>
    // CHECK: tile.store %[[PRODUCT]]
    %last = tile.extract %sum[%c63] : tensor<64xf32> -> f32
    %all = tile.broadcast %last : f32 to tensor<64xf32>
    %to = arith.subf %all, %sum : tensor<64xf32>
    %kept = arith.subf %to, %error : tensor<64xf32>
    %product = arith.mulf %kept, %error : tensor<64xf32>
    tile.store %product, %z[%r] : tensor<64xf32>, tensor<64xf32>, [!tile.range<64>]
  }
  // CHECK-LABEL: tile.kernel @unbounded(
  // CHECK: %[[S:.*]], %[[E:.*]] = tile.cumsum
  // CHECK: arith.addf %[[S]], %[[E]]
  // CHECK: %[[S:.*]], %[[E:.*]] = tile.cumsum
  // CHECK: arith.addf %[[S]], %[[E]]
  tile.kernel @unbounded(%x: tensor<64xf32>, %y: tensor<64x64xf32>, %z: tensor<64xf32>) {
    %c0 = arith.constant 0 : index
    %many = arith.constant dense<-1.0e+03> : tensor<64xf32>
    %r = tile.range %c0 -> !tile.range<64>
    %g = tile.load %x[%r] : tensor<64xf32>, [!tile.range<64>] -> tensor<64xf32>
    %sum, %error = tile.cumsum %g : tensor<64xf32>
    %a = arith.addf %sum, %error : tensor<64xf32>
    %h = arith.maximumf %g, %many : tensor<64xf32>
    %larger, %lost = tile.cumsum %h : tensor<64xf32>
    %b = arith.addf %larger, %lost : tensor<64xf32>
    %c = arith.addf %a, %b : tensor<64xf32>
    tile.store %c, %z[%r] : tensor<64xf32>, tensor<64xf32>, [!tile.range<64>]
  }
  tile.variant as "k" {
    tile.launch @bounded grid(%c1)(%x, %y, %z : tensor<64xf32>, tensor<64x64xf32>, tensor<64xf32>)
    tile.launch @unbounded grid(%c1)(%x, %y, %z : tensor<64xf32>, tensor<64x64xf32>, tensor<64xf32>)
  }
}
