// A running product is carried from row to row, whole rows at a time; reversed ones start at the last row. The
// one that a product takes as its right-hand side is laid out for it.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v3 --canonicalize --cse | FileCheck %s

!t = tensor<?x?x2x32xf32>
!s = tensor<?x?x2xf32>
tile.program @p inputs(%a: !t, %b: !s) results(%o: !t, %p: !s) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @rows
  // CHECK: %[[SOURCE:.*]] = memref.view {{.*}} to memref<16x32xf32>
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c16 step %c1 iter_args(%[[A:.*]] = %cst{{.*}}, %[[B:.*]] = %cst{{.*}}) -> (vector<16xf32>, vector<16xf32>)
  // CHECK: %[[X:.*]] = vector.load %[[SOURCE]][%[[ROW]], %c0]
  // CHECK: %[[Y:.*]] = vector.load %[[SOURCE]][%[[ROW]], %c16]
  // CHECK: %[[NEXT:.*]] = arith.mulf %[[A]], %[[X]]
  // CHECK: %[[NEXT_B:.*]] = arith.mulf %[[B]], %[[Y]]
  // CHECK: vector.store %[[NEXT]], %{{.*}}[%[[ROW]], %c0]
  // CHECK: vector.store %[[NEXT_B]], %{{.*}}[%[[ROW]], %c16]
  // CHECK: scf.yield %[[NEXT]], %[[NEXT_B]]
  // CHECK: scf.for %[[STEP:.*]] = %c0 to %c16 step %c1 iter_args(%[[A:.*]] = %cst{{.*}}, %[[B:.*]] = %cst{{.*}})
  // CHECK: %[[ROW:.*]] = arith.subi %c15, %[[STEP]]
  // CHECK: %[[NEXT:.*]] = arith.mulf %[[A]]
  // CHECK: vector.store %[[A]], %{{.*}}[%[[ROW]], %c0]
  // CHECK: scf.yield %[[NEXT]]
  // CHECK: vector.shuffle
  // CHECK: vector.store %{{.*}} : memref<1x32x16xf32>, vector<8xf32>
  tile.kernel @rows(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x32xf32>
    %before = tile.cumprod %t : tensor<16x32xf32>
    %after = tile.cumprod exclusive reversed %t : tensor<16x32xf32>
    %scores = tile.dot %before, transpose_rhs %after : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
    %d = tile.dot %scores, %t : tensor<16x16xf32>, tensor<16x32xf32> -> tensor<16x32xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x32xf32>, !t, [index, tensor<16xi32>, index]
  }
  // CHECK-LABEL: func.func @scalars
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c16 step %c1 iter_args(%[[A:.*]] = %cst{{.*}}) -> (f32)
  // CHECK: %[[X:.*]] = memref.load %{{.*}}[%[[ROW]]] : memref<16xf32>
  // CHECK: %[[NEXT:.*]] = arith.mulf %[[A]], %[[X]] : f32
  // CHECK: memref.store %[[A]], %{{.*}}[%[[ROW]]] : memref<16xf32>
  tile.kernel @scalars(%x: !s, %y: !s) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !s, [index, tensor<16xi32>, index] -> tensor<16xf32>
    %u = tile.cumprod exclusive %t : tensor<16xf32>
    tile.store %u, %y[%c0, %r, %c0] : tensor<16xf32>, !s, [index, tensor<16xi32>, index]
  }
  tile.variant as "both" {
    tile.launch @rows grid(%one)(%a, %o : !t, !t)
    tile.launch @scalars grid(%one)(%b, %p : !s, !s)
  }
}
