// The gradients of windows as text, and every message of their parser and verifier.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics | linmu-opt -split-input-file | FileCheck %s

!q = tensor<?x?x4x8xbf16>
!k = tensor<?x?x2x8xbf16>
!v = tensor<?x?x1x6xf32>
!o = tensor<?x?x4x6xf32>
!dq = tensor<?x?x4x8xf32>
!dk = tensor<?x?x2x8xf32>

// CHECK-LABEL: func.func @whole
// CHECK: %{{.*}}, %{{.*}}, %{{.*}} = pattern.window_adjoint %arg0, %arg1, %arg2, %arg3 media(%arg4 : tensor<?x4xi32>) window [1, 4, 4] shift [0, 2, 2]
// CHECK-SAME: scale 5.000000e-01 wrap masked : (tensor<?x?x4x8xbf16>, tensor<?x?x2x8xbf16>, tensor<?x?x1x6xf32>, tensor<?x?x4x6xf32>) -> (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x1x6xf32>) score {
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: i32, {{.*}}: i32):
// CHECK: } gradient {
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: i32, {{.*}}: i32, %{{.*}}: f32):
func.func @whole(%q: !q, %k: !k, %v: !v, %do: !o, %m: tensor<?x4xi32>) -> !dq {
  %dq, %dk, %dv = pattern.window_adjoint %q, %k, %v, %do wrap masked scale 0.5 media(%m : tensor<?x4xi32>) window [1, 4, 4]
      shift [0, 2, 2] : (!q, !k, !v, !o) -> (!dq, !dk, !v) score {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    %t = math.absf %s : f32
    pattern.yield outputs(%t : f32)
  } gradient {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32, %d: f32):
    %t = arith.mulf %d, %s : f32
    pattern.yield outputs(%t : f32)
  }
  return %dq : !dq
}

// CHECK-LABEL: func.func @bare
// CHECK: wrap joined : ({{.*}}) -> (tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32>, tensor<?x?x1x6xf32>){{$}}
func.func @bare(%q: !q, %k: !k, %v: !v, %do: !o, %m: tensor<?x4xi32>) -> !dq {
  %dq, %dk, %dv = pattern.window_adjoint %q, %k, %v, %do media(%m : tensor<?x4xi32>) window [1, 4, 4] shift [0, 2, 2]
      scale 0.5 wrap joined : (!q, !k, !v, !o) -> (!dq, !dk, !v)
  return %dq : !dq
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @operands(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires query, key, value and cotangent, as in %q, %k, %v, %do}}
  %d:3 = pattern.window_adjoint %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> (!q, !q, !q)
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @types(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the types of query, key, value and cotangent, got 3}}
  %d:3 = pattern.window_adjoint %q, %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> (!q, !q, !q)
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @results(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the types of the gradients of query, key and value, got 2}}
  %d:2 = pattern.window_adjoint %q, %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q, !q) -> (!q, !q)
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @arrow(%q: !q, %m: tensor<?x4xi32>) {
  %d:3 = pattern.window_adjoint %q, %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q, !q)
  // expected-error @+1 {{requires the types of query, key, value and cotangent, and of the gradients of the first three, as in : (!q, !k, !v, !o) -> (!q, !k, !v)}}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
!h = tensor<?x?x4x8xi32>
func.func @integers(%q: !q, %h: !h, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the cotangent to have type 'tensor<?x?x4x8xf32>', or of bf16 or f16, got 'tensor<?x?x4x8xi32>'}}
  %d:3 = pattern.window_adjoint %q, %q, %q, %h media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q, !h) -> (!q, !q, !q)
  return
}

// -----

!q = tensor<?x?x4x8xf32>
!k = tensor<?x?x2x8xf32>
func.func @gradient(%q: !q, %k: !k, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the key's gradient to have type 'tensor<?x?x2x8xf32>', or of bf16 or f16, got 'tensor<?x?x4x8xf32>'}}
  %d:3 = pattern.window_adjoint %q, %k, %k, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !k, !k, !q) -> (!q, !q, !k)
  return
}

// -----

!q = tensor<?x?x4x8xf32>
!k = tensor<?x?x3x8xf32>
func.func @heads(%q: !q, %k: !k, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the head counts of key and value to divide the query's 4, got 3 and 4}}
  %d:3 = pattern.window_adjoint %q, %k, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !k, !q, !q) -> (!q, !k, !q)
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @arguments(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires a gradient region with arguments (f32, i32 x 7, f32), got 'f32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'}}
  %d:3 = pattern.window_adjoint %q, %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q, !q) -> (!q, !q, !q) score {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    pattern.yield outputs(%s : f32)
  } gradient {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    pattern.yield outputs(%s : f32)
  }
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @yield(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the gradient region to yield one f32 output, got 'f32', 'f32'}}
  %d:3 = pattern.window_adjoint %q, %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q, !q) -> (!q, !q, !q) score {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    pattern.yield outputs(%s : f32)
  } gradient {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32, %d: f32):
    pattern.yield outputs(%s, %d : f32, f32)
  }
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @regions(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires a score region and a gradient region, or neither}}
  %d:3 = "pattern.window_adjoint"(%q, %q, %q, %q, %m) ({
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %head: i32):
    pattern.yield outputs(%s : f32)
  }, {}) {window = array<i64: 1, 2, 2>, shift = array<i64: 0, 0, 0>, scale = 1.0} : (!q, !q, !q, !q, tensor<?x4xi32>) -> (!q, !q, !q)
  return
}
