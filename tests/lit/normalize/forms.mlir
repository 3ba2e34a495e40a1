// RUN: linmu-opt --expand-clauses --canonicalize --normalize %s | FileCheck %s

!q = tensor<?x?x4x16xf32>
!g = tensor<?x?x4xf32>
!s = tensor<?x4x16x16xf32>
!v = tensor<16xf32>
!m = tensor<16x16xf32>

// The value that is written back reads the state: feedback, with the decay in its coefficient.
// CHECK-LABEL: func.func @feedback
// CHECK: pattern.normal_scan
// CHECK: %[[G:.*]] = arith.maximumf %{{.*}}, %{{.*}} : f32
// CHECK: pattern.form key_axis 0 decay(%[[G]] : f32) reads(%[[K:.*]], %{{.*}} : tensor<16xf32>, tensor<16xf32>) inclusive [false, true] writes(%[[K]] : tensor<16xf32>) values(%{{.*}} : tensor<16xf32>) feedback(%{{.*}}) at [0, 0]
func.func @feedback(%q: !q, %k: !q, %v: !q, %g: !g, %b: !g, %s0: !s) -> (!q, !s) {
  %o, %s = pattern.scan
      tokens(%qt = %q : !q, %kt = %k : !q, %vt = %v : !q, %gt = %g : !g, %bt = %b : !g)
      states(%S = %s0 : !s) -> (!q) {
    %gs = pattern.softplus %gt : f32
    %gn = arith.negf %gs : f32
    %a = math.exp %gn : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %u = pattern.read %D, %kt : !m, !v
    %e = arith.subf %vt, %u : !v
    %bb = pattern.broadcast %bt : f32 to !v
    %w = arith.mulf %bb, %e : !v
    %W = pattern.outer %kt, %w : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o, %s : !q, !s
}

// Writing b * v leaves no feedback and so no solve.
// CHECK-LABEL: func.func @no_feedback
// CHECK: pattern.form key_axis 0 decay({{.*}} : f32) reads({{.*}}) inclusive [true] writes({{.*}}) values({{.*}}) at []
func.func @no_feedback(%q: !q, %k: !q, %v: !q, %g: !g, %b: !g) -> !q {
  %o, %s = pattern.scan
      tokens(%qt = %q : !q, %kt = %k : !q, %vt = %v : !q, %gt = %g : !g, %bt = %b : !g)
      states(%S = zero : !s) -> (!q) {
    %a = pattern.sigmoid %gt : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %bb = pattern.broadcast %bt : f32 to !v
    %w = arith.mulf %bb, %vt : !v
    %W = pattern.outer %kt, %w : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !q
}

// A state stored transposed reads along axis 1; a normaliser is a stage of its own; segments and masks have
// become selects.
// CHECK-LABEL: func.func @transposed
// CHECK: pattern.normal_scan reverse
// CHECK-NOT: segments
// CHECK: pattern.lag %{{.*}} by 1 otherwise
// CHECK: pattern.form key_axis 1 decay(%{{.*}} : tensor<16xf32>)
// CHECK: pattern.form key_axis 0 decay(%{{.*}} : tensor<16xf32>)
// CHECK: finish
func.func @transposed(%q: !q, %k: !q, %v: !q, %g: !q, %m: tensor<?x?xi1>, %id: tensor<?x?xi32>) -> !q {
  %o, %s, %n = pattern.scan reverse
      tokens(%qt = %q : !q, %kt = %k : !q, %vt = %v : !q, %gt = %g : !q)
      states(%S = zero : !s, %n0 = zero : tensor<?x4x16xf32>)
      segments(%id : tensor<?x?xi32>)
      source_mask(%m : tensor<?x?xi1>) zeroes(%kt)
      -> (!q) {
    %a = pattern.sigmoid %gt : !v
    %A = pattern.broadcast %a along 1 : !v to !m
    %W = pattern.outer %vt, %kt : !v, !v
    %D = arith.mulf %A, %S : !m
    %S1 = arith.addf %D, %W : !m
    %na = arith.mulf %a, %n0 : !v
    %n1 = arith.addf %na, %kt : !v
    %y = pattern.read_transposed %S1, %qt : !m, !v
    %z = pattern.dot %n1, %qt : !v
    %Z = pattern.broadcast %z : f32 to !v
    %r = arith.divf %y, %Z : !v
    pattern.yield outputs(%r : !v) states(%S1, %n1 : !m, !v)
  }
  return %o : !q
}

// CHECK-LABEL: func.func @opaque
// CHECK: pattern.scan
// CHECK: pattern.opaque = "'math.tanh' is on the path from the state to itself and is not linear in it"
func.func @opaque(%k: !q, %v: !q) -> !q {
  %o, %s = pattern.scan
      tokens(%kt = %k : !q, %vt = %v : !q)
      states(%S = zero : !s) -> (!q) {
    %u = pattern.read %S, %kt : !m, !v
    %t = math.tanh %u : !v
    %e = arith.subf %vt, %t : !v
    %W = pattern.outer %kt, %e : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%e : !v) states(%S1 : !m)
  }
  return %o : !q
}

// CHECK-LABEL: func.func @unproven
// CHECK: pattern.opaque = "the decay exp(#2) is not known to be at most 1; state its range with pattern.assume"
func.func @unproven(%k: !q, %v: !q, %g: !g) -> !q {
  %o, %s = pattern.scan
      tokens(%kt = %k : !q, %vt = %v : !q, %gt = %g : !g)
      states(%S = zero : !s) -> (!q) {
    %a = math.exp %gt : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %kt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !q
}

// A vector that keeps a part of each of its elements decays by value.
// CHECK-LABEL: func.func @elementwise
// CHECK: pattern.form key_axis -1 value_decay({{.*}} : tensor<16xf32>) reads({{.*}}) inclusive [false] writes({{.*}}) values({{.*}}) at []
func.func @elementwise(%x: !q, %f: !q) -> !q {
  %o, %s = pattern.scan tokens(%xt = %x : !q, %ft = %f : !q) states(%h = zero : tensor<?x4x16xf32>) -> (!q) {
    %a = pattern.sigmoid %ft : !v
    %kept = arith.mulf %a, %h : !v
    %one = arith.constant dense<1.0> : !v
    %rest = arith.subf %one, %a : !v
    %new = arith.mulf %rest, %xt : !v
    %h1 = arith.addf %kept, %new : !v
    pattern.yield outputs(%h1 : !v) states(%h1 : !v)
  }
  return %o : !q
}

// Rows and columns decay, each by its own factor.
// CHECK-LABEL: func.func @both_axes
// CHECK: pattern.form key_axis 0 decay({{.*}} : tensor<16xf32>) value_decay({{.*}} : tensor<16xf32>) reads({{.*}}) inclusive [true] writes({{.*}}) values({{.*}}) at []
func.func @both_axes(%k: !q, %v: !q, %g: !q) -> !q {
  %o, %s = pattern.scan tokens(%kt = %k : !q, %vt = %v : !q, %gt = %g : !q) states(%S = zero : !s) -> (!q) {
    %a = pattern.sigmoid %gt : !v
    %b = pattern.sigmoid %vt : !v
    %A = pattern.outer %a, %b : !v, !v
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %kt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !q
}

// A decay of either sign: that of its size's logarithm, and 1 or -1.
// CHECK-LABEL: func.func @signed
// CHECK-DAG: %[[LOG:.*]] = arith.maximumf %{{.*}}, %{{.*}} : tensor<16xf32>
// CHECK-DAG: %[[NEGATIVE:.*]] = arith.cmpf olt, %[[X:.*]], %{{.*}} : tensor<16xf32>
// CHECK-DAG: %[[SIGN:.*]] = arith.select %[[NEGATIVE]], %{{.*}}, %{{.*}} : tensor<16xi1>, tensor<16xf32>
// CHECK: pattern.form key_axis 0 decay(%[[LOG]] : tensor<16xf32>) sign(%[[SIGN]] : tensor<16xf32>) reads
func.func @signed(%k: !q, %v: !q, %x: !q) -> !q {
  %o, %s = pattern.scan tokens(%kt = %k : !q, %vt = %v : !q, %xt = %x : !q) states(%S = zero : !s) -> (!q) {
    %a = math.tanh %xt : !v
    %A = pattern.broadcast %a along 0 : !v to !m
    %D = arith.mulf %A, %S : !m
    %u = pattern.read %D, %kt : !m, !v
    %e = arith.subf %vt, %u : !v
    %W = pattern.outer %kt, %e : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %kt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !q
}
