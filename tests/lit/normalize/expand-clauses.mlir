// RUN: linmu-opt --expand-clauses %s | FileCheck %s

!t = tensor<?x?x2x4xf32>
!s = tensor<?x2x4x4xf32>
!i = tensor<?x?xi32>
!b = tensor<?x?xi1>
!v = tensor<4xf32>
!m = tensor<4x4xf32>

// Segments become a token and a select of the state; the first token has no token before it to differ from.
// CHECK-LABEL: func.func @segments(
// CHECK-SAME: %[[X:.*]]: tensor<?x?x2x4xf32>, %[[ID:.*]]: tensor<?x?xi32>)
// CHECK: tokens(%[[XT:.*]] = %[[X]] : {{.*}}, %[[IDT:.*]] = %[[ID]] : tensor<?x?xi32>)
// CHECK-NEXT: states(%[[S:.*]] = zero
// CHECK-NOT: segments
// CHECK: %[[BEFORE:.*]] = pattern.lag %[[IDT]] by 1 otherwise %[[IDT]] : i32 : i32
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[IDT]], %[[BEFORE]] : i32
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<4x4xf32>
// CHECK: %[[KEPT:.*]] = arith.select %[[SAME]], %[[S]], %[[ZERO]] : tensor<4x4xf32>
// CHECK: arith.addf %[[KEPT]],
func.func @segments(%x: !t, %id: !i) -> !t {
  %o, %s = pattern.scan tokens(%xt = %x : !t) states(%S = zero : !s) segments(%id : !i) -> (!t) {
    %W = pattern.outer %xt, %xt : !v, !v
    %S1 = arith.addf %S, %W : !m
    %y = pattern.read %S1, %xt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// A source mask zeroes what it names, and what a lag of that reads; other tokens stay.
// CHECK-LABEL: func.func @source(
// CHECK: tokens(%[[XT:.*]] = %{{.*}}, %[[YT:.*]] = %{{.*}}, %[[LIVE:.*]] = %{{.*}} : tensor<?x?xi1>)
// CHECK-NOT: source_mask
// CHECK: %[[MASKED:.*]] = arith.select %[[LIVE]], %[[XT]], %{{.*}} : tensor<4xf32>
// CHECK: %[[LAG:.*]] = pattern.lag %[[XT]] by 2 : tensor<4xf32>
// CHECK: %[[THEN:.*]] = pattern.lag %[[LIVE]] by 2 otherwise %{{.*}} : i1 : i1
// CHECK: %[[LAGGED:.*]] = arith.select %[[THEN]], %[[LAG]], %{{.*}} : tensor<4xf32>
// CHECK: %[[SUM:.*]] = arith.addf %[[MASKED]], %[[LAGGED]]
// CHECK: arith.mulf %[[SUM]], %[[YT]]
func.func @source(%x: !t, %y: !t, %live: !b) -> !t {
  %o = pattern.map tokens(%xt = %x : !t, %yt = %y : !t) source_mask(%live : !b) zeroes(%xt) -> (!t) {
    %l = pattern.lag %xt by 2 : !v
    %a = arith.addf %xt, %l : !v
    %b = arith.mulf %a, %yt : !v
    pattern.yield outputs(%b : !v)
  }
  return %o : !t
}

// An output mask zeroes outputs and no state.
// CHECK-LABEL: func.func @output(
// CHECK: tokens(%{{.*}} = %{{.*}}, %[[LIVE:.*]] = %{{.*}} : tensor<?x?xi1>)
// CHECK-NOT: output_mask
// CHECK: %[[NEXT:.*]] = arith.addf
// CHECK: %[[MASKED:.*]] = arith.select %[[LIVE]], %[[NEXT]], %{{.*}} : tensor<4xf32>
// CHECK: pattern.yield outputs(%[[MASKED]] : tensor<4xf32>) states(%[[NEXT]] : tensor<4xf32>)
func.func @output(%x: !t, %live: !b) -> !t {
  %o, %s = pattern.scan tokens(%xt = %x : !t) states(%S = zero : tensor<?x2x4xf32>) output_mask(%live : !b) -> (!t) {
    %S1 = arith.addf %S, %xt : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// What the source mask leaves lies in the final tail of what it names, here of the first token operand; the ids'
// tail is that of the token operand that they become.
// CHECK-LABEL: func.func @tails(
// CHECK: tokens(%[[XT:[^ ]*]] = %arg0 tail %arg4 : {{[^%]*}}, %[[YT:[^ ]*]] = %arg1 tail %arg4 : {{[^%]*}},
// CHECK-SAME: %[[IDT:[^ ]*]] = %arg2 tail %arg5 : tensor<?x?xi32>, tensor<?x1xi32>, %[[LIVE:[^ ]*]] = %arg3 : tensor<?x?xi1>)
// CHECK: attributes {tail_masks = array<i64: 3, -1, -1>}
// CHECK: pattern.lag %[[IDT]] by 1 : i32
// CHECK: %[[LAG:[^ ]*]] = pattern.lag %[[XT]] by 1 : tensor<4xf32>
// CHECK: %[[TRUE:[^ ]*]] = arith.constant true
// CHECK: %[[THEN:.*]] = pattern.lag %[[LIVE]] by 1 otherwise %[[TRUE]] : i1 : i1
// CHECK: %[[LAGGED:.*]] = arith.select %[[THEN]], %[[LAG]], %{{.*}} : tensor<4xf32>
// CHECK: %[[OTHER:.*]] = pattern.lag %[[YT]] by 1
// CHECK: arith.addf %[[LAGGED]], %[[OTHER]]
func.func @tails(%x: !t, %y: !t, %id: !i, %live: !b, %x0: tensor<?x1x2x4xf32>, %id0: tensor<?x1xi32>)
    -> (!t, tensor<?x1x2x4xf32>, tensor<?x1x2x4xf32>, tensor<?x1xi32>) {
  %o, %s, %x1, %y1, %id1 = pattern.scan
      tokens(%xt = %x tail %x0 : !t, tensor<?x1x2x4xf32>, %yt = %y tail %x0 : !t, tensor<?x1x2x4xf32>)
      states(%S = zero : tensor<?x2x4xf32>)
      segments(%id tail %id0 : !i, tensor<?x1xi32>)
      source_mask(%live : !b) zeroes(%xt)
      -> (!t) {
    %l = pattern.lag %xt by 1 : !v
    %m = pattern.lag %yt by 1 : !v
    %a = arith.addf %l, %m : !v
    %S1 = arith.addf %S, %a : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o, %x1, %y1, %id1 : !t, tensor<?x1x2x4xf32>, tensor<?x1x2x4xf32>, tensor<?x1xi32>
}
