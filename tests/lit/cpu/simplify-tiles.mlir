// Products are of f32; copies are done where they start, if they are, and one thread waits for nobody.
// RUN: linmu-opt %s --simplify-tiles | FileCheck %s

!t = tensor<?x?x16xbf16>
!o = tensor<?x?x16xf32>
tile.program @p inputs(%a: !t) results(%o: !o) {
  %one = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @product
  tile.kernel @product(%x: !t, %y: !o) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<16>
    // CHECK: %[[T:.*]] = tile.load
    %t = tile.load %x[%c0, %r] : !t, [index, !tile.range<16>] -> tensor<16x16xbf16>
    // CHECK: %[[LHS:.*]] = arith.extf %[[T]] : tensor<16x16xbf16> to tensor<16x16xf32>
    // CHECK: %[[RHS:.*]] = arith.extf %[[T]] : tensor<16x16xbf16> to tensor<16x16xf32>
    // CHECK: %[[D:.*]] = tile.dot %[[LHS]], transpose_rhs %[[RHS]]
    %d = tile.dot %t, transpose_rhs %t : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
    // A product of f32 stays as it is.
    // CHECK-NEXT: %[[E:.*]] = tile.dot %[[D]], %[[D]]
    %e = tile.dot %d, %d : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    // CHECK-NEXT: tile.store %[[E]]
    tile.store %e, %y[%c0, %r] : tensor<16x16xf32>, !o, [index, !tile.range<16>]
  }
  // CHECK-LABEL: tile.kernel @copied
  // CHECK: %[[B:.*]] = tile.alloc
  // CHECK-NEXT: %[[T:.*]] = tile.load %{{.*}}[%{{.*}}, %{{.*}}]
  // CHECK-NEXT: tile.write %[[T]], %[[B]]
  // CHECK-NEXT: %[[U:.*]] = tile.read %[[B]]
  // CHECK-NEXT: tile.store %[[U]]
  tile.kernel @copied(%x: !o, %y: !o) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<16>
    %b = tile.alloc : !tile.buffer<16x16xf32>
    tile.copy %x[%c0, %r], %b : !o, [index, !tile.range<16>], !tile.buffer<16x16xf32>
    tile.wait pending 0
    tile.barrier
    %u = tile.read %b : !tile.buffer<16x16xf32> -> tensor<16x16xf32>
    tile.store %u, %y[%c0, %r] : tensor<16x16xf32>, !o, [index, !tile.range<16>]
  }
  // CHECK-LABEL: tile.kernel @perhaps
  // CHECK: %[[COND:.*]] = arith.cmpi
  // CHECK: %[[T:.*]] = scf.if %[[COND]] -> (tensor<16x16xf32>) {
  // CHECK-NEXT: tile.load
  // CHECK: } else {
  // CHECK-NEXT: arith.constant dense<0.0
  // CHECK: tile.write %[[T]]
  tile.kernel @perhaps(%x: !o, %y: !o) {
    %c0 = arith.constant 0 : index
    %b0 = tile.block_id 0
    %first = arith.cmpi eq, %b0, %c0 : index
    %r = tile.range %c0 -> !tile.range<16>
    %b = tile.alloc : !tile.buffer<16x16xf32>
    tile.copy %x[%c0, %r], %b where %first : !o, [index, !tile.range<16>], !tile.buffer<16x16xf32>
    tile.wait pending 0
    %u = tile.read %b : !tile.buffer<16x16xf32> -> tensor<16x16xf32>
    tile.store %u, %y[%c0, %r] : tensor<16x16xf32>, !o, [index, !tile.range<16>]
  }
  tile.variant as "both" {
    tile.launch @product grid(%one)(%a, %o : !t, !o)
    tile.launch @copied grid(%one)(%o, %o : !o, !o)
    tile.launch @perhaps grid(%one)(%o, %o : !o, !o)
  }
}
