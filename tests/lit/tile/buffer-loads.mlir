// Operands of products are copied into buffers, all of them before one wait; what is loaded behind the first use, what
// no product takes, f32, rows that are no whole words, and what the kernel writes are loaded as before.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(buffer-loads))' | FileCheck %s

tile.program @p inputs(%x: tensor<1x16x16xbf16>, %w: tensor<1x16x16xf32>) results(%y: tensor<1x16x16xf32>, %z: tensor<1x16x16xbf16>) {
  %c1 = arith.constant 1 : index
  // CHECK: tile.kernel @k(%[[X:.*]]: tensor<1x16x16xbf16>, %[[W:.*]]: tensor<1x16x16xf32>, %{{.*}}: tensor<1x16x16xf32>, %[[Z:.*]]: tensor<1x16x16xbf16>)
  tile.kernel @k(%x: tensor<1x16x16xbf16>, %w: tensor<1x16x16xf32>, %y: tensor<1x16x16xf32>, %z: tensor<1x16x16xbf16>) {
    %c0 = arith.constant 0 : index
    // CHECK: %[[RING:.*]] = tile.alloc : <1x16x16xbf16>
    // CHECK: %[[A:.*]] = tile.slot %[[RING]][%{{.*}}] ahead 0
    // CHECK: tile.copy %[[X]][%{{.*}}], %[[A]]
    %a = tile.load %x[%c0] : tensor<1x16x16xbf16>, [index] -> tensor<16x16xbf16>
    // CHECK: tile.load %[[W]]
    %s = tile.load %w[%c0] : tensor<1x16x16xf32>, [index] -> tensor<16x16xf32>
    // CHECK: %[[B:.*]] = tile.slot
    // CHECK: tile.copy %[[X]][%{{.*}}], %[[B]]
    %b = tile.load %x[%c0] : tensor<1x16x16xbf16>, [index] -> tensor<16x16xbf16>
    // CHECK: tile.load %[[Z]]
    %old = tile.load %z[%c0] : tensor<1x16x16xbf16>, [index] -> tensor<16x16xbf16>
    // CHECK: tile.wait pending 0
    // CHECK: %[[LHS:.*]] = tile.read %[[A]]
    // CHECK: %[[RHS:.*]] = tile.read %[[B]]
    // CHECK: tile.dot %[[LHS]], %[[RHS]]
    %ab = tile.dot %a, %b init %s : tensor<16x16xf32> : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
    %abc = tile.dot %a, %old init %ab : tensor<16x16xf32> : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
    // CHECK-NOT: tile.copy
    // CHECK: tile.load %[[X]]
    %late = tile.load %x[%c0] : tensor<1x16x16xbf16>, [index] -> tensor<16x16xbf16>
    %all = tile.dot %late, %a init %abc : tensor<16x16xf32> : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
    tile.store %all, %y[%c0] : tensor<16x16xf32>, tensor<1x16x16xf32>, [index]
    tile.store %old, %z[%c0] : tensor<16x16xbf16>, tensor<1x16x16xbf16>, [index]
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %w, %y, %z : tensor<1x16x16xbf16>, tensor<1x16x16xf32>, tensor<1x16x16xf32>, tensor<1x16x16xbf16>)
  }
}

// CHECK: tile.kernel @odd
// CHECK-NOT: tile.copy
tile.program @q inputs(%x: tensor<1x16x17xbf16>) results(%y: tensor<1x16x16xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @odd(%x: tensor<1x16x17xbf16>, %y: tensor<1x16x16xf32>) {
    %c0 = arith.constant 0 : index
    %a = tile.load %x[%c0] : tensor<1x16x17xbf16>, [index] -> tensor<16x17xbf16>
    %b = tile.dot %a, transpose_rhs %a : tensor<16x17xbf16>, tensor<16x17xbf16> -> tensor<16x16xf32>
    tile.store %b, %y[%c0] : tensor<16x16xf32>, tensor<1x16x16xf32>, [index]
  }
  tile.variant as "odd" {
    tile.launch @odd grid(%c1)(%x, %y : tensor<1x16x17xbf16>, tensor<1x16x16xf32>)
  }
}
