// RUN: linmu-opt --fold-permutes %s | FileCheck %s
// RUN: linmuc %s --function=folded --emit=tile | FileCheck %s --check-prefix=TILE

!t = tensor<?x?x4x16xf32>
!i = tensor<?x?xi32>
!v = tensor<16xf32>
!m = tensor<16x16xf32>
!s = tensor<?x4x16x16xf32>

// A permuted scan written with permutes is the one with an order: one kernel a length, no memory of its own.
// CHECK-LABEL: func.func @folded(
// CHECK-SAME: %[[Q:.*]]: tensor<?x?x4x16xf32>, %[[K:.*]]: tensor<?x?x4x16xf32>, %[[I:.*]]: tensor<?x?xi32>)
// CHECK-NOT: pattern.permute
// CHECK: %[[O:.*]], %{{.*}} = pattern.scan
// CHECK-NEXT: tokens(%{{.*}} = %[[Q]] : {{.*}}, %{{.*}} = %[[K]] : {{.*}})
// CHECK: order(%[[I]] : tensor<?x?xi32>)
// CHECK-NOT: pattern.permute
// CHECK: return %[[O]]
// TILE-NOT: tile.temporary
// TILE: tile.kernel @chunked
// TILE: tile.kernel @recurrent
// TILE-NOT: tile.kernel
func.func @folded(%q: !t, %k: !t, %i: !i) -> !t {
  %qp = pattern.permute %q order(%i : !i) : !t
  %kp = pattern.permute %k order(%i : !i) : !t
  %o, %s = pattern.scan tokens(%qt = %qp : !t, %kt = %kp : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %kt, %kt : !v, !v
    %S1 = arith.addf %S, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  %y = pattern.permute inverse %o order(%i : !i) : !t
  return %y : !t
}

// An order of an order is one index.
// CHECK-LABEL: func.func @ordered(
// CHECK-SAME: %[[Q:.*]]: {{.*}}, %[[I:.*]]: tensor<?x?xi32>, %[[J:.*]]: tensor<?x?xi32>)
// CHECK: %[[IJ:.*]] = pattern.permute %[[I]] order(%[[J]] : tensor<?x?xi32>) : tensor<?x?xi32>
// CHECK: tokens(%{{.*}} = %[[Q]] : {{.*}})
// CHECK: order(%[[IJ]] : tensor<?x?xi32>)
// CHECK-NOT: pattern.permute
func.func @ordered(%q: !t, %i: !i, %j: !i) -> !t {
  %qp = pattern.permute %q order(%i : !i) : !t
  %o, %s = pattern.scan tokens(%qt = %qp : !t) states(%S = zero : tensor<?x4x16xf32>) order(%j : !i) -> (!t) {
    %S1 = arith.addf %S, %qt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  %y = pattern.permute inverse %o order(%i : !i) : !t
  return %y : !t
}

// A map is the same in every order: permutes around it cancel.
// CHECK-LABEL: func.func @row_wise(
// CHECK-NOT: order(
// CHECK: return
func.func @row_wise(%x: !t, %i: !i) -> !t {
  %p = pattern.permute %x order(%i : !i) : !t
  %y = pattern.map tokens(%xt = %p : !t) -> (!t) {
    %s = pattern.sigmoid %xt : !v
    pattern.yield outputs(%s : !v)
  }
  %z = pattern.permute inverse %y order(%i : !i) : !t
  return %z : !t
}

// Not so with a lag, which looks along the order.
// CHECK-LABEL: func.func @lagging(
// CHECK: pattern.map
// CHECK: order(%{{.*}} : tensor<?x?xi32>)
// CHECK: return
func.func @lagging(%x: !t, %i: !i) -> !t {
  %p = pattern.permute %x order(%i : !i) : !t
  %y = pattern.map tokens(%xt = %p : !t) -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    pattern.yield outputs(%l : !v)
  }
  %z = pattern.permute inverse %y order(%i : !i) : !t
  return %z : !t
}

// Two permutes are one; of two inverse ones the outer index comes first.
// CHECK-LABEL: func.func @composed(
// CHECK-SAME: %[[X:.*]]: {{.*}}, %[[I:.*]]: tensor<?x?xi32>, %[[J:.*]]: tensor<?x?xi32>)
// CHECK-DAG: %[[IJ:.*]] = pattern.permute %[[I]] order(%[[J]] : tensor<?x?xi32>)
// CHECK-DAG: %[[JI:.*]] = pattern.permute %[[J]] order(%[[I]] : tensor<?x?xi32>)
// CHECK-DAG: pattern.permute %[[X]] order(%[[IJ]] : tensor<?x?xi32>)
// CHECK-DAG: pattern.permute inverse %[[X]] order(%[[JI]] : tensor<?x?xi32>)
// CHECK: return
func.func @composed(%x: !t, %i: !i, %j: !i) -> (!t, !t) {
  %a = pattern.permute %x order(%i : !i) : !t
  %b = pattern.permute %a order(%j : !i) : !t
  %c = pattern.permute inverse %x order(%i : !i) : !t
  %d = pattern.permute inverse %c order(%j : !i) : !t
  return %b, %d : !t, !t
}

// A token in another order, or in none, keeps the permute.
// CHECK-LABEL: func.func @mixed(
// CHECK: pattern.permute
// CHECK: pattern.scan
// CHECK-NOT: order(
// CHECK: return
func.func @mixed(%q: !t, %k: !t, %i: !i) -> !t {
  %qp = pattern.permute %q order(%i : !i) : !t
  %o, %s = pattern.scan tokens(%qt = %qp : !t, %kt = %k : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %kt, %kt : !v, !v
    %S1 = arith.addf %S, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// What is returned keeps memory of its own.
// CHECK-LABEL: func.func @returned(
// CHECK: pattern.permute
// CHECK: pattern.permute inverse
// CHECK: %[[Y:.*]] = pattern.map
// CHECK-COUNT-2: pattern.permute
// CHECK: return
func.func @returned(%x: !t, %i: !i) -> (!t, !t, !t) {
  %p = pattern.permute %x order(%i : !i) : !t
  %q = pattern.permute inverse %p order(%i : !i) : !t
  %y = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %s = pattern.sigmoid %xt : !v
    pattern.yield outputs(%s : !v)
  }
  %a = pattern.permute %y order(%i : !i) : !t
  %b = pattern.permute inverse %a order(%i : !i) : !t
  return %q, %y, %b : !t, !t, !t
}

// A map that nothing before a token matters to is the same whatever the sequences are; one with a lag is not.
// CHECK-LABEL: func.func @sequences(
// CHECK-SAME: %{{.*}}: {{.*}}, %[[CU:.*]]: tensor<?xi32>)
// CHECK: pattern.map
// CHECK-NOT: sequences
// CHECK: pattern.map
// CHECK: sequences(%[[CU]] : tensor<?xi32>)
func.func @sequences(%x: !t, %cu: tensor<?xi32>) -> !t {
  %y = pattern.map tokens(%xt = %x : !t) sequences(%cu : tensor<?xi32>) -> (!t) {
    %r = pattern.sigmoid %xt : !v
    pattern.yield outputs(%r : !v)
  }
  %z = pattern.map tokens(%yt = %y : !t) sequences(%cu : tensor<?xi32>) -> (!t) {
    %l = pattern.lag %yt by 1 : !v
    pattern.yield outputs(%l : !v)
  }
  return %z : !t
}
