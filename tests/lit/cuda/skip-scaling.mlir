// Multiplications by factors that are usually 1 stand in a branch: those of one source together, up to the first use of a
// result, and behind the last of them; those that do not say so stay.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(skip-scaling))' | FileCheck %s

tile.program @p inputs(%x: tensor<?xf32>) results(%y: tensor<?xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @k(
  tile.kernel @k(%x: tensor<?xf32>, %y: tensor<?xf32>) attributes {threads = 32 : i64} {
    %c0 = arith.constant 0 : index
    // CHECK: %[[A:.*]] = cuda.load %{{.*}}[%c0]
    %a = cuda.load %x[%c0] : tensor<?xf32> -> vector<4xf32>
    // CHECK: %[[F:.*]] = math.exp2
    %f = math.exp2 %a : vector<4xf32>
    // CHECK: %[[LOW:.*]] = vector.shuffle %[[F]], %[[F]] [0, 0, 1, 1]
    // CHECK: %[[HIGH:.*]] = vector.shuffle %[[F]], %[[F]] [2, 2, 3, 3]
    %low = vector.shuffle %f, %f [0, 0, 1, 1] : vector<4xf32>, vector<4xf32>
    %high = vector.shuffle %f, %f [2, 2, 3, 3] : vector<4xf32>, vector<4xf32>
    // CHECK: %[[PLAIN:.*]] = arith.mulf %[[A]], %[[A]] : vector<4xf32>
    %p = arith.mulf %a, %low {tile.usually_one} : vector<4xf32>
    %plain = arith.mulf %a, %a : vector<4xf32>
    %q = arith.mulf %plain, %high {tile.usually_one} : vector<4xf32>
    // Each factor once, in the order of the registers.
    // CHECK: vector.extract %[[F]][0]
    // CHECK: arith.cmpf une
    // CHECK: vector.extract %[[F]][1]
    // CHECK: vector.extract %[[F]][2]
    // CHECK: vector.extract %[[F]][3]
    // CHECK-NOT: vector.extract
    // CHECK: %[[ANY:.*]] = arith.ori
    // CHECK-NEXT: %[[BOTH:.*]]:2 = scf.if %[[ANY]] -> (vector<4xf32>, vector<4xf32>) {
    // CHECK-NEXT: %[[P:.*]] = arith.mulf %[[A]], %[[LOW]] : vector<4xf32>
    // CHECK-NEXT: %[[Q:.*]] = arith.mulf %[[PLAIN]], %[[HIGH]] : vector<4xf32>
    // CHECK-NEXT: scf.yield %[[P]], %[[Q]]
    // CHECK-NEXT: } else {
    // CHECK-NEXT: scf.yield %[[A]], %[[PLAIN]]
    // CHECK-NEXT: }
    // CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[BOTH]]#0, %[[BOTH]]#1
    %sum = arith.addf %p, %q : vector<4xf32>
    // Behind that use it is another branch, of one more multiplication.
    // CHECK: scf.if
    // CHECK-NEXT: arith.mulf %[[SUM]], %[[LOW]]
    %again = arith.mulf %sum, %low {tile.usually_one} : vector<4xf32>
    cuda.store %again, %y[%c0] : vector<4xf32>, tensor<?xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %y : tensor<?xf32>, tensor<?xf32>)
  }
}
