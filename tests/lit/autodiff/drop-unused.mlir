// What nothing needs of a scan or a map goes: outputs, states, tokens with their tails, params, whole ops.
// RUN: linmu-opt --drop-unused %s | FileCheck %s

!t = tensor<?x?x2x4xf32>
!s = tensor<?x2x4xf32>
!v = tensor<4xf32>

// The unused output takes the token that only it reads with it, and the param.
// CHECK-LABEL: func.func @output(
// CHECK-SAME: %[[X:.*]]: tensor<?x?x2x4xf32>, %[[Y:.*]]: tensor<?x?x2x4xf32>, %[[W:.*]]: tensor<2x4xf32>
// CHECK-NEXT: %[[A:.*]] = pattern.map
// CHECK-NEXT: tokens(%[[XT:.*]] = %[[X]] : tensor<?x?x2x4xf32>)
// CHECK-NEXT: -> (tensor<?x?x2x4xf32>) {
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[XT]], %[[XT]]
// CHECK-NEXT: pattern.yield outputs(%[[SUM]] : tensor<4xf32>)
// CHECK: return %[[A]]
func.func @output(%x: !t, %y: !t, %w: tensor<2x4xf32>) -> !t {
  %a, %b = pattern.map params(%wt = %w : tensor<2x4xf32>) tokens(%xt = %x : !t, %yt = %y : !t) -> (!t, !t) {
    %sum = arith.addf %xt, %xt : !v
    %product = arith.mulf %yt, %wt : !v
    pattern.yield outputs(%sum, %product : !v, !v)
  }
  return %a : !t
}

// The second state is read by nothing that is used, though it reads the first; the third is read for the output.
// CHECK-LABEL: func.func @states(
// CHECK-SAME: %[[X:.*]]: tensor<?x?x2x4xf32>, %[[S0:.*]]: tensor<?x2x4xf32>, %[[S1:.*]]: tensor<?x2x4xf32>, %[[S2:.*]]: tensor<?x2x4xf32>
// CHECK: pattern.scan reverse
// CHECK-NEXT: tokens
// CHECK-NEXT: states(%[[A:.*]] = %[[S0]] : tensor<?x2x4xf32>, %[[C:.*]] = %[[S2]] : tensor<?x2x4xf32>)
// CHECK-NOT: arith.mulf
// CHECK: pattern.yield outputs(%{{.*}} : tensor<4xf32>) states(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32>)
func.func @states(%x: !t, %s0: !s, %s1: !s, %s2: !s) -> (!t, !s) {
  %y, %a, %b, %c = pattern.scan reverse tokens(%xt = %x : !t)
      states(%S0 = %s0 : !s, %S1 = %s1 : !s, %S2 = %s2 : !s) -> (!t) {
    %n0 = arith.addf %S0, %xt : !v
    %p = arith.mulf %S1, %S0 : !v
    %n1 = arith.addf %p, %xt : !v
    %n2 = arith.subf %S2, %xt : !v
    pattern.yield outputs(%n2 : !v) states(%n0, %n1, %n2 : !v, !v, !v)
  }
  return %y, %a : !t, !s
}

// What a loop passes on unchanged is read where it came from, unless it is rounded on the way.
// CHECK-LABEL: func.func @passed_on(
// CHECK-SAME: %[[X:.*]]: tensor<?x?x2x4xf32>)
// CHECK-NEXT: %[[H:.*]] = pattern.map
// CHECK: pattern.map
// CHECK-NEXT: tokens(%{{.*}} = %[[X]] : tensor<?x?x2x4xf32>, %{{.*}} = %[[H]] : tensor<?x?x2x4xbf16>)
func.func @passed_on(%x: !t) -> !t {
  %y, %h = pattern.map tokens(%xt = %x : !t) -> (!t, tensor<?x?x2x4xbf16>) {
    pattern.yield outputs(%xt, %xt : !v, !v)
  }
  %z = pattern.map tokens(%yt = %y : !t, %ht = %h : tensor<?x?x2x4xbf16>) -> (!t) {
    %n = arith.subf %yt, %ht : !v
    pattern.yield outputs(%n : !v)
  }
  return %z : !t
}

// A state that an output reads stays, and so does the one that it reads itself.
// CHECK-LABEL: func.func @read(
// CHECK: states(%{{.*}} = zero : tensor<?x2x4xf32>, %{{.*}} = zero : tensor<?x2x4xf32>)
func.func @read(%x: !t) -> !t {
  %y, %a, %b = pattern.scan tokens(%xt = %x : !t) states(%S0 = zero : !s, %S1 = zero : !s) -> (!t) {
    %n0 = arith.addf %S0, %xt : !v
    %n1 = arith.subf %S1, %S0 : !v
    %out = arith.negf %S1 : !v
    pattern.yield outputs(%out : !v) states(%n0, %n1 : !v, !v)
  }
  return %y : !t
}

// A scan that keeps no state is a map, and one of which nothing is used goes, with what it alone used.
// CHECK-LABEL: func.func @stateless(
// CHECK-NEXT: pattern.map
// CHECK-NOT: states
// CHECK-NOT: pattern.scan
// CHECK: return
func.func @stateless(%x: !t) -> !t {
  %z = pattern.map tokens(%xt = %x : !t) -> (!t) {
    %n = arith.negf %xt : !v
    pattern.yield outputs(%n : !v)
  }
  %y, %a = pattern.scan tokens(%xt = %x : !t) states(%S = zero : !s) -> (!t) {
    %n = arith.addf %S, %xt : !v
    %m = arith.addf %xt, %xt : !v
    pattern.yield outputs(%m : !v) states(%n : !v)
  }
  %u, %b = pattern.scan tokens(%zt = %z : !t) states(%S = zero : !s) -> (!t) {
    %n = arith.addf %S, %zt : !v
    pattern.yield outputs(%n : !v) states(%n : !v)
  }
  return %y : !t
}

// A token stays where its final tail is used, and one stays to say how many there are.
// CHECK-LABEL: func.func @tails(
// CHECK-SAME: %[[X:.*]]: tensor<?x?x2x4xf32>, %[[T:.*]]: tensor<?x1x2x4xf32>, %[[U:.*]]: tensor<?x1x2x4xf32>
// CHECK: %[[A:.*]], %[[LAST:.*]] = pattern.map
// CHECK-NEXT: tokens(%{{.*}} = %[[X]] tail %[[T]] : tensor<?x?x2x4xf32>, tensor<?x1x2x4xf32>)
// CHECK-NOT: pattern.lag
// CHECK: %[[ONE:.*]] = pattern.map
// CHECK-NEXT: tokens(%{{.*}} = %[[X]] : tensor<?x?x2x4xf32>)
// CHECK: return %[[A]], %[[LAST]], %[[ONE]]
func.func @tails(%x: !t, %t: tensor<?x1x2x4xf32>, %u: tensor<?x1x2x4xf32>) -> (!t, tensor<?x1x2x4xf32>, !t) {
  %a, %b, %t1, %u1 = pattern.map
      tokens(%p = %x tail %t : !t, tensor<?x1x2x4xf32>, %q = %x tail %u : !t, tensor<?x1x2x4xf32>) -> (!t, !t) {
    %c = arith.constant dense<1.0> : !v
    %before = pattern.lag %p by 1 : !v
    %other = pattern.lag %q by 1 : !v
    %sum = arith.addf %before, %other : !v
    pattern.yield outputs(%c, %sum : !v, !v)
  }
  %d = pattern.map tokens(%p = %x : !t, %q = %a : !t) -> (!t) {
    %c = arith.constant dense<2.0> : !v
    pattern.yield outputs(%c : !v)
  }
  return %a, %t1, %d : !t, tensor<?x1x2x4xf32>, !t
}

// Masks have not been expanded here: nothing is known of what they read.
// CHECK-LABEL: func.func @masked(
// CHECK: %{{.*}}:2 = pattern.map
func.func @masked(%x: !t, %m: tensor<?x?xi1>) -> !t {
  %a, %b = pattern.map tokens(%xt = %x : !t) output_mask(%m : tensor<?x?xi1>) -> (!t, !t) {
    pattern.yield outputs(%xt, %xt : !v, !v)
  }
  return %a : !t
}
