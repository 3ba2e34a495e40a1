// The gradients of windows: a kernel for blocks of queries, and one for blocks of keys that no other block adds to.
// RUN: linmu-opt %s -derive -canonicalize -cse | FileCheck %s

!q = tensor<?x?x4x16xf32>
!k = tensor<?x?x2x16xf32>
!v = tensor<?x?x1x8xf32>
!o = tensor<?x?x4x16xf32>
!w = tensor<?x?x4x8xf32>
!media = tensor<?x4xi32>

// CHECK-LABEL: tile.program @blocks
// What softmax made of each query and head is all that is kept.
// CHECK-COUNT-3: tile.temporary({{.*}}) : tensor<?x?x4xf32>
// CHECK: tile.kernel @window_queries
// Text tokens get zero.
// CHECK: tile.store %{{.*}} where %{{.*}} : tensor<32xi1> : tensor<32x16xf32>
// The largest score, the sum of the weights and of what they receive, over blocks of keys.
// CHECK: scf.for {{.*}} -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} : tensor<32x16xf32>, tensor<64x16xf32> -> tensor<32x64xf32>
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} : tensor<32x16xf32>, tensor<64x16xf32> -> tensor<32x64xf32>
// CHECK-COUNT-3: tile.store {{.*}} tensor<?x?x4xf32>
// CHECK: scf.for {{.*}} -> (tensor<32x16xf32>)
// CHECK: tile.dot %{{.*}}, %{{.*}} init %{{.*}} : tensor<32x64xf32>, tensor<64x16xf32>
// CHECK: tile.kernel @window_keys
// Over the heads of a group, then blocks of queries; pairs are transposed.
// CHECK: scf.for {{.*}} -> (tensor<64x16xf32>, tensor<64x16xf32>)
// CHECK: scf.for {{.*}} -> (tensor<64x16xf32>, tensor<64x16xf32>)
// CHECK: tile.dot %{{.*}}, transpose_rhs %{{.*}} : tensor<64x16xf32>, tensor<32x16xf32> -> tensor<64x32xf32>
// CHECK-COUNT-3: tile.load {{.*}} -> tensor<32xf32>
// CHECK-NOT: transpose_lhs
// CHECK: tile.variant as "window_adjoint(queries=32, keys=64)"
// CHECK-NEXT: tile.launch @window_queries grid(%c4
// CHECK-NEXT: tile.launch @window_keys grid(%c2
func.func @blocks(%q: !q, %k: !k, %v: !k, %d: !o, %m: !media) -> (!q, !k, !k) {
  %dq, %dk, %dv = pattern.window_adjoint %q, %k, %v, %d media(%m : !media) window [16, 4, 4] shift [8, 2, 2] scale 0.25 wrap masked
      : (!q, !k, !k, !o) -> (!q, !k, !k)
  return %dq, %dk, %dv : !q, !k, !k
}

// One block of keys holds every cell: its pairs are made once.
// CHECK-LABEL: tile.program @single
// CHECK: tile.kernel @window_queries
// CHECK-NOT: -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
// CHECK-COUNT-2: tile.dot %{{.*}}, transpose_rhs
// CHECK-NOT: transpose_rhs
// CHECK: tile.kernel @window_keys
func.func @single(%q: !q, %k: !k, %v: !k, %d: !o, %m: !media) -> (!q, !k, !k) {
  %dq, %dk, %dv = pattern.window_adjoint %q, %k, %v, %d media(%m : !media) window [1, 8, 8] shift [0, 4, 4] scale 0.25 wrap masked
      : (!q, !k, !k, !o) -> (!q, !k, !k)
  return %dq, %dk, %dv : !q, !k, !k
}

// Keys and values that heads of different numbers share are launches of their own, and what nothing wants is none.
// CHECK-LABEL: tile.program @apart
// CHECK: tile.launch @window_queries grid(%c4
// CHECK-NEXT: tile.launch @window_keys grid(%c2
// CHECK-NEXT: tile.launch @window_keys_1 grid(%c1
func.func @apart(%q: !q, %k: !k, %v: !v, %d: !w, %m: !media) -> (!k, !v) {
  %dq, %dk, %dv = pattern.window_adjoint %q, %k, %v, %d media(%m : !media) window [1, 8, 8] shift [0, 4, 4] scale 0.25 wrap masked
      : (!q, !k, !v, !w) -> (!q, !k, !v)
  return %dk, %dv : !k, !v
}

// CHECK-LABEL: tile.program @queries
// CHECK-NOT: tile.kernel @window_keys
func.func @queries(%q: !q, %k: !k, %v: !v, %d: !w, %m: !media) -> !q {
  %dq, %dk, %dv = pattern.window_adjoint %q, %k, %v, %d media(%m : !media) window [1, 8, 8] shift [0, 4, 4] scale 0.25 wrap masked
      : (!q, !k, !v, !w) -> (!q, !k, !v)
  return %dq : !q
}
