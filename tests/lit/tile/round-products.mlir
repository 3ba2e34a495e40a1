// Operands of products in bf16: what was extended from it is taken as it was, the rest is rounded.
// RUN: linmu-opt %s --round-products | FileCheck %s
// RUN: not linmu-opt %s --round-products=type=f64 2>&1 | FileCheck %s --check-prefix=TYPE

// TYPE: round-products requires type=bf16 or type=f16, got 'f64'
// CHECK-LABEL: func.func @f(
func.func @f(%a: tensor<16x16xbf16>, %b: tensor<16x16xf32>, %h: tensor<16x16xf16>) -> (tensor<16x16xf32>, tensor<16x16xf32>) {
  %wide = arith.extf %a : tensor<16x16xbf16> to tensor<16x16xf32>
  // CHECK: %[[B:.*]] = arith.truncf %{{.*}} : tensor<16x16xf32> to tensor<16x16xbf16>
  // CHECK: tile.dot %arg0, %[[B]]
  %c = tile.dot %wide, %b : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
  // CHECK: tile.dot %arg2, %arg2
  %d = tile.dot %h, %h : tensor<16x16xf16>, tensor<16x16xf16> -> tensor<16x16xf32>
  return %c, %d : tensor<16x16xf32>, tensor<16x16xf32>
}
