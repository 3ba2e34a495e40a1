// RUN: linmu-opt %s | linmu-opt | FileCheck %s

!query = tensor<?x?x9x64xf32>
!kv = tensor<?x?x3x64xf32>
!state = tensor<?x9x64x64xf32>

// CHECK-LABEL: func.func @delta
func.func @delta(%q: !query, %k: !kv, %v: !kv, %g: tensor<?x?x9xf32>, %beta: tensor<?x?x9xf32>,
                 %s0: !state, %order: tensor<?x?xi32>, %mask: tensor<?x?xi1>) -> (!query, !state) {
  // CHECK: pattern.scan reverse
  // CHECK-NEXT: tokens(
  // CHECK-NEXT: states(
  // CHECK-NEXT: order(
  // CHECK-NEXT: source_mask({{.*}}) zeroes({{.*}}, {{.*}})
  // CHECK-NEXT: output_mask(
  // CHECK-NEXT: -> (tensor<?x?x9x64xf32>)
  %o, %s = pattern.scan reverse
      tokens(%qt = %q : !query, %kt = %k : !kv, %vt = %v : !kv, %gt = %g : tensor<?x?x9xf32>,
             %bt = %beta : tensor<?x?x9xf32>)
      states(%S = %s0 : !state)
      order(%order : tensor<?x?xi32>)
      source_mask(%mask : tensor<?x?xi1>) zeroes(%kt, %vt)
      output_mask(%mask : tensor<?x?xi1>)
      -> (!query) {
    %a = math.exp %gt : f32
    %A = pattern.broadcast %a : f32 to tensor<64x64xf32>
    %D = arith.mulf %A, %S : tensor<64x64xf32>
    %u = pattern.read %D, %kt : tensor<64x64xf32>, tensor<64xf32>
    %e = arith.subf %vt, %u : tensor<64xf32>
    %b = pattern.broadcast %bt : f32 to tensor<64xf32>
    %w = arith.mulf %b, %e : tensor<64xf32>
    %W = pattern.outer %kt, %w : tensor<64xf32>, tensor<64xf32>
    %S1 = arith.addf %D, %W : tensor<64x64xf32>
    %y = pattern.read %S1, %qt : tensor<64x64xf32>, tensor<64xf32>
    pattern.yield outputs(%y : tensor<64xf32>) states(%S1 : tensor<64x64xf32>)
  }
  return %o, %s : !query, !state
}

// A short convolution: lags with a carried tail, then a scan that starts at zero.
// CHECK-LABEL: func.func @convolved
func.func @convolved(%x: !kv, %tail: tensor<?x3x3x64xf32>, %w: tensor<3x64xf32>) -> (!kv, tensor<?x3x3x64xf32>) {
  %y, %t = pattern.map
      params(%wt = %w : tensor<3x64xf32>)
      tokens(%xt = %x tail %tail : !kv, tensor<?x3x3x64xf32>)
      -> (!kv) {
    %x1 = pattern.lag %xt by 1 : tensor<64xf32>
    %p = arith.mulf %x1, %wt : tensor<64xf32>
    %z = arith.addf %xt, %p : tensor<64xf32>
    pattern.yield outputs(%z : tensor<64xf32>)
  }
  return %y, %t : !kv, tensor<?x3x3x64xf32>
}

// CHECK-LABEL: func.func @windows
func.func @windows(%q: !query, %k: !kv, %v: !kv, %m: tensor<?x4xi32>) -> !query {
  // CHECK: pattern.window_attention {{.*}} window [16, 4, 4] shift [8, 2, 2] scale 1.250000e-01 wrap masked
  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window [16, 4, 4] shift [8, 2, 2]
      scale 0.125 wrap masked : (!query, !kv, !kv) -> !query
  return %o : !query
}

// CHECK-LABEL: func.func @permuted
func.func @permuted(%x: !kv, %m: tensor<?x4xi32>) -> !kv {
  // CHECK: pattern.token_order <x, y, t> media(
  %i = pattern.token_order #pattern.order<x, y, t> media(%m : tensor<?x4xi32>) like %x : !kv -> tensor<?x?xi32>
  %y = pattern.permute %x order(%i : tensor<?x?xi32>) : !kv
  return %y : !kv
}
