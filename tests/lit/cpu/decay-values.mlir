// Each value decays by one more factor with every row that meets it.
// RUN: linmu-opt %s --lower-tile-to-cpu=cpu=x86-64-v3 --canonicalize --cse | FileCheck %s

!t = tensor<?x?x2x16xf32>
tile.program @p inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: func.func @inclusive
  // CHECK: scf.for %[[TOKEN:.*]] = %c0 to %c16 step %c1
  // CHECK: vector.fma
  // CHECK: scf.for {{.*}} iter_args(%[[VALUE:.*]] = %{{.*}}) -> (vector<16xf32>)
  // CHECK: %[[DECAYED:.*]] = arith.mulf %[[VALUE]], %{{.*}} : vector<16xf32>
  // CHECK: vector.fma %{{.*}}, %[[DECAYED]], %{{.*}}
  // CHECK: scf.yield %[[DECAYED]]
  // CHECK-LABEL: func.func @exclusive
  // CHECK: scf.for {{.*}} iter_args(%[[VALUE:.*]] = %{{.*}}) -> (vector<16xf32>)
  // CHECK: %[[DECAYED:.*]] = arith.mulf %[[VALUE]]
  // CHECK: vector.fma %{{.*}}, %[[VALUE]], %{{.*}}
  // CHECK: scf.yield %[[DECAYED]]
  tile.kernel @inclusive(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x16xf32>
    %d = tile.decay_values %t, %t decays %t : tensor<16x16xf32>, tensor<16x16xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x16xf32>, !t, [index, tensor<16xi32>, index]
  }
  tile.kernel @exclusive(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<16xi32>
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, tensor<16xi32>, index] -> tensor<16x16xf32>
    %d = tile.decay_values exclusive %t, %t decays %t : tensor<16x16xf32>, tensor<16x16xf32>
    tile.store %d, %y[%c0, %r, %c0] : tensor<16x16xf32>, !t, [index, tensor<16xi32>, index]
  }
  tile.variant as "both" {
    tile.launch @inclusive grid(%one)(%a, %o : !t, !t)
    tile.launch @exclusive grid(%one)(%a, %o : !t, !t)
  }
}
