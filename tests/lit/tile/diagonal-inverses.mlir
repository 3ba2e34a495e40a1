// A solve of one system by the inverses of its diagonal blocks; more than one goes on by steps.
// RUN: linmu-opt %s --expand-macro-ops=diagonal-inverses --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @one
func.func @one(%a: tensor<32x32xf32>, %v: tensor<32x8xf32>) -> tensor<32x8xf32> {
  // CHECK: %[[INVERSES:.*]] = tile.diagonal_inverses %arg0 : tensor<32x32xf32> -> tensor<32x16xf32>
  // CHECK-DAG: %[[V0:.*]] = tensor.extract_slice %arg1[0, 0] [16, 8]
  // CHECK-DAG: %[[T0:.*]] = tensor.extract_slice %[[INVERSES]][0, 0] [16, 16]
  // CHECK: %[[W0:.*]] = tile.dot %[[T0]], %[[V0]] triangle lhs_lower
  // CHECK-DAG: %[[V1:.*]] = tensor.extract_slice %arg1[16, 0] [16, 8]
  // CHECK-DAG: %[[A:.*]] = tensor.extract_slice %arg0[16, 0] [16, 16]
  // CHECK: %[[LEFT:.*]] = tile.dot %[[A]], %[[W0]] init %[[V1]]
  // CHECK: %[[T1:.*]] = tensor.extract_slice %[[INVERSES]][16, 0] [16, 16]
  // CHECK: tile.dot %[[T1]], %[[LEFT]]
  // CHECK-NOT: scf.for
  %w = tile.solve systems(%a : tensor<32x32xf32>) values(%v : tensor<32x8xf32>) -> tensor<32x8xf32>
  return %w : tensor<32x8xf32>
}

// CHECK-LABEL: func.func @two
func.func @two(%a: tensor<16x16xf32>, %v: tensor<16x8xf32>) -> (tensor<16x8xf32>, tensor<16x8xf32>) {
  // CHECK-NOT: tile.diagonal_inverses
  // CHECK: scf.for
  %w:2 = tile.solve systems(%a, %a, %a, %a : tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>) values(%v, %v : tensor<16x8xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>, tensor<16x8xf32>
  return %w#0, %w#1 : tensor<16x8xf32>, tensor<16x8xf32>
}
