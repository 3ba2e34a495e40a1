// Sums of whole tensors, as text and in kernels; every message of their verifiers.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @sums
// CHECK: pattern.reduce %{{.*}}, %{{.*}} : tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32> -> tensor<?x?x2x8xbf16>
// CHECK: pattern.reduce %{{.*}} : tensor<?x4x8xf32> -> tensor<1x8xf32>
// CHECK: pattern.inner_product %{{.*}}, %{{.*}} over [0] : tensor<?x4x8xf32> -> tensor<?x4xf32>
func.func @sums(%a: tensor<?x?x4x8xf32>, %b: tensor<?x?x2x8xf32>, %s: tensor<?x4x8xf32>)
    -> (tensor<?x?x2x8xbf16>, tensor<1x8xf32>, tensor<?x4xf32>) {
  %x = pattern.reduce %a, %b : tensor<?x?x4x8xf32>, tensor<?x?x2x8xf32> -> tensor<?x?x2x8xbf16>
  %y = pattern.reduce %s : tensor<?x4x8xf32> -> tensor<1x8xf32>
  %z = pattern.inner_product %s, %s over [0] : tensor<?x4x8xf32> -> tensor<?x4xf32>
  return %x, %y, %z : tensor<?x?x2x8xbf16>, tensor<1x8xf32>, tensor<?x4xf32>
}

// -----

func.func @heads(%a: tensor<?x?x4x8xf32>) {
  // expected-error @+1 {{requires the result to have a head count that divides 4 heads of source #0, got 3}}
  %x = pattern.reduce %a : tensor<?x?x4x8xf32> -> tensor<?x?x3x8xf32>
  return
}

// -----

func.func @features(%a: tensor<?x?x4x8xf32>) {
  // expected-error @+1 {{requires source #0 to have the features of the result, got 'tensor<?x?x4x8xf32>' to 'tensor<?x?x4x4xf32>'}}
  %x = pattern.reduce %a : tensor<?x?x4x8xf32> -> tensor<?x?x4x4xf32>
  return
}

// -----

func.func @kinds(%a: tensor<?x?x4x8xf32>) {
  // expected-error @+1 {{requires source #0 to be a state where the result is a param, got 'tensor<?x?x4x8xf32>' to 'tensor<4x8xf32>'}}
  %x = pattern.reduce %a : tensor<?x?x4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @axes(%s: tensor<?x4x8xf32>) {
  // expected-error @+1 {{requires different axes in [0, 1), got [1]}}
  %z = pattern.inner_product %s, %s over [1] : tensor<?x4x8xf32> -> tensor<?x4x8xf32>
  return
}
