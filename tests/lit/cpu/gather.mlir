// Rows of an order are where its entries say, in loads and stores; columns past the last are masked, rows past the end
// are not stored.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v3 --canonicalize --cse | FileCheck %s

!i = tensor<?x?xi32>
!n = tensor<?x?x2x20xf32>
tile.program @p inputs(%i: !i, %c: !n) results(%n: !n) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @gather
  // CHECK: %[[ORDER:.*]] = memref.view {{.*}} to memref<16xi32>
  // CHECK-COUNT-16: memref.load %{{.*}} : memref<?x?xi32
  // CHECK: vector.store %{{.*}}, %[[ORDER]][%c0]
  // CHECK: scf.for %[[PANEL:.*]] = %c0 to %c2 step %c1
  // CHECK: %[[COLUMN:.*]] = arith.muli %[[PANEL]], %c16
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c16 step %c4
  // CHECK: %[[LEFT:.*]] = arith.subi %c20, %[[COLUMN]]
  // CHECK: %[[MASK:.*]] = vector.create_mask %[[LEFT]]
  // CHECK: %[[ENTRY:.*]] = memref.load %[[ORDER]][%[[ROW]]]
  // CHECK: %[[PLACE:.*]] = arith.index_cast %[[ENTRY]]
  // CHECK: %[[LOADED:.*]] = vector.maskedload %{{.*}}[%c0, %[[PLACE]], %c0, %[[COLUMN]]], %[[MASK]]
  // CHECK-COUNT-3: vector.maskedload
  // CHECK: %[[LIVE:.*]] = arith.cmpi
  // CHECK: scf.if %[[LIVE]]
  // CHECK: %[[ENTRY:.*]] = memref.load %[[ORDER]][%[[ROW]]]
  // CHECK: %[[PLACE:.*]] = arith.index_cast %[[ENTRY]]
  // CHECK: vector.maskedstore %{{.*}}[%c0, %[[PLACE]], %c0, %[[COLUMN]]], %[[MASK]], %[[LOADED]]
  tile.kernel @gather(%x: !n, %order: !i, %y: !n) {
    %c0 = arith.constant 0 : index
    %c9 = arith.constant 9 : i32
    %r = tile.coordinate 0 : tensor<16xi32>
    %e = tile.load %order[%c0, %r] : !i, [index, tensor<16xi32>] -> tensor<16xi32>
    %last = tile.broadcast %c9 : i32 to tensor<16xi32>
    %live = arith.cmpi sle, %r, %last : tensor<16xi32>
    %t = tile.load %x[%c0, %e, %c0] : !n, [index, tensor<16xi32>, index] -> tensor<16x20xf32>
    tile.store %t, %y[%c0, %e, %c0] where %live : tensor<16xi1> : tensor<16x20xf32>, !n, [index, tensor<16xi32>, index]
  }
  tile.variant as "gather" {
    tile.launch @gather grid(%one)(%c, %i, %n : !n, !i, !n)
  }
}
