// Products whose results are operands of others lie so that they need not move: each warp has a share of the state's
// columns, and the product that reads it computes its transpose, so that the state is its left operand where it lies.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(assign-products{warps=4}))' | FileCheck %s
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(assign-products{warps=4},assign-layouts))' | FileCheck %s --check-prefix=MOVES

tile.program @p inputs(%q: tensor<4x64x128xbf16>, %v: tensor<4x64x128xbf16>, %s0: tensor<4x128x128xf32>) results(%o: tensor<4x64x128xf32>, %s: tensor<4x128x128xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK: tile.kernel @k({{.*}}) attributes {threads = 128 : i64}
  tile.kernel @k(%q: tensor<4x64x128xbf16>, %v: tensor<4x64x128xbf16>, %s0: tensor<4x128x128xf32>, %o: tensor<4x64x128xf32>, %s: tensor<4x128x128xf32>) {
    %c0 = arith.constant 0 : index
    %step = arith.constant 1 : index
    %n = arith.constant 4 : index
    %first = tile.load %s0[%c0] : tensor<4x128x128xf32>, [index] -> tensor<128x128xf32>
    %last = scf.for %i = %c0 to %n step %step iter_args(%state = %first) -> (tensor<128x128xf32>) {
      %a = tile.load %q[%i] : tensor<4x64x128xbf16>, [index] -> tensor<64x128xbf16>
      %b = tile.load %v[%i] : tensor<4x64x128xbf16>, [index] -> tensor<64x128xbf16>
      %rounded = arith.truncf %state : tensor<128x128xf32> to tensor<128x128xbf16>
      // CHECK: tile.dot %{{.*}}, %{{.*}} {cuda.swapped, cuda.warps = array<i64: 2, 0>}
      // MOVES: arith.truncf {{.*}} to tensor<128x128xbf16,
      // MOVES-NOT: : tensor<128x128xbf16,
      // MOVES: tile.dot
      %out = tile.dot %a, %rounded : tensor<64x128xbf16>, tensor<128x128xbf16> -> tensor<64x128xf32>
      tile.store %out, %o[%i] : tensor<64x128xf32>, tensor<4x64x128xf32>, [index]
      // CHECK: tile.dot transpose_lhs %{{.*}} {cuda.swapped, cuda.warps = array<i64: 2, 0>}
      %next = tile.dot transpose_lhs %a, %b init %state : tensor<128x128xf32> : tensor<64x128xbf16>, tensor<64x128xbf16> -> tensor<128x128xf32>
      scf.yield %next : tensor<128x128xf32>
    }
    tile.store %last, %s[%c0] : tensor<128x128xf32>, tensor<4x128x128xf32>, [index]
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%q, %v, %s0, %o, %s : tensor<4x64x128xbf16>, tensor<4x64x128xbf16>, tensor<4x128x128xf32>, tensor<4x64x128xf32>, tensor<4x128x128xf32>)
  }
}

// Whole rows of what is reduced along them stay in one warp, though its right operand is then read by all of them.
// CHECK: tile.kernel @rows
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} {cuda.warps = array<i64: 2, 0>}
tile.program @weights inputs(%q: tensor<4x64x128xbf16>, %v: tensor<4x64x128xbf16>) results(%o: tensor<4x64x128xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @rows(%q: tensor<4x64x128xbf16>, %v: tensor<4x64x128xbf16>, %o: tensor<4x64x128xf32>) {
    %c0 = arith.constant 0 : index
    %a = tile.load %q[%c0] : tensor<4x64x128xbf16>, [index] -> tensor<64x128xbf16>
    %b = tile.load %v[%c0] : tensor<4x64x128xbf16>, [index] -> tensor<64x128xbf16>
    %scores = tile.dot %a, transpose_rhs %b : tensor<64x128xbf16>, tensor<64x128xbf16> -> tensor<64x64xf32>
    %largest = tile.reduce max %scores over 1 : tensor<64x64xf32> -> tensor<64xf32>
    %offset = tile.broadcast %largest along 0 : tensor<64xf32> to tensor<64x64xf32>
    %weights = arith.subf %scores, %offset : tensor<64x64xf32>
    %total = tile.reduce add %weights over 1 : tensor<64x64xf32> -> tensor<64xf32>
    %rounded = arith.truncf %weights : tensor<64x64xf32> to tensor<64x64xbf16>
    %mixed = tile.dot %rounded, %b : tensor<64x64xbf16>, tensor<64x128xbf16> -> tensor<64x128xf32>
    %along = tile.broadcast %total along 0 : tensor<64xf32> to tensor<64x128xf32>
    %all = arith.mulf %mixed, %along : tensor<64x128xf32>
    tile.store %all, %o[%c0] : tensor<64x128xf32>, tensor<4x64x128xf32>, [index]
  }
  tile.variant as "rows" {
    tile.launch @rows grid(%c1)(%q, %v, %o : tensor<4x64x128xbf16>, tensor<4x64x128xbf16>, tensor<4x64x128xf32>)
  }
}
