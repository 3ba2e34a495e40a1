// Rows are copied whole, so that where a row lies is computed once for all its panels; products read the copy.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v4 --canonicalize --cse | FileCheck %s

!t = tensor<?x?x2x32xf32>
tile.program @p inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @rows
  // CHECK: scf.for %[[R:.*]] = %c0 to %c16 step %c1
  // CHECK: %[[LOW:.*]] = vector.load %{{.*}}[%c0, %[[R]], %c0, %c0]
  // CHECK: %[[HIGH:.*]] = vector.load %{{.*}}[%c0, %[[R]], %c0, %c16]
  // CHECK: vector.store %[[LOW]], %[[COPY:.*]][%[[R]], %c0] : memref<16x32xf32>
  // CHECK: vector.store %[[HIGH]], %[[COPY]][%[[R]], %c16] : memref<16x32xf32>
  tile.kernel @rows(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x32xf32>
    %d = tile.dot %t, transpose_rhs %t : tensor<16x32xf32>, tensor<16x32xf32> -> tensor<16x16xf32>
    %e = tile.dot %d, %t : tensor<16x16xf32>, tensor<16x32xf32> -> tensor<16x32xf32>
    tile.store %e, %y[%c0, %r, %c0] : tensor<16x32xf32>, !t, [index, tensor<16xi32>, index]
  }
  tile.variant as "rows" {
    tile.launch @rows grid(%one)(%a, %o : !t, !t)
  }
}
