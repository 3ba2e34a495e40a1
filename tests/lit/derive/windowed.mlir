// RUN: linmu-opt %s -derive -canonicalize -cse | FileCheck %s

!tokens = tensor<?x?x4x16xf32>
!media = tensor<?x4xi32>

// CHECK-LABEL: tile.program @window
// CHECK: tile.kernel @windowed
// Text tokens get zero.
// CHECK: tile.store %{{.*}} where %{{.*}} : tensor<32xi1> : tensor<32x16xf32>
// Items, their windows, blocks of queries.
// CHECK: scf.for
// CHECK: scf.for
// CHECK: tile.load {{.*}} -> tensor<64x16xf32>
// CHECK: scf.for
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} : tensor<32x16xf32>, tensor<64x16xf32> -> tensor<32x64xf32>
// CHECK: tile.reduce max
// CHECK: tile.reduce add
// CHECK: tile.store %{{.*}} where %{{.*}} : tensor<32xi1> : tensor<32x16xf32>
// CHECK: tile.variant as "windowed(queries=32)"
// CHECK-NEXT: tile.launch @windowed grid(%{{.*}}, %{{.*}}, %{{.*}})
func.func @window(%q: !tokens, %k: !tokens, %v: !tokens, %m: !media) -> !tokens {
  %o = pattern.window_attention %q, %k, %v media(%m : !media) window [4, 4, 4] shift [2, 2, 2] scale 0.25 wrap masked : (!tokens, !tokens, !tokens) -> !tokens
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
