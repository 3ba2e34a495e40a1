// RUN: linmu-opt %s -derive -canonicalize -cse | FileCheck %s

!tokens = tensor<?x?x4x16xf32>
!media = tensor<?x4xi32>

// A window that fits one block of keys: all of them are gathered once for all queries of a cell.
// CHECK-LABEL: tile.program @window
// CHECK: tile.kernel @windowed
// Text tokens get zero.
// CHECK: tile.store %{{.*}} where %{{.*}} : tensor<32xi1> : tensor<32x16xf32>
// Items, their cells, blocks of queries, and a vote on what is written.
// CHECK: scf.for
// CHECK: scf.for
// CHECK: tile.load {{.*}} -> tensor<64x16xf32>
// CHECK: tile.load {{.*}} -> tensor<64x16xf32>
// CHECK: %[[VOTES:.*]] = scf.for {{.*}} -> (tensor<32xf32>)
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} : tensor<32x16xf32>, tensor<64x16xf32> -> tensor<32x64xf32>
// CHECK: tile.reduce max
// CHECK: math.fma {{.*}} {tile.cancels}
// CHECK: math.exp
// CHECK: tile.reduce add
// CHECK: %[[MIXED:.*]] = tile.dot
// CHECK: %[[OUTPUT:.*]] = arith.mulf %[[MIXED]]
// CHECK: tile.reduce add %[[OUTPUT]] over 1 : tensor<32x16xf32> -> tensor<32xf32>
// CHECK: tile.store %{{.*}} where %{{.*}} : tensor<32xi1> : tensor<32x16xf32>
// CHECK: %[[VOTE:.*]] = tile.reduce add %[[VOTES]] over 0
// CHECK: %[[AGAIN:.*]] = arith.cmpf une, %[[VOTE]]
// CHECK-NEXT: scf.if %[[AGAIN]]
// One query at a time, without a product.
// CHECK: scf.for
// CHECK: scf.for {{.*}} -> (f32, f32, tensor<16xf32>)
// CHECK-NOT: tile.dot
// CHECK: tile.variant as "windowed(queries=32, keys=64)"
// CHECK-NEXT: tile.launch @windowed grid(%{{.*}}, %{{.*}}, %{{.*}})
func.func @window(%q: !tokens, %k: !tokens, %v: !tokens, %m: !media) -> !tokens {
  %o = pattern.window_attention %q, %k, %v media(%m : !media) window [4, 4, 4] shift [2, 2, 2] scale 0.25 wrap masked : (!tokens, !tokens, !tokens) -> !tokens
  return %o : !tokens
}

// A larger one: whole windows at once, ragged cells by blocks of keys, with the running maximum, sum and mixture.
// CHECK-LABEL: tile.program @larger
// CHECK: arith.ceildivui %{{.*}}, %c256
// CHECK: %[[WHOLE:.*]] = arith.cmpi sgt, %{{.*}}, %c192 : index
// CHECK: scf.if %[[WHOLE]] -> (f32)
// CHECK: tile.load {{.*}} -> tensor<256x16xf32>
// CHECK: } else {
// CHECK: scf.for {{.*}} -> (tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>)
// CHECK: tile.load {{.*}} -> tensor<64x16xf32>
// CHECK: tile.dot %{{.*}}, %{{.*}} init
// CHECK: as "windowed(queries=32, keys=256)"
func.func @larger(%q: !tokens, %k: !tokens, %v: !tokens, %m: !media) -> !tokens {
  %o = pattern.window_attention %q, %k, %v media(%m : !media) window [16, 4, 4] shift [8, 2, 2] scale 0.25 wrap masked : (!tokens, !tokens, !tokens) -> !tokens
  return %o : !tokens
}

// One beyond the cache: units are shares of its queries, counted from the tokens.
// CHECK-LABEL: tile.program @huge
// CHECK: arith.ceildivui %{{.*}}, %c64
// CHECK-NOT: tensor<{{[0-9][0-9][0-9][0-9]}}
// CHECK: as "windowed(queries=32, keys=64)"
func.func @huge(%q: !tokens, %k: !tokens, %v: !tokens, %m: !media) -> !tokens {
  %o = pattern.window_attention %q, %k, %v media(%m : !media) window [1024, 1024, 1024] shift [0, 0, 0] scale 0.25 wrap masked : (!tokens, !tokens, !tokens) -> !tokens
  return %o : !tokens
}

// An order is an index built once; its user reads it from a temporary.
// CHECK-LABEL: tile.program @permute
// CHECK: %[[BATCH:.*]] = tile.extent batch
// CHECK: %[[N:.*]] = tile.extent tokens
// CHECK: %[[ORDER:.*]] = tile.temporary(%[[BATCH]], %[[N]]) : tensor<?x?xi32>
// CHECK: %[[RANGES:.*]] = arith.ceildivui %[[N]]
// CHECK: tile.variant as "token_order, permute"
// CHECK-NEXT: tile.launch @token_order grid(%{{.*}}, %[[RANGES]], %[[BATCH]]) (%{{.*}}, %[[ORDER]]
// CHECK-NEXT: tile.launch @permute grid(%{{.*}}, %[[RANGES]], %[[BATCH]]) (%{{.*}}, %[[ORDER]]
func.func @permute(%x: !tokens, %m: !media) -> !tokens {
  %i = pattern.token_order #pattern.order<x, y, t> media(%m : !media) like %x : !tokens -> tensor<?x?xi32>
  %y = pattern.permute %x order(%i : tensor<?x?xi32>) : !tokens
  return %y : !tokens
}
