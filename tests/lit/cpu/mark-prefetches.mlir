// Marked is the first load or store of an operand whose rows the loop moves: not rows that stay where they are, not
// single elements of tokens that follow each other, and nothing outside a loop.
// RUN: linmu-opt %s --mark-prefetches | FileCheck %s

!t = tensor<?x?x2x16xf32>
!s = tensor<?x?x2xf32>
!i = tensor<?x?xi32>
tile.program @p inputs(%a: !t, %b: !t, %s: !s, %i: !i) results(%o: !t) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @walk(
  // CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x2x16xf32>, %[[W:[a-z0-9]+]]: tensor<?x?x2x16xf32>, %[[S:[a-z0-9]+]]: tensor<?x?x2xf32>
  tile.kernel @walk(%x: !t, %w: !t, %s: !s, %order: !i, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %n = tensor.dim %x, %c1 : !t
    %fixed = tile.range %c0 -> !tile.range<16>
    // CHECK: tile.load %[[W]]
    // CHECK-NOT: cpu.prefetch
    // CHECK: scf.for
    %before = tile.load %w[%c0, %fixed, %c0] : !t, [index, !tile.range<16>, index] -> tensor<16x16xf32>
    scf.for %at = %c0 to %n step %c16 {
      %rows = tile.range %at to %n -> !tile.range<16>
      %ordered = tile.range %at to %n via %order[%c0] : !i -> !tile.range<16>
      // CHECK: tile.load %[[X]][{{.*}}] {cpu.prefetch}
      %t = tile.load %x[%c0, %rows, %c0] : !t, [index, !tile.range<16>, index] -> tensor<16x16xf32>
      // The other head's rows lie beside them.
      // CHECK-NEXT: tile.load %[[X]][{{[^]]*}}] :
      %u = tile.load %x[%c0, %rows, %c1] : !t, [index, !tile.range<16>, index] -> tensor<16x16xf32>
      // CHECK-NEXT: tile.load %[[W]][{{[^]]*}}] :
      %v = tile.load %w[%c0, %fixed, %c0] : !t, [index, !tile.range<16>, index] -> tensor<16x16xf32>
      // CHECK-NEXT: tile.load %[[S]][{{[^]]*}}] :
      %g = tile.load %s[%c0, %rows, %c0] : !s, [index, !tile.range<16>, index] -> tensor<16xf32>
      // Elements anywhere do not arrive by themselves.
      // CHECK-NEXT: tile.load %[[S]][{{.*}}] {cpu.prefetch}
      %h = tile.load %s[%c0, %ordered, %c0] : !s, [index, !tile.range<16>, index] -> tensor<16xf32>
      %sum = arith.addf %t, %u : tensor<16x16xf32>
      // CHECK: tile.store %{{.*}} {cpu.prefetch}
      tile.store %sum, %y[%c0, %ordered, %c0] : tensor<16x16xf32>, !t, [index, !tile.range<16>, index]
    }
  }
  tile.variant as "walk" {
    tile.launch @walk grid(%one)(%a, %b, %s, %i, %o : !t, !t, !s, !i, !t)
  }
}
