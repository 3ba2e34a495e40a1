// RUN: linmu-opt --expand-clauses --canonicalize --normalize --mlir-print-local-scope %s | FileCheck %s

// Every reason that keeps a scan out of the normal form.

!t = tensor<?x?x2x4xf32>
!g = tensor<?x?x2xf32>
!s = tensor<?x2x4x4xf32>
!u = tensor<?x2x4xf32>
!v = tensor<4xf32>
!m = tensor<4x4xf32>

// CHECK-LABEL: @value_columns
// CHECK: pattern.opaque = "the decay differs between value columns, beside feedback: each column would need a triangular system of its own", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:10)
func.func @value_columns(%x: !t, %g: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t, %gt = %g : !t) states(%S = zero : !s) -> (!t) {
    %c = pattern.sigmoid %k : !v
    %d = pattern.sigmoid %gt : !v
    %C = pattern.broadcast %c along 1 : !v to !m
    %E = pattern.broadcast %d along 0 : !v to !m
    %D = arith.mulf %C, %S : !m
    %F = arith.mulf %E, %D : !m
    %u = pattern.read %S, %k : !m, !v
    %e = arith.subf %k, %u : !v
    %W = pattern.outer %k, %e : !v, !v
    %S1 = arith.addf %F, %W : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @mixed_by_row
// CHECK: pattern.opaque = "'arith.addf' mixes states by factors that differ between elements: chunks would need the running products of matrices of each element", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:10)
func.func @mixed_by_row(%x: !t) -> !t {
  %o, %s, %r = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s, %R = zero : !s) -> (!t) {
    %F = pattern.broadcast %k along 0 : !v to !m
    %T = arith.mulf %F, %R : !m
    %S1 = arith.addf %T, %S : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1, %R : !m, !m)
  }
  return %o : !t
}

// CHECK-LABEL: @vectors_mixed_by_element
// CHECK: pattern.opaque = "'arith.addf' mixes states by factors that differ between elements: chunks would need the running products of matrices of each element"
func.func @vectors_mixed_by_element(%x: !t) -> !t {
  %o, %s, %r = pattern.scan tokens(%k = %x : !t) states(%S = zero : tensor<?x2x4xf32>, %R = zero : tensor<?x2x4xf32>) -> (!t) {
    %T = arith.mulf %k, %R : !v
    %S1 = arith.addf %T, %S : !v
    %U = arith.mulf %k, %S : !v
    %R1 = arith.subf %R, %U : !v
    pattern.yield outputs(%S1 : !v) states(%S1, %R1 : !v, !v)
  }
  return %o : !t
}

// CHECK-LABEL: @decay_from_read
// CHECK: pattern.opaque = "the decay depends on what was read from the same state", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+5]]:10)
func.func @decay_from_read(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %u = pattern.read %S, %k : !m, !v
    %d = pattern.dot %u, %k : !v
    %a = pattern.sigmoid %d : f32
    %A = pattern.broadcast %a : f32 to !m
    %S1 = arith.mulf %A, %S : !m
    %W = pattern.outer %k, %k : !v, !v
    %S2 = arith.addf %S1, %W : !m
    pattern.yield outputs(%u : !v) states(%S2 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @key_from_read
// CHECK: pattern.opaque = "the key of a write depends on what was read from the same state", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:10)
func.func @key_from_read(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %u = pattern.read %S, %k : !m, !v
    %W = pattern.outer %u, %k : !v, !v
    %S2 = arith.addf %S, %W : !m
    pattern.yield outputs(%u : !v) states(%S2 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @read_key_from_read
// CHECK: pattern.opaque = "a read's key depends on what was read from the same state", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+4]]:10)
func.func @read_key_from_read(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %u = pattern.read %S, %k : !m, !v
    %w = pattern.read %S, %u : !m, !v
    %W = pattern.outer %k, %k : !v, !v
    %S2 = arith.addf %S, %W : !m
    pattern.yield outputs(%w : !v) states(%S2 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @range
// CHECK: pattern.opaque = "the decay #1 is not known to be in [-1, 1]; state its range with pattern.assume", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:10)
func.func @range(%x: !t, %g: !g) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t, %a = %g : !g) states(%S = zero : !s) -> (!t) {
    %A = pattern.broadcast %a : f32 to !m
    %S1 = arith.mulf %A, %S : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @growth
// CHECK: pattern.opaque = "the decay exp(#1) is not known to be at most 1; state its range with pattern.assume", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:10)
func.func @growth(%x: !t, %g: !g) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t, %a = %g : !g) states(%S = zero : !s) -> (!t) {
    %e = math.exp %a : f32
    %A = pattern.broadcast %e : f32 to !m
    %S1 = arith.mulf %A, %S : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @nonlinear
// CHECK: pattern.opaque = "'math.tanh' is on the path from the state to itself and is not linear in it", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+5]]:11)
func.func @nonlinear(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %W : !m
    %S2 = math.tanh %S1 : !m
    %y = pattern.read %S2, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S2 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @squared
// CHECK: pattern.opaque = "'arith.mulf' is on the path from the state to itself and is not linear in it", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:11)
func.func @squared(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %S1 = arith.mulf %S, %S : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @full_matrix
// CHECK: pattern.opaque = "'math.tanh' makes a full matrix for each token", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+4]]:10)
func.func @full_matrix(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %k, %k : !v, !v
    %T = math.tanh %W : !m
    %S1 = arith.addf %S, %T : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @matrix_param
// CHECK: pattern.opaque = "'arith.addf' combines the state with a full matrix", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:11)
func.func @matrix_param(%x: !t, %p: tensor<2x4x4xf32>) -> !t {
  %o, %s = pattern.scan params(%P = %p : tensor<2x4x4xf32>) tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %S1 = arith.addf %S, %P : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @sum_of_products
// CHECK: pattern.opaque = "'arith.mulf' scales the state by a matrix that is not an outer product", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+6]]:11)
func.func @sum_of_products(%x: !t, %z: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t, %v = %z : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %k, %v : !v, !v
    %U = pattern.outer %v, %k : !v, !v
    %F = arith.addf %W, %U : !m
    %S1 = arith.mulf %F, %S : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @other_axis
// CHECK: pattern.opaque = "'pattern.read_transposed' reads the state along an axis other than its key's", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+6]]:10)
func.func @other_axis(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %W : !m
    %y = pattern.read %S, %k : !m, !v
    %w = pattern.read_transposed %S, %k : !m, !v
    %r = arith.addf %y, %w : !v
    pattern.yield outputs(%r : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @circle
// CHECK: pattern.opaque = "the states #0 and #1 depend on each other and differ in shape or are read along different axes: chunks would need one transition of all of them", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+2]]:16)
func.func @circle(%x: !t) -> !t {
  %o, %s, %r = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s, %R = zero : tensor<?x2x4xf32>) -> (!t) {
    %a = pattern.read %S, %k : !m, !v
    %b = pattern.dot %R, %k : !v
    %B = pattern.broadcast %b : f32 to !v
    %U = pattern.outer %k, %B : !v, !v
    %S1 = arith.addf %S, %U : !m
    %c = pattern.dot %a, %k : !v
    %C = pattern.broadcast %c : f32 to !v
    %W = arith.mulf %C, %k : !v
    %R1 = arith.addf %R, %W : !v
    pattern.yield outputs(%a : !v) states(%S1, %R1 : !m, !v)
  }
  return %o : !t
}

// CHECK-LABEL: @nonlinear_feedback
// CHECK: pattern.opaque = "'math.tanh' is on the path from the state to itself and is not linear in it", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+4]]:10)
func.func @nonlinear_feedback(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %u = pattern.read %S, %k : !m, !v
    %w = math.tanh %u : !v
    %W = pattern.outer %k, %w : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%u : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @sums_two_scales
// CHECK: pattern.opaque = "'arith.addf' scales the state by a full matrix", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+7]]:11)
func.func @sums_two_scales(%x: !t, %z: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t, %v = %z : !t) states(%S = zero : !s) -> (!t) {
    %C = pattern.broadcast %k along 0 : !v to !m
    %R = pattern.broadcast %v along 1 : !v to !m
    %A = arith.mulf %C, %S : !m
    %B = arith.mulf %R, %S : !m
    %S1 = arith.addf %A, %B : !m
    %y = pattern.read %S1, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @vector_nonlinear
// CHECK: pattern.opaque = "'math.tanh' is on the path from the state to itself and is not linear in it", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+3]]:10)
func.func @vector_nonlinear(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !u) -> (!t) {
    %T = math.tanh %S : !v
    %S1 = arith.addf %T, %k : !v
    pattern.yield outputs(%S1 : !v) states(%S1 : !v)
  }
  return %o : !t
}

// CHECK-LABEL: @squares_a_read
// CHECK: pattern.opaque = "'arith.mulf' multiplies what was read by itself", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+4]]:10)
func.func @squares_a_read(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %y = pattern.read %S, %k : !m, !v
    %z = arith.mulf %y, %y : !v
    %W = pattern.outer %k, %z : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @chooses_by_a_read
// CHECK: pattern.opaque = "'arith.select' chooses by what was read or differently in each column", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+5]]:10)
func.func @chooses_by_a_read(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %y = pattern.read %S, %k : !m, !v
    %p = arith.cmpf ogt, %y, %k : !v
    %z = arith.select %p, %y, %k : tensor<4xi1>, !v
    %W = pattern.outer %k, %z : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @divides_by_a_read
// CHECK: pattern.opaque = "'arith.divf' divides by what was read", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+4]]:10)
func.func @divides_by_a_read(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %y = pattern.read %S, %k : !m, !v
    %z = arith.divf %k, %y : !v
    %W = pattern.outer %k, %z : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @state_as_output
// CHECK: pattern.opaque = "'pattern.yield' needs the whole state at once", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+5]]:5)
func.func @state_as_output(%x: !t) -> tensor<?x?x2x4x4xf32> {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (tensor<?x?x2x4x4xf32>) {
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%S1 : !m) states(%S1 : !m)
  }
  return %o : tensor<?x?x2x4x4xf32>
}

// CHECK-LABEL: @matrix_as_output
// CHECK: pattern.opaque = "'pattern.yield' needs a whole matrix", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+5]]:5)
func.func @matrix_as_output(%x: !t) -> tensor<?x?x2x4x4xf32> {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (tensor<?x?x2x4x4xf32>) {
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%W : !m) states(%S1 : !m)
  }
  return %o : tensor<?x?x2x4x4xf32>
}

// CHECK-LABEL: @token_as_state
// CHECK: pattern.opaque = "the next state is not of low rank", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+2]]:8)
func.func @token_as_state(%x: tensor<?x?x2x4x4xf32>) -> !s {
  %s = pattern.scan tokens(%k = %x : tensor<?x?x2x4x4xf32>) states(%S = zero : !s) {
    pattern.yield states(%k : !m)
  }
  return %s : !s
}

// CHECK-LABEL: @whole_state
func.func @whole_state(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %a = pattern.sum %S over 0 : !m
    %b = pattern.sum %a over 0 : !v
    %B = pattern.broadcast %b : f32 to !v
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %W : !m
    pattern.yield outputs(%B : !v) states(%S1 : !m)
  }
  return %o : !t
}

// CHECK-LABEL: @read_of_bent_state
// CHECK: pattern.opaque = "'math.tanh' is not linear in the state and comes before it is read", pattern.opaque_at = loc({{.*}}opaque.mlir":[[#@LINE+5]]:10)
func.func @read_of_bent_state(%x: !t) -> !t {
  %o, %s = pattern.scan tokens(%k = %x : !t) states(%S = zero : !s) -> (!t) {
    %W = pattern.outer %k, %k : !v, !v
    %S1 = arith.addf %S, %W : !m
    %T = math.tanh %S1 : !m
    %y = pattern.read %T, %k : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }
  return %o : !t
}
