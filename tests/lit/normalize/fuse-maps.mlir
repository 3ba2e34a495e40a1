// RUN: linmu-opt --fuse-maps %s | FileCheck %s
// RUN: linmuc %s --function=around --explain | FileCheck %s --check-prefix=EXPLAIN
// RUN: linmuc %s --function=around --explain=json | FileCheck %s --check-prefix=JSON
// RUN: linmuc %s --function=around --explain --schedule=fuse=false | FileCheck %s --check-prefix=APART
// RUN: linmuc %s --function=opaque_prologue --explain | FileCheck %s --check-prefix=OPAQUE

!t = tensor<?x?x4x16xf32>
!few = tensor<?x?x2x16xf32>
!g = tensor<?x?x4xf32>
!i = tensor<?x?xi32>
!v = tensor<16xf32>
!m = tensor<16x16xf32>
!s = tensor<?x4x16x16xf32>

// What a map computes for a scan is part of its step, so that its decay has a range; so is what a map makes of
// the output, which is not stored any more. A token that two of them read is read once.
// CHECK-LABEL: func.func @around(
// CHECK-SAME: %[[Q:.*]]: tensor<?x?x4x16xf32>, %[[K:.*]]: tensor<?x?x4x16xf32>, %[[X:.*]]: tensor<?x?x4xf32>)
// CHECK-NOT: pattern.map
// CHECK: %[[O:.*]], %{{.*}} = pattern.scan
// CHECK-NEXT: tokens(%[[XT:.*]] = %[[X]] : {{.*}}, %[[QT:.*]] = %[[Q]] : {{.*}}, %[[KT:.*]] = %[[K]] : {{[^,]*}})
// CHECK: %[[A:.*]] = pattern.sigmoid %[[XT]] : f32
// CHECK: pattern.broadcast %[[A]]
// CHECK: %[[Y:.*]] = pattern.read
// CHECK: arith.mulf %[[Y]], %[[QT]]
// CHECK-NOT: pattern.map
// CHECK: return %[[O]]
// EXPLAIN: scan at {{.*}}fuse-maps.mlir:[[#SCAN:]]:12, forward -> chunked
// EXPLAIN-NEXT: with the map at {{.*}}fuse-maps.mlir:[[#SCAN+8]]:8 in it
// EXPLAIN-NEXT: with the map at {{.*}}fuse-maps.mlir:[[#SCAN-4]]:8 in it
// EXPLAIN-NEXT: decay scalar exp(max(-softplus(-x), -200))
// JSON: "maps": [
// JSON-NEXT: fuse-maps.mlir:{{[0-9]+}}:8
// JSON-NEXT: fuse-maps.mlir:{{[0-9]+}}:8
// APART: map at
// APART: scan at
// APART: map at
func.func @around(%q: !t, %k: !t, %x: !g) -> !t {
  %a = pattern.map tokens(%xt = %x : !g) -> (!g) {
    %r = pattern.sigmoid %xt : f32
    pattern.yield outputs(%r : f32)
  }
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %at = %a : !g) states(%S = zero : !s) -> (!t) {
    %A = pattern.broadcast %at : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %kt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  %z = pattern.map tokens(%y = %o : !t, %qt = %q : !t) -> (!t) {
    %r = arith.mulf %y, %qt : !v
    pattern.yield outputs(%r : !v)
  }
  return %z : !t
}

// What others read as well is stored; a map between two scans joins the one that leaves less work.
// CHECK-LABEL: func.func @both_directions(
// CHECK: %[[F:.*]]:2, %{{.*}} = pattern.scan
// CHECK: sigmoid
// CHECK: %[[R:.*]], %{{.*}} = pattern.scan reverse
// CHECK-NEXT: tokens({{.*}} = %[[F]]#0 : {{.*}}, {{.*}} = %[[F]]#1 : {{.*}})
// CHECK-NOT: pattern.map
// CHECK: return %[[R]]
func.func @both_directions(%x: !t) -> !t {
  %n = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %r = pattern.sigmoid %xt : !v
    pattern.yield outputs(%r : !v)
  }
  %f, %sf = pattern.scan tokens(%xt = %n : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  %b, %sb = pattern.scan reverse tokens(%xt = %n : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  %y = pattern.map tokens(%ft = %f : !t, %bt = %b : !t) -> (!t) {
    %r = arith.addf %ft, %bt : !v
    pattern.yield outputs(%r : !v)
  }
  return %y : !t
}

// The last tokens of a lagged operand stay a result of the joined loop.
// CHECK-LABEL: func.func @tails(
// CHECK: %[[O:.*]], %{{.*}}, %[[L:.*]] = pattern.scan
// CHECK-NEXT: tokens({{.*}} tail %{{.*}}
// CHECK-NOT: pattern.map
// CHECK: return %[[O]], %[[L]]
func.func @tails(%x: !t, %tail: tensor<?x3x4x16xf32>) -> (!t, tensor<?x3x4x16xf32>) {
  %c, %last = pattern.map tokens(%xt = %x tail %tail : !t, tensor<?x3x4x16xf32>) -> (!t) {
    %l = pattern.lag %xt by 3 : !v
    %r = arith.addf %xt, %l : !v
    pattern.yield outputs(%r : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o, %last : !t, tensor<?x3x4x16xf32>
}

// What masks the final tail is found again among the operands of the joined loop.
// CHECK-LABEL: func.func @masked_tail(
// CHECK: pattern.scan
// CHECK-NEXT: tokens(%{{.*}} = %arg0 : {{.*}}, %{{.*}} = %arg2 tail %arg3 : {{.*}}, %{{.*}} = %arg1 : tensor<?x?xi1>)
// CHECK: attributes {pattern.fused = {{.*}}, tail_masks = array<i64: 2>}
// CHECK-NOT: pattern.map
func.func @masked_tail(%x: !t, %live: tensor<?x?xi1>, %y: !t, %tail: tensor<?x3x4x16xf32>)
    -> (!t, tensor<?x3x4x16xf32>) {
  %c = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %r = arith.addf %xt, %xt : !v
    pattern.yield outputs(%r : !v)
  }
  %o, %s, %last = pattern.scan tokens(%yt = %y tail %tail : !t, tensor<?x3x4x16xf32>, %m = %live : tensor<?x?xi1>, %xt = %c : !t)
      states(%S = zero : tensor<?x4x16xf32>) -> (!t) attributes {tail_masks = array<i64: 1>} {
    %zero = arith.constant dense<0.0> : !v
    %a = arith.select %m, %xt, %zero : !v
    %l = pattern.lag %yt by 3 : !v
    %b = arith.addf %a, %l : !v
    %S1 = arith.addf %S, %b : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o, %last : !t, tensor<?x3x4x16xf32>
}

// Lags in another order are other tokens.
// CHECK-LABEL: func.func @other_order(
// CHECK: pattern.map
// CHECK: pattern.scan reverse
func.func @other_order(%x: !t) -> !t {
  %c = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    pattern.yield outputs(%l : !v)
  }
  %o, %s = pattern.scan reverse tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// So are lags in other sequences; the same ones are lost in none of the two.
// CHECK-LABEL: func.func @other_sequences(
// CHECK-SAME: %{{.*}}: tensor<?x?x4x16xf32>, %[[CU:.*]]: tensor<?xi32>)
// CHECK: pattern.map
// CHECK-NOT: sequences
// CHECK: pattern.scan
// CHECK: sequences(%[[CU]] : tensor<?xi32>)
// CHECK-LABEL: func.func @same_sequences(
// CHECK-NOT: pattern.map
// CHECK: pattern.scan
// CHECK: sequences(%{{.*}} : tensor<?xi32>)
func.func @other_sequences(%x: !t, %cu: tensor<?xi32>) -> !t {
  %c = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    pattern.yield outputs(%l : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>)
      sequences(%cu : tensor<?xi32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}
func.func @same_sequences(%x: !t, %cu: tensor<?xi32>) -> !t {
  %c = pattern.map tokens(%xt = %x : !t) sequences(%cu : tensor<?xi32>) -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    pattern.yield outputs(%l : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>)
      sequences(%cu : tensor<?xi32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// A lag of what the map computes would have to compute it again.
// CHECK-LABEL: func.func @lagged(
// CHECK: pattern.map
// CHECK: pattern.scan
func.func @lagged(%x: !t) -> !t {
  %c = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %r = pattern.sigmoid %xt : !v
    pattern.yield outputs(%r : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    %S1 = arith.addf %S, %l : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// So would heads that share one head of the map.
// CHECK-LABEL: func.func @grouped(
// CHECK: pattern.map
// CHECK: pattern.scan
func.func @grouped(%x: !few, %q: !t) -> !t {
  %c = pattern.map tokens(%xt = %x : !few) -> (!few) {
    %r = pattern.sigmoid %xt : !v
    pattern.yield outputs(%r : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !few, %qt = %q : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %w = arith.mulf %xt, %qt : !v
    %S1 = arith.addf %S, %w : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// A matrix for each token would take the chunked form from the scan.
// CHECK-LABEL: func.func @matrix(
// CHECK: pattern.map
// CHECK: pattern.scan
func.func @matrix(%x: !t) -> !t {
  %c = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %o = pattern.outer %xt, %xt : !v, !v
    %e = math.tanh %o : !m
    %r = pattern.sum %e over 0 : !m
    pattern.yield outputs(%r : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// The op that stands in the way keeps its line.
// OPAQUE: opaque at {{.*}}fuse-maps.mlir:[[#@LINE+8]]:11:
func.func @opaque_prologue(%x: !t) -> !t {
  %c = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %r = pattern.sigmoid %xt : !v
    pattern.yield outputs(%r : !v)
  }
  %o, %s = pattern.scan tokens(%xt = %c : !t) states(%S = zero : tensor<?x4x16xf32>) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    %S2 = math.tanh %S1 : !v
    pattern.yield outputs(%S2 : !v) states(%S2 : !v)
  }
  return %o : !t
}
