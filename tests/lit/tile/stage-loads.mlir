// What a loop loads is copied into rings one step before it is read; what a kernel writes and rows that the loop does
// not know ahead are loaded as before.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(stage-loads,canonicalize,cse))' | FileCheck %s
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(stage-loads{stages=3 bytes=2048},canonicalize,cse))' | FileCheck %s --check-prefix=THREE
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(stage-loads{stages=3 bytes=8192},canonicalize,cse))' | FileCheck %s --check-prefix=DEEP

tile.program @p inputs(%x: tensor<?x16xbf16>, %g: tensor<?xf32>, %rows: tensor<?xi32>) results(%y: tensor<?x16xbf16>, %z: tensor<?x16xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @k(
  // CHECK-SAME: %[[X:.*]]: tensor<?x16xbf16>, %[[G:.*]]: tensor<?xf32>, %{{.*}}: tensor<?xi32>, %[[Y:.*]]: tensor<?x16xbf16>
  tile.kernel @k(%x: tensor<?x16xbf16>, %g: tensor<?xf32>, %rows: tensor<?xi32>, %y: tensor<?x16xbf16>, %z: tensor<?x16xf32>) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %n = tensor.dim %x, %c0 : tensor<?x16xbf16>
    // CHECK-DAG: %[[RING:.*]] = tile.alloc : <2x16xf32>
    // CHECK-DAG: %[[WIDE:.*]] = tile.alloc : <2x16x16xbf16>
    // CHECK: tile.slot %[[RING]][%c0] ahead 0
    // CHECK: tile.copy %[[G]]
    // CHECK: tile.slot %[[WIDE]][%c0] ahead 0
    // CHECK: tile.copy %[[X]]
    // CHECK: scf.for %[[I:.*]] = %c0 to %[[N:.*]] step %c16 iter_args(%[[SLOT:.*]] = %c0) -> (index)
    // CHECK-NEXT: tile.wait pending 0
    // CHECK-NEXT: tile.barrier
    // CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %c16
    // CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %[[NEXT]], %[[N]]
    // CHECK: %[[TO:.*]] = arith.select %[[EXISTS]], %{{.*}}, %c0
    // CHECK: %[[RANGE:.*]] = tile.range %[[NEXT]] to %[[TO]]
    // CHECK: tile.slot %[[RING]][%[[OTHER:.*]]] ahead 1
    // CHECK: tile.copy %[[G]][%[[RANGE]]]
    // CHECK: tile.slot %[[WIDE]][%[[OTHER]]] ahead 1
    // CHECK: tile.copy %[[X]][%[[RANGE]]]
    // CHECK: %[[NOW:.*]] = tile.slot %[[WIDE]][%[[SLOT]]] ahead 0
    // CHECK: tile.read %[[NOW]]
    // CHECK: tile.load %[[Y]]
    // CHECK: %[[NAMED:.*]] = tile.load %{{.*}} -> tensor<16xi32>
    // CHECK: tile.load %[[X]][%[[NAMED]]]
    // CHECK: scf.yield %[[OTHER]]
    // CHECK: }
    // CHECK-NEXT: tile.wait pending 0
    // Three slots of 16 numbers fit, those of 16 x 16 bf16 too; of what is left nothing would.
    // THREE: tile.alloc : <3x16xf32>
    // THREE: tile.alloc : <3x16x16xbf16>
    // THREE: tile.copy
    // THREE: tile.copy
    // THREE: tile.copy
    // THREE: tile.copy
    // THREE: scf.for
    // THREE-NEXT: tile.wait pending 2
    // THREE: ahead 2
    scf.for %i = %c0 to %n step %c16 {
      %left = arith.subi %n, %i : index
      %r = tile.range %i to %left -> !tile.range<16>
      %a = tile.load %x[%r] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
      %s = tile.load %g[%r] : tensor<?xf32>, [!tile.range<16>] -> tensor<16xf32>
      %old = tile.load %y[%r] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
      %whole = tile.range %c0 -> !tile.range<16>
      %named = tile.load %rows[%whole] : tensor<?xi32>, [!tile.range<16>] -> tensor<16xi32>
      %b = tile.load %x[%named] : tensor<?x16xbf16>, [tensor<16xi32>] -> tensor<16x16xbf16>
      %ab = arith.addf %a, %b : tensor<16x16xbf16>
      %abc = arith.addf %ab, %old : tensor<16x16xbf16>
      %w = tile.broadcast %s along 0 : tensor<16xf32> to tensor<16x16xf32>
      tile.store %abc, %y[%r] : tensor<16x16xbf16>, tensor<?x16xbf16>, [!tile.range<16>]
      tile.store %w, %z[%r] : tensor<16x16xf32>, tensor<?x16xf32>, [!tile.range<16>]
    }
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %g, %rows, %y, %z : tensor<?x16xbf16>, tensor<?xf32>, tensor<?xi32>, tensor<?x16xbf16>, tensor<?x16xf32>)
  }
}

// Rows of 16 bits move by two elements at least: those of 5, and columns at a place or up to a border that 2 need not
// divide, are loaded as before; columns whose places and borders it divides are copied.
// CHECK-LABEL: tile.kernel @words(
// CHECK-SAME: %[[ODD:.*]]: tensor<?x5xbf16>, %[[EVEN:.*]]: tensor<?x6xbf16>
// CHECK: tile.copy %[[EVEN]]
// CHECK-NOT: tile.copy
// CHECK: scf.for
// CHECK: tile.copy %[[EVEN]]
// CHECK-NOT: tile.copy
// CHECK: tile.load %[[ODD]]
// CHECK: tile.load %[[EVEN]]
// CHECK: tile.load %[[EVEN]]
// CHECK: scf.yield
tile.program @parts inputs(%x: tensor<?x5xbf16>, %w: tensor<?x6xbf16>) results(%y: tensor<?x8xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @words(%x: tensor<?x5xbf16>, %w: tensor<?x6xbf16>, %y: tensor<?x8xf32>) {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c6 = arith.constant 6 : index
    %c16 = arith.constant 16 : index
    %n = tensor.dim %x, %c0 : tensor<?x5xbf16>
    %b = tile.block_id 0
    %odd = arith.muli %b, %c3 : index
    %even = arith.muli %b, %c2 : index
    %whole = tile.range %c0 -> !tile.range<8>
    %at_odd = tile.range %odd to %c6 -> !tile.range<8>
    %to_odd = tile.range %even to %c3 -> !tile.range<8>
    %at_even = tile.range %even to %c6 -> !tile.range<8>
    scf.for %i = %c0 to %n step %c16 {
      %left = arith.subi %n, %i : index
      %r = tile.range %i to %left -> !tile.range<16>
      %a = tile.load %x[%r, %whole] : tensor<?x5xbf16>, [!tile.range<16>, !tile.range<8>] -> tensor<16x8xbf16>
      %p = tile.load %w[%r, %at_odd] : tensor<?x6xbf16>, [!tile.range<16>, !tile.range<8>] -> tensor<16x8xbf16>
      %q = tile.load %w[%r, %to_odd] : tensor<?x6xbf16>, [!tile.range<16>, !tile.range<8>] -> tensor<16x8xbf16>
      %s = tile.load %w[%r, %at_even] : tensor<?x6xbf16>, [!tile.range<16>, !tile.range<8>] -> tensor<16x8xbf16>
      %ap = arith.addf %a, %p : tensor<16x8xbf16>
      %qs = arith.addf %q, %s : tensor<16x8xbf16>
      %all = arith.addf %ap, %qs : tensor<16x8xbf16>
      %f = arith.extf %all : tensor<16x8xbf16> to tensor<16x8xf32>
      tile.store %f, %y[%r] : tensor<16x8xf32>, tensor<?x8xf32>, [!tile.range<16>]
    }
  }
  tile.variant as "words" {
    tile.launch @words grid(%c1)(%x, %w, %y : tensor<?x5xbf16>, tensor<?x6xbf16>, tensor<?x8xf32>)
  }
}

// Rows that are named by what is known of later steps are copied where the step exists; places made with a division whose
// divisor is at least 1 are known, those of another division are not.
// CHECK-LABEL: tile.kernel @named(
// CHECK-SAME: %[[SIZE:.*]]: index
// CHECK: tile.copy %{{.*}} where
// CHECK: scf.for %[[I:.*]] = %c0 to %[[N:.*]] step
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %c16
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %[[NEXT]], %[[N]]
// CHECK: %[[QUOTIENT:.*]] = arith.divui %[[NEXT]]
// CHECK: %[[PLACES:.*]] = arith.addi
// CHECK: tile.copy %{{.*}}[%[[PLACES]]], %{{.*}} where %[[EXISTS]]
// CHECK-NOT: tile.copy
// CHECK: tile.load
// CHECK: scf.yield
tile.program @rows inputs(%x: tensor<?x16xbf16>) results(%y: tensor<?x16xbf16>) {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  tile.kernel @named(%x: tensor<?x16xbf16>, %size: index, %y: tensor<?x16xbf16>) {
    %c0 = arith.constant 0 : index
    %c1_0 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %n = tensor.dim %x, %c0 : tensor<?x16xbf16>
    %positive = arith.maxsi %size, %c1_0 : index
    scf.for %i = %c0 to %n step %c16 {
      %at = arith.divui %i, %positive : index
      %at_i32 = arith.index_cast %at : index to i32
      %first = tile.broadcast %at_i32 : i32 to tensor<16xi32>
      %steps = tile.coordinate 0 : tensor<16xi32>
      %rows = arith.addi %first, %steps : tensor<16xi32>
      %a = tile.load %x[%rows] : tensor<?x16xbf16>, [tensor<16xi32>] -> tensor<16x16xbf16>
      %other = arith.divui %i, %size : index
      %other_i32 = arith.index_cast %other : index to i32
      %second = tile.broadcast %other_i32 : i32 to tensor<16xi32>
      %others = arith.addi %second, %steps : tensor<16xi32>
      %b = tile.load %x[%others] : tensor<?x16xbf16>, [tensor<16xi32>] -> tensor<16x16xbf16>
      %ab = arith.addf %a, %b : tensor<16x16xbf16>
      tile.store %ab, %y[%rows] : tensor<16x16xbf16>, tensor<?x16xbf16>, [tensor<16xi32>]
    }
  }
  tile.variant as "named" {
    tile.launch @named grid(%c1)(%x, %c3, %y : tensor<?x16xbf16>, index, tensor<?x16xbf16>)
  }
}

// What loops inside alone read, and wait for, is not waited for before them: their own first copies begin behind its. A
// step that does not exist finds out nothing.
// CHECK-LABEL: tile.kernel @nested(
// CHECK: tile.copy
// CHECK: scf.for %[[I:.*]] = %c0 to %[[N:.*]] step %c16 iter_args
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: %[[NEXT:.*]] = arith.addi %[[I]], %c16
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %[[NEXT]], %[[N]]
// CHECK-NEXT: scf.if %[[EXISTS]] {
// CHECK: tile.copy
// CHECK-NEXT: }
// CHECK-NOT: tile.wait
// CHECK: tile.copy
// CHECK: scf.for
// CHECK-NEXT: tile.wait pending 0
// CHECK: tile.dot
// CHECK: }
// CHECK-NEXT: tile.wait pending 0
// With three stages the wait inside lets copies be under way, and what the loop around reads itself it waits for.
// DEEP-LABEL: tile.kernel @nested(
// DEEP: scf.for
// DEEP-NEXT: tile.wait pending 1
// DEEP-NEXT: tile.barrier
// DEEP-NOT: scf.if
// DEEP: scf.for
// DEEP-NEXT: tile.wait pending 1
// CHECK-LABEL: tile.kernel @read_outside(
// CHECK: scf.for
// CHECK-NEXT: tile.wait pending 0
// CHECK-NEXT: tile.barrier
tile.program @loops inputs(%x: tensor<?x16xbf16>, %w: tensor<?x16xbf16>) results(%y: tensor<?x16xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @nested(%x: tensor<?x16xbf16>, %w: tensor<?x16xbf16>, %y: tensor<?x16xf32>) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : tensor<16x16xf32>
    %n = tensor.dim %x, %c0 : tensor<?x16xbf16>
    scf.for %i = %c0 to %n step %c16 {
      %left = arith.subi %n, %i : index
      %r = tile.range %i to %left -> !tile.range<16>
      %a = tile.load %x[%r] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
      %sum = scf.for %j = %c0 to %n step %c16 iter_args(%s = %zero) -> (tensor<16x16xf32>) {
        %more = arith.subi %n, %j : index
        %t = tile.range %j to %more -> !tile.range<16>
        %b = tile.load %w[%t] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
        %ab = tile.dot %a, %b init %s : tensor<16x16xf32> : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
        scf.yield %ab : tensor<16x16xf32>
      }
      tile.store %sum, %y[%r] : tensor<16x16xf32>, tensor<?x16xf32>, [!tile.range<16>]
    }
  }
  tile.kernel @read_outside(%x: tensor<?x16xbf16>, %w: tensor<?x16xbf16>, %y: tensor<?x16xf32>) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %n = tensor.dim %x, %c0 : tensor<?x16xbf16>
    scf.for %i = %c0 to %n step %c16 {
      %left = arith.subi %n, %i : index
      %r = tile.range %i to %left -> !tile.range<16>
      %a = tile.load %x[%r] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
      %f = arith.extf %a : tensor<16x16xbf16> to tensor<16x16xf32>
      %sum = scf.for %j = %c0 to %n step %c16 iter_args(%s = %f) -> (tensor<16x16xf32>) {
        %more = arith.subi %n, %j : index
        %t = tile.range %j to %more -> !tile.range<16>
        %b = tile.load %w[%t] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
        %ab = tile.dot %a, %b init %s : tensor<16x16xf32> : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
        scf.yield %ab : tensor<16x16xf32>
      }
      tile.store %sum, %y[%r] : tensor<16x16xf32>, tensor<?x16xf32>, [!tile.range<16>]
    }
  }
  tile.variant as "nested" {
    tile.launch @nested grid(%c1)(%x, %w, %y : tensor<?x16xbf16>, tensor<?x16xbf16>, tensor<?x16xf32>)
    tile.launch @read_outside grid(%c1)(%x, %w, %y : tensor<?x16xbf16>, tensor<?x16xbf16>, tensor<?x16xf32>)
  }
}
