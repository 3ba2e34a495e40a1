// Every clause and step op in one file, which round-trips.
// RUN: linmu-opt %s > %t.once
// RUN: linmu-opt %t.once > %t.twice
// RUN: diff %t.once %t.twice
// RUN: FileCheck %s < %t.once

!rows = tensor<?x?x4x8xbf16>
!grouped = tensor<?x?x2x8xf16>
!scalars = tensor<?x?x4xf32>
!tail = tensor<?x2x4x8xbf16>
!state = tensor<?x4x8x8xf32>
!vector = tensor<?x4x8xf32>
!single = tensor<?x4xf32>

// CHECK-LABEL: func.func @clauses
func.func @clauses(%x: !rows, %k: !grouped, %g: !scalars, %flag: tensor<?x?x1xi1>, %step: tensor<?x?x1xi32>,
                   %w: tensor<4x8xf32>, %bias: tensor<1xf32>, %tail: !tail, %m0: !vector, %order: tensor<?x?xi32>,
                   %cu: tensor<?xi32>, %id: tensor<?x?xi32>, %id0: tensor<?x1xi32>, %source: tensor<?x?xi1>, %live: tensor<?x?xi1>)
    -> (!rows, !scalars, !state, !vector, !single, !tail, tensor<?x1xi32>) {
  // CHECK: pattern.scan reverse
  // CHECK-NEXT: params(%{{.*}} = %{{.*}} : tensor<4x8xf32>, %{{.*}} = %{{.*}} : tensor<1xf32>)
  // CHECK-NEXT: tokens(%{{.*}} = %{{.*}} tail %{{.*}} : tensor<?x?x4x8xbf16>, tensor<?x2x4x8xbf16>,
  // CHECK-NEXT: states(%{{.*}} = zero : tensor<?x4x8x8xf32>, %{{.*}} = %{{.*}} : tensor<?x4x8xf32>, %{{.*}} = zero : tensor<?x4xf32>)
  // CHECK-NEXT: order(
  // CHECK-NEXT: sequences(%{{.*}} : tensor<?xi32>)
  // CHECK-NEXT: segments(%{{.*}} tail %{{.*}} : tensor<?x?xi32>, tensor<?x1xi32>)
  // CHECK-NEXT: source_mask({{.*}}) zeroes(
  // CHECK-NEXT: output_mask(
  // CHECK-NEXT: -> (tensor<?x?x4x8xbf16>, tensor<?x?x4xf32>)
  %o, %p, %s, %m, %n, %t, %id1 = pattern.scan reverse
      params(%wt = %w : tensor<4x8xf32>, %b = %bias : tensor<1xf32>)
      tokens(%xt = %x tail %tail : !rows, !tail, %kt = %k : !grouped, %gt = %g : !scalars,
             %ft = %flag : tensor<?x?x1xi1>, %it = %step : tensor<?x?x1xi32>)
      states(%S = zero : !state, %M = %m0 : !vector, %c = zero : !single)
      order(%order : tensor<?x?xi32>)
      sequences(%cu : tensor<?xi32>)
      segments(%id tail %id0 : tensor<?x?xi32>, tensor<?x1xi32>)
      source_mask(%source : tensor<?x?xi1>) zeroes(%kt)
      output_mask(%live : tensor<?x?xi1>)
      -> (!rows, !scalars) {
    %x1 = pattern.lag %xt by 1 : tensor<8xf32>
    // CHECK: pattern.lag %{{.*}} by 2 : tensor<8xf32>
    %x2 = pattern.lag %xt by 2 : tensor<8xf32>
    // CHECK: pattern.lag %{{.*}} by 3 otherwise %{{.*}} : i32 : i32
    %i3 = pattern.lag %it by 3 otherwise %it : i32 : i32
    %same = arith.cmpi eq, %i3, %it : i32
    %both = arith.andi %same, %ft : i1
    %sum = arith.addf %x1, %x2 : tensor<8xf32>
    %v = arith.mulf %sum, %wt : tensor<8xf32>
    // CHECK: pattern.assume %{{.*}} in [-1.000000e+02, 0.000000e+00] : f32
    %log = pattern.assume %gt in [-100.0, 0.0] : f32
    %a = math.exp %log : f32
    %A = pattern.broadcast %a : f32 to tensor<8x8xf32>
    // CHECK: pattern.broadcast %{{.*}} along 0 : tensor<8xf32> to tensor<8x8xf32>
    %K = pattern.broadcast %kt along 0 : tensor<8xf32> to tensor<8x8xf32>
    %gate = pattern.sigmoid %b : f32
    %plus = pattern.softplus %v : tensor<8xf32>
    %D = arith.mulf %A, %S : tensor<8x8xf32>
    %u = pattern.read_transposed %D, %plus : tensor<8x8xf32>, tensor<8xf32>
    %W = pattern.outer %kt, %v : tensor<8xf32>, tensor<8xf32>
    %S1 = arith.addf %D, %W : tensor<8x8xf32>
    %S2 = arith.addf %S1, %K : tensor<8x8xf32>
    %M1 = arith.maximumf %M, %v : tensor<8xf32>
    // CHECK: pattern.sum %{{.*}} over 1 : tensor<8x8xf32>
    %rows = pattern.sum %S2 over 1 : tensor<8x8xf32>
    %total = pattern.sum %rows over 0 : tensor<8xf32>
    %c1 = arith.select %both, %total, %c : f32
    %y = pattern.read %S2, %u : tensor<8x8xf32>, tensor<8xf32>
    %d = pattern.dot %y, %M1 : tensor<8xf32>
    %q = arith.mulf %d, %gate : f32
    pattern.yield outputs(%y, %q : tensor<8xf32>, f32) states(%S2, %M1, %c1 : tensor<8x8xf32>, tensor<8xf32>, f32)
  }
  return %o, %p, %s, %m, %n, %t, %id1 : !rows, !scalars, !state, !vector, !single, !tail, tensor<?x1xi32>
}

// CHECK-LABEL: func.func @media
func.func @media(%q: !rows, %k: !grouped, %v: !grouped, %table: tensor<?x4xi32>) -> (!rows, !rows) {
  // CHECK: pattern.token_order <y, x, t> media(
  %i = pattern.token_order #pattern.order<y, x, t> media(%table : tensor<?x4xi32>) like %q : !rows -> tensor<?x?xi32>
  // CHECK: pattern.permute inverse %{{.*}} order(
  %p = pattern.permute inverse %q order(%i : tensor<?x?xi32>) : !rows
  // CHECK: pattern.window_attention {{.*}} window [1, 8, 8] shift [0, 4, 4] scale {{.*}} wrap joined
  %o = pattern.window_attention %q, %k, %v media(%table : tensor<?x4xi32>) window [1, 8, 8] shift [0, 4, 4]
      scale 0.125 wrap joined : (!rows, !grouped, !grouped) -> !rows {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %h: i32):
    %d = arith.subi %qx, %kx : i32
    %f = arith.sitofp %d : i32 to f32
    %slope = arith.constant 0.25 : f32
    %bias = arith.mulf %f, %slope : f32
    %r = arith.subf %s, %bias : f32
    pattern.yield outputs(%r : f32)
  }
  return %o, %p : !rows, !rows
}
