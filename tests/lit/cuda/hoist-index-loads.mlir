// What says where rows lie is read at the start of a step, with what it is made of; numbers of other types, and what the
// kernel writes itself, where it stands.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(hoist-index-loads))' | FileCheck %s

tile.program @p inputs(%order: tensor<?xi32>, %x: tensor<?xf32>) results(%y: tensor<?xf32>, %own: tensor<?xi32>) {
  %c1 = arith.constant 1 : index
  // CHECK: tile.kernel @k(%[[ORDER:.*]]: tensor<?xi32>, %[[X:.*]]: tensor<?xf32>, %{{.*}}: tensor<?xf32>, %[[OWN:.*]]: tensor<?xi32>)
  tile.kernel @k(%order: tensor<?xi32>, %x: tensor<?xf32>, %y: tensor<?xf32>, %own: tensor<?xi32>) attributes {threads = 32 : i64} {
    %c0 = arith.constant 0 : index
    %step = arith.constant 1 : index
    %n = arith.constant 4 : index
    // CHECK: scf.for %[[I:.*]] = %c0
    scf.for %i = %c0 to %n step %step {
      // CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[I]], %{{.*}}
      // CHECK-NEXT: %[[ROW:.*]] = cuda.load %[[ORDER]][%[[NEXT]]]
      // CHECK-NEXT: cuda.load %[[X]][%[[I]]]
      %a = cuda.load %x[%i] : tensor<?xf32> -> f32
      cuda.store %a, %y[%i] : f32, tensor<?xf32>
      // CHECK: arith.index_cast %[[ROW]]
      %next = arith.addi %i, %step : index
      %row = cuda.load %order[%next] : tensor<?xi32> -> i32
      %at = arith.index_cast %row : i32 to index
      %b = cuda.load %x[%at] : tensor<?xf32> -> f32
      cuda.store %b, %y[%next] : f32, tensor<?xf32>
      // CHECK: cuda.load %[[OWN]]
      %old = cuda.load %own[%i] : tensor<?xi32> -> i32
      %there = arith.index_cast %old : i32 to index
      %c = cuda.load %x[%there] : tensor<?xf32> -> f32
      cuda.store %c, %y[%i] : f32, tensor<?xf32>
      cuda.store %old, %own[%i] : i32, tensor<?xi32>
    }
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%order, %x, %y, %own : tensor<?xi32>, tensor<?xf32>, tensor<?xf32>, tensor<?xi32>)
  }
}
