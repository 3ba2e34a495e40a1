// Warps by the largest product, 32 numbers of it in each lane and four at least; blocks that keep no matrix from step to
// step share a multiprocessor. What a schedule has set stays. Where the rows of a product are reduced from step to step,
// each warp has 32 of them.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(assign-warps))' | FileCheck %s
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(assign-warps{warps=2}))' | FileCheck %s --check-prefix=FEW

tile.program @p inputs(%x: tensor<1x128x128xbf16>) results(%y: tensor<1x128x128xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK: tile.kernel @small({{.*}}) attributes {blocks = 3 : i64, deep_ring_bytes = 32768 : i64, ring_bytes = 65536 : i64, warps = 4 : i64}
  // FEW: tile.kernel @small({{.*}}) attributes {blocks = 6 : i64, deep_ring_bytes = 65536 : i64, ring_bytes = 65536 : i64, warps = 2 : i64}
  tile.kernel @small(%x: tensor<1x128x128xbf16>, %y: tensor<1x128x128xf32>) attributes {ring_bytes = 65536 : i64} {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<64>
    %a = tile.load %x[%c0, %r, %r] : tensor<1x128x128xbf16>, [index, !tile.range<64>, !tile.range<64>] -> tensor<64x64xbf16>
    %b = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    tile.store %b, %y[%c0, %r, %r] : tensor<64x64xf32>, tensor<1x128x128xf32>, [index, !tile.range<64>, !tile.range<64>]
  }
  // A matrix in a loop: no more blocks than its registers leave room for.
  // CHECK: tile.kernel @large({{.*}}) attributes {warps = 8 : i64}
  tile.kernel @large(%x: tensor<1x128x128xbf16>, %y: tensor<1x128x128xf32>) {
    %c0 = arith.constant 0 : index
    %step = arith.constant 1 : index
    %n = arith.constant 4 : index
    %zeros = arith.constant dense<0.0> : tensor<128x128xf32>
    %a = tile.load %x[%c0] : tensor<1x128x128xbf16>, [index] -> tensor<128x128xbf16>
    %s = scf.for %i = %c0 to %n step %step iter_args(%sum = %zeros) -> (tensor<128x128xf32>) {
      %next = tile.dot %a, %a init %sum : tensor<128x128xf32> : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      scf.yield %next : tensor<128x128xf32>
    }
    tile.store %s, %y[%c0] : tensor<128x128xf32>, tensor<1x128x128xf32>, [index]
  }
  // CHECK: tile.kernel @given({{.*}}) attributes {blocks = 1 : i64, warps = 2 : i64}
  tile.kernel @given(%x: tensor<1x128x128xbf16>, %y: tensor<1x128x128xf32>) attributes {blocks = 1 : i64, warps = 2 : i64} {
    %c0 = arith.constant 0 : index
    %a = tile.load %x[%c0] : tensor<1x128x128xbf16>, [index] -> tensor<128x128xbf16>
    %b = tile.dot %a, %a : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
    tile.store %b, %y[%c0] : tensor<128x128xf32>, tensor<1x128x128xf32>, [index]
  }
  // Without a product there is nothing to go by.
  // CHECK: tile.kernel @copy({{.*}}) attributes {warps = 8 : i64}
  tile.kernel @copy(%x: tensor<1x128x128xbf16>, %y: tensor<1x128x128xf32>) {
    %c0 = arith.constant 0 : index
    %a = tile.load %x[%c0] : tensor<1x128x128xbf16>, [index] -> tensor<128x128xbf16>
    %b = arith.extf %a : tensor<128x128xbf16> to tensor<128x128xf32>
    tile.store %b, %y[%c0] : tensor<128x128xf32>, tensor<1x128x128xf32>, [index]
  }
  // CHECK: tile.kernel @rows({{.*}}) attributes {warps = 4 : i64}
  tile.kernel @rows(%x: tensor<1x128x128xbf16>, %y: tensor<1x128x128xf32>) {
    %c0 = arith.constant 0 : index
    %step = arith.constant 1 : index
    %n = arith.constant 4 : index
    %zeros = arith.constant dense<0.0> : tensor<128x128xf32>
    %none = arith.constant dense<0.0> : tensor<128xf32>
    %a = tile.load %x[%c0] : tensor<1x128x128xbf16>, [index] -> tensor<128x128xbf16>
    %s:2 = scf.for %i = %c0 to %n step %step iter_args(%sum = %zeros, %total = %none) -> (tensor<128x128xf32>, tensor<128xf32>) {
      %next = tile.dot %a, %a init %sum : tensor<128x128xf32> : tensor<128x128xbf16>, tensor<128x128xbf16> -> tensor<128x128xf32>
      %row = tile.reduce add %next over 1 : tensor<128x128xf32> -> tensor<128xf32>
      scf.yield %next, %row : tensor<128x128xf32>, tensor<128xf32>
    }
    %along = tile.broadcast %s#1 along 0 : tensor<128xf32> to tensor<128x128xf32>
    %all = arith.addf %s#0, %along : tensor<128x128xf32>
    tile.store %all, %y[%c0] : tensor<128x128xf32>, tensor<1x128x128xf32>, [index]
  }
  // Seven results at once are more than the registers of four warps hold.
  // CHECK: tile.kernel @held({{.*}}) attributes {warps = 8 : i64}
  tile.kernel @held(%x: tensor<1x128x128xbf16>, %y: tensor<1x128x128xf32>) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<64>
    %a = tile.load %x[%c0, %r, %r] : tensor<1x128x128xbf16>, [index, !tile.range<64>, !tile.range<64>] -> tensor<64x64xbf16>
    %d0 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %d1 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %d2 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %d3 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %d4 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %d5 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %d6 = tile.dot %a, %a : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %s0 = arith.addf %d0, %d1 : tensor<64x64xf32>
    %s1 = arith.addf %s0, %d2 : tensor<64x64xf32>
    %s2 = arith.addf %s1, %d3 : tensor<64x64xf32>
    %s3 = arith.addf %s2, %d4 : tensor<64x64xf32>
    %s4 = arith.addf %s3, %d5 : tensor<64x64xf32>
    %s5 = arith.addf %s4, %d6 : tensor<64x64xf32>
    tile.store %s5, %y[%c0, %r, %r] : tensor<64x64xf32>, tensor<1x128x128xf32>, [index, !tile.range<64>, !tile.range<64>]
  }
  tile.variant as "k" {
    tile.launch @small grid(%c1)(%x, %y : tensor<1x128x128xbf16>, tensor<1x128x128xf32>)
    tile.launch @large grid(%c1)(%x, %y : tensor<1x128x128xbf16>, tensor<1x128x128xf32>)
    tile.launch @rows grid(%c1)(%x, %y : tensor<1x128x128xbf16>, tensor<1x128x128xf32>)
    tile.launch @given grid(%c1)(%x, %y : tensor<1x128x128xbf16>, tensor<1x128x128xf32>)
    tile.launch @held grid(%c1)(%x, %y : tensor<1x128x128xbf16>, tensor<1x128x128xf32>)
    tile.launch @copy grid(%c1)(%x, %y : tensor<1x128x128xbf16>, tensor<1x128x128xf32>)
  }
}
