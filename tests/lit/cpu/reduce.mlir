// Reductions and cumulative sums: along columns a vector for each row of a block and one horizontal sum in the end;
// along rows as many running values as a block has rows, then a tree.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v3 --canonicalize --cse | FileCheck %s

!t = tensor<?x?x2x32xf32>
!s = tensor<?x?x2xf32>
tile.program @p inputs(%a: !t, %b: !s) results(%o: !t, %q: !s, %v: !s) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @columns
  // CHECK: %[[VIEW:.*]] = memref.view {{.*}} to memref<16xf32>
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c16 step %c4
  // CHECK: %[[SUMS:.*]]:4 = scf.for %[[PANEL:.*]] = %c0 to %c2 step %c1 iter_args
  // CHECK: %[[COLUMN:.*]] = arith.muli %[[PANEL]], %c16
  // CHECK: vector.load %{{.*}}[%c0, %[[ROW]], %c0, %[[COLUMN]]]
  // CHECK-COUNT-4: arith.addf %{{.*}} : vector<16xf32>
  // CHECK: %[[SUM:.*]] = vector.reduction <add>, %[[SUMS]]#0 fastmath<reassoc>
  // CHECK: memref.store %[[SUM]], %[[VIEW]][%[[ROW]]]
  tile.kernel @columns(%x: !t, %y: !s) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x32xf32>
    %m = tile.reduce add %t over 1 : tensor<16x32xf32> -> tensor<16xf32>
    tile.store %m, %y[%c0, %r, %c0] : tensor<16xf32>, !s, [index, tensor<16xi32>, index]
  }

  // CHECK-LABEL: func.func @rows
  // CHECK: scf.for %[[PANEL:.*]] = %c0 to %c2 step %c1
  // CHECK: %[[MAXIMA:.*]]:4 = scf.for %[[ROW:.*]] = %c0 to %c16 step %c4 iter_args
  // CHECK-COUNT-4: arith.maxnumf
  // CHECK: %[[LEFT:.*]] = arith.maxnumf %[[MAXIMA]]#0, %[[MAXIMA]]#2
  // CHECK: %[[RIGHT:.*]] = arith.maxnumf %[[MAXIMA]]#1, %[[MAXIMA]]#3
  // CHECK: arith.maxnumf %[[LEFT]], %[[RIGHT]]
  tile.kernel @rows(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x32xf32>
    %m = tile.reduce max %t over 0 : tensor<16x32xf32> -> tensor<32xf32>
    tile.store %m, %y[%c0, %c0, %c0] : tensor<32xf32>, !t, [index, index, index]
  }

  // What rounding lost of each sum is summed as well.
  // CHECK-LABEL: func.func @sums
  // CHECK: scf.for %[[ROW:.*]] = %c0 to %c16 step %c1 iter_args(%[[TOTAL:.*]] = %cst, %[[LOST:.*]] = %cst) -> (f32, f32)
  // CHECK: %[[SUM:.*]] = arith.addf %[[TOTAL]], %{{.*}} : f32
  // CHECK-COUNT-4: arith.subf
  // CHECK: %[[ROUNDED:.*]] = arith.addf
  // CHECK: %[[ERROR:.*]] = arith.addf %[[LOST]], %[[ROUNDED]]
  // CHECK: memref.store %[[SUM]], %{{.*}}[%[[ROW]]]
  // CHECK: memref.store %[[ERROR]], %{{.*}}[%[[ROW]]]
  tile.kernel @sums(%x: !s, %y: !s) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !s, [index, tensor<16xi32>, index] -> tensor<16xf32>
    %sum, %error = tile.cumsum %t : tensor<16xf32>
    %u = arith.addf %sum, %error : tensor<16xf32>
    tile.store %u, %y[%c0, %r, %c0] : tensor<16xf32>, !s, [index, tensor<16xi32>, index]
  }
  tile.variant as "all" {
    tile.launch @columns grid(%one)(%a, %q : !t, !s)
    tile.launch @rows grid(%one)(%a, %o : !t, !t)
    tile.launch @sums grid(%one)(%b, %v : !s, !s)
  }
}
