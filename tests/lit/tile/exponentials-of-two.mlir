// exp(x) as 2^(x log2 e), of tiles and scalars of f32; a fused sum is scaled in parts where it says that this cancels.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(exponentials-of-two))' | FileCheck %s

tile.program @p inputs(%x: tensor<16xf32>) results(%y: tensor<16xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @k
  tile.kernel @k(%x: tensor<16xf32>, %y: tensor<16xf32>) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<16>
    %t = tile.load %x[%r] : tensor<16xf32>, [!tile.range<16>] -> tensor<16xf32>
    %s = tile.load %x[%c0] : tensor<16xf32>, [index] -> f32
    // CHECK: %[[LOG2E:.*]] = arith.constant dense<1.44269502> : tensor<16xf32>
    // CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[LOG2E]] : tensor<16xf32>
    // CHECK: math.exp2 %[[SCALED]] : tensor<16xf32>
    %e = math.exp %t : tensor<16xf32>
    // CHECK: arith.mulf %{{.*}} : f32
    // CHECK: math.exp2 %{{.*}} : f32
    %f = math.exp %s : f32
    %b = tile.broadcast %f : f32 to tensor<16xf32>
    %z = arith.addf %e, %b : tensor<16xf32>
    tile.store %z, %y[%r] : tensor<16xf32>, tensor<16xf32>, [!tile.range<16>]
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %y : tensor<16xf32>, tensor<16xf32>)
  }
}

// CHECK-LABEL: tile.kernel @sums
// CHECK: %[[FACTOR:.*]] = arith.constant dense<2.885390{{.*}}> : tensor<16x16xf32>
// CHECK: %[[NEGATIVE:.*]] = arith.constant dense<-2.885390{{.*}}> : tensor<16xf32>
// CHECK: %[[LESS:.*]] = arith.mulf %{{.*}}, %[[NEGATIVE]]
// CHECK: %[[ALONG:.*]] = tile.broadcast %[[LESS]] along 0
// CHECK: %[[EXPONENT:.*]] = math.fma %{{.*}}, %[[FACTOR]], %[[ALONG]]
// CHECK: math.exp2 %[[EXPONENT]]
// CHECK: %[[SUM:.*]] = math.fma
// CHECK: %[[SCALED:.*]] = arith.mulf %[[SUM]]
// CHECK: math.exp2 %[[SCALED]]
tile.program @q inputs(%x: tensor<16x16xf32>, %m: tensor<16xf32>) results(%y: tensor<16x16xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @sums(%x: tensor<16x16xf32>, %m: tensor<16xf32>, %y: tensor<16x16xf32>) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<16>
    %two = arith.constant dense<2.0> : tensor<16x16xf32>
    %minus_two = arith.constant dense<-2.0> : tensor<16xf32>
    %t = tile.load %x[%r] : tensor<16x16xf32>, [!tile.range<16>] -> tensor<16x16xf32>
    %s = tile.load %m[%r] : tensor<16xf32>, [!tile.range<16>] -> tensor<16xf32>
    %less = arith.mulf %s, %minus_two : tensor<16xf32>
    %along = tile.broadcast %less along 0 : tensor<16xf32> to tensor<16x16xf32>
    %a = math.fma %t, %two, %along {tile.cancels} : tensor<16x16xf32>
    %e = math.exp %a : tensor<16x16xf32>
    %b = math.fma %t, %two, %along : tensor<16x16xf32>
    %f = math.exp %b : tensor<16x16xf32>
    %z = arith.addf %e, %f : tensor<16x16xf32>
    tile.store %z, %y[%r] : tensor<16x16xf32>, tensor<16x16xf32>, [!tile.range<16>]
  }
  tile.variant as "sums" {
    tile.launch @sums grid(%c1)(%x, %m, %y : tensor<16x16xf32>, tensor<16xf32>, tensor<16x16xf32>)
  }
}
