// Rows of a range: those of an order are looked up once for all loads and stores; dead rows are zero and are not
// stored; a slice of columns is loaded as it lies.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v4 --canonicalize --cse | FileCheck %s

!i = tensor<?x?xi32>
!t = tensor<?x?x2x32xf32>
tile.program @p inputs(%i: !i, %a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @ordered
  // CHECK-SAME: %[[LIVE:[a-z0-9]+]]: index) attributes
  // CHECK: scf.for %[[AT:.*]] = %c0 to %c16 step %c1
  // CHECK: arith.cmpi slt, %[[AT]], %[[LIVE]]
  // CHECK: %[[ROW:.*]] = scf.if
  // CHECK: %[[POSITION:.*]] = arith.subi %c9, %[[AT]]
  // CHECK: memref.load %{{.*}}[%c0, %[[POSITION]]] : memref<?x?xi32
  // CHECK: scf.yield %c0_i64
  // CHECK: memref.store %[[ROW]], %[[ROWS:.*]][%[[AT]]] : memref<16xi64>
  // CHECK: scf.for %[[R:.*]] = %c0 to %c16 step %c1
  // CHECK: scf.if
  // CHECK: memref.load %[[ROWS]][%[[R]]]
  // CHECK: vector.load %{{.*}}[%c0, %{{.*}}, %c1, %c16] : memref<?x?x2x32xf32
  // CHECK: else
  // CHECK: vector.store %cst
  // CHECK: scf.if
  // CHECK: memref.load %[[ROWS]]
  // CHECK: vector.store %{{.*}}, %{{.*}}[%c0, %{{.*}}, %c1, %c0] : memref<?x?x2x32xf32
  tile.kernel @ordered(%x: !t, %order: !i, %y: !t, %live: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c9 = arith.constant 9 : index
    %c16 = arith.constant 16 : index
    %rows = tile.range %c9 to %live backward via %order[%c0] : !i -> !tile.range<16>
    %right = tile.range %c16 -> !tile.range<16>
    %left = tile.range %c0 -> !tile.range<16>
    %t = tile.load %x[%c0, %rows, %c1, %right] : !t, [index, !tile.range<16>, index, !tile.range<16>] -> tensor<16x16xf32>
    %d = tile.dot %t, %t : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %d, %y[%c0, %rows, %c1, %left] : tensor<16x16xf32>, !t, [index, !tile.range<16>, index, !tile.range<16>]
  }
  tile.variant as "ordered" {
    tile.launch @ordered grid(%one)(%a, %i, %o, %one : !t, !i, !t, index)
  }
}
