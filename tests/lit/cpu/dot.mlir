// A product is register blocks: four rows of 16 columns with 256-bit registers, eight of 16, 32 or 48 with 512-bit
// ones.
// Of a lower triangle a block of rows ends with its last row.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v3 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V3
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v4 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,V4

!t = tensor<?x?x2x16xf32>
!w = tensor<?x?x2x64xf32>
!n = tensor<?x?x2x48xf32>
tile.program @p inputs(%a: !t) results(%o: !t, %p: !w, %q: !n) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @product
  // CHECK: %[[LHS:.*]] = memref.view %{{.*}} to memref<16x16xf32>
  // CHECK: %[[RHS:.*]] = memref.view %{{.*}} to memref<1x16x16xf32>
  // V3: scf.for %[[ROW:.*]] = %c0 to %c16 step %c4
  // V4: scf.for %[[ROW:.*]] = %c0 to %c16 step %c8
  // V3: scf.for {{.*}} = %c0 to %c16 step %c4 iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // V4-COUNT-8: vector.fma
  // CHECK: vector.load %[[RHS]][%c0
  // CHECK: memref.load %[[LHS]]
  // CHECK: vector.fma
  // CHECK-LABEL: func.func @triangle
  // V3: scf.for %[[ROW:.*]] = %c0 to %c16 step %c4
  // V3: scf.for {{.*}} = %c0 to %[[ROW]] step %c4
  // V3: %[[END:.*]] = arith.addi %[[ROW]], %c4
  // V3: scf.for {{.*}} = %c0 to %[[END]] step %c4 iter_args
  tile.kernel @product(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x16xf32>
    %d = tile.dot %t, %t : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x16xf32>, !t, [index, tensor<16xi32>, index]
  }
  tile.kernel @triangle(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x16xf32>
    %w = tile.solve systems(%t : tensor<16x16xf32>) values(%t : tensor<16x16xf32>) -> tensor<16x16xf32>
    %d = tile.dot %t, %w triangle lhs_lower : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x16xf32>, !t, [index, tensor<16xi32>, index]
  }
  // One element of the left-hand side meets every panel of the block.
  // CHECK-LABEL: func.func @two_panels
  // V3: scf.for %{{.*}} = %c0 to %c4 step %c1
  // V3: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // V4: scf.for %[[PANEL:.*]] = %c0 to %c4 step %c2
  // V4: scf.for %[[K:.*]] = %c0 to %c16 step %c2 iter_args
  // V4: %[[LEFT:.*]] = vector.load %{{.*}}[%[[PANEL]], %[[K]], %c0] : memref<4x16x16xf32>
  // V4: %[[NEXT:.*]] = arith.addi %[[PANEL]], %c1
  // V4: %[[RIGHT:.*]] = vector.load %{{.*}}[%[[NEXT]], %[[K]], %c0] : memref<4x16x16xf32>
  // V4: %[[ELEMENT:.*]] = memref.load
  // V4: %[[ELEMENTS:.*]] = vector.broadcast %[[ELEMENT]]
  // V4: vector.fma %[[ELEMENTS]], %[[LEFT]]
  // V4: vector.fma %[[ELEMENTS]], %[[RIGHT]]
  // V4-COUNT-30: vector.fma
  // V4-NOT: vector.fma
  // V4: scf.yield
  // CHECK-LABEL: func.func @three_panels
  // V4: scf.for %{{.*}} = %c0 to %c16 step %c8
  // V4: scf.for %{{.*}} = %c0 to %c16 step %c1 iter_args
  // V4-COUNT-24: vector.fma
  // V4-NOT: vector.fma
  // V4: scf.yield
  tile.kernel @two_panels(%x: !t, %y: !w) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x16xf32>
    %u = tile.load %y[%c0, %r, %c0] : !w, [index, tensor<16xi32>, index] -> tensor<16x64xf32>
    %d = tile.dot %t, %u : tensor<16x16xf32>, tensor<16x64xf32> -> tensor<16x64xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x64xf32>, !w, [index, tensor<16xi32>, index]
  }
  tile.kernel @three_panels(%x: !t, %y: !n) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x16xf32>
    %u = tile.load %y[%c0, %r, %c0] : !n, [index, tensor<16xi32>, index] -> tensor<16x48xf32>
    %d = tile.dot %t, %u : tensor<16x16xf32>, tensor<16x48xf32> -> tensor<16x48xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x48xf32>, !n, [index, tensor<16xi32>, index]
  }
  tile.variant as "both" {
    tile.launch @product grid(%one)(%a, %o : !t, !t)
    tile.launch @triangle grid(%one)(%a, %o : !t, !t)
    tile.launch @two_panels grid(%one)(%a, %p : !t, !w)
    tile.launch @three_panels grid(%one)(%a, %q : !t, !n)
  }
}
