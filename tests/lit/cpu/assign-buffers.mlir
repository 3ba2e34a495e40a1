// Which tiles are materialised, in which layouts, and which are recomputed where they are used.
// RUN: linmu-opt %s --assign-buffers | FileCheck %s

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!v = tensor<16xf32>
!r = !tile.range<16>
tile.program @p inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index

  // What products and solves read anywhere has a buffer in the layout that they read.
  // CHECK-LABEL: tile.kernel @products
  tile.kernel @products(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %r = tile.range %c0 -> !r
    // CHECK: tile.load {{.*}}cpu.buffers = {{\[}}["rows", "transposed-panels"]]
    %q = tile.load %x[%c0, %r, %c0] : !t, [index, !r, index] -> !m
    // CHECK: tile.load {{.*}}cpu.buffers = {{\[}}["panels"]]
    %k = tile.load %x[%c0, %r, %c1] : !t, [index, !r, index] -> !m
    // CHECK: tile.dot {{.*}}cpu.buffers = {{\[}}["rows"]]
    %s = tile.dot %q, transpose_rhs %q : !m, !m -> !m
    // A solve writes panels itself; a product that takes it as its left operand reads rows as well.
    // CHECK: tile.solve {{.*}}cpu.buffers = {{\[}}["panels", "rows"]]
    %w = tile.solve systems(%s : !m) values(%k : !m) -> !m
    // CHECK: tile.dot {{.*}}cpu.buffers = {{\[}}[]]
    %d = tile.dot %w, %w : !m, !m -> !m
    // CHECK: tile.dot {{.*}}cpu.buffers = {{\[}}[]]
    %e = tile.dot %s, %k init %d : !m : !m, !m -> !m
    tile.store %e, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }

  // A costly tile that is asked for twice has a buffer; a cheap one is recomputed, as is one that is asked for once.
  // CHECK-LABEL: tile.kernel @chain
  tile.kernel @chain(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %r = tile.range %c0 -> !r
    // CHECK: arith.constant {cpu.buffers = {{\[}}[]]} dense
    %two = arith.constant dense<2.0> : !m
    // CHECK: tile.load {{.*}}cpu.buffers = {{\[}}[]]
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, !r, index] -> !m
    // CHECK: math.exp {{.*}}cpu.buffers = {{\[}}["rows"]]
    %e = math.exp %t : !m
    // CHECK: arith.mulf {{.*}}cpu.buffers = {{\[}}[]]
    %f = arith.mulf %e, %two : !m
    // CHECK: arith.addf {{.*}}cpu.buffers = {{\[}}[]]
    %g = arith.addf %f, %e : !m
    // CHECK: arith.subf {{.*}}cpu.buffers = {{\[}}[]]
    %h = arith.subf %g, %f : !m
    tile.store %h, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }

  // Tiles with one axis are small: they have a buffer unless they are bits, or the same everywhere.
  // CHECK-LABEL: tile.kernel @vectors
  tile.kernel @vectors(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK: tile.coordinate {{.*}}cpu.buffers = {{\[}}[]]
    %i = tile.coordinate 0 : tensor<16xi32>
    // CHECK: arith.constant {cpu.buffers = {{\[}}[]]}
    %four = arith.constant dense<4> : tensor<16xi32>
    // CHECK: arith.addi {{.*}}cpu.buffers = {{\[}}["rows"]]
    %j = arith.addi %i, %four : tensor<16xi32>
    // CHECK: arith.cmpi {{.*}}cpu.buffers = {{\[}}[]]
    %bits = arith.cmpi slt, %j, %four : tensor<16xi32>
    // CHECK: tile.load {{.*}}cpu.buffers = {{\[}}["rows"]]
    %v = tile.load %x[%c0, %c1, %c0] : !t, [index, index, index] -> !v
    // CHECK: tile.cumsum {{.*}}cpu.buffers = {{\[}}["rows"], ["rows"]]
    %sum, %error = tile.cumsum %v : !v
    // CHECK: arith.select {{.*}}cpu.buffers = {{\[}}["rows"]]
    %w = arith.select %bits, %sum, %error : tensor<16xi1>, !v
    tile.store %w, %y[%c0, %c1, %c0] : !v, !t, [index, index, index]
  }

  // A carried state is in panels, which serve products and elementwise access; what else the body reads of it is
  // added at its start.
  // CHECK-LABEL: tile.kernel @carried
  tile.kernel @carried(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %n = tensor.dim %x, %c1 : !t
    %zero = arith.constant dense<0.0> : !m
    %f0 = arith.constant 0.0 : f32
    %two = arith.constant dense<2.0> : !m
    // CHECK: scf.for
    // CHECK: tile.dot {{.*}}cpu.buffers
    // CHECK: } {cpu.buffers = {{\[}}["panels"], ["rows"], ["rows"], []], cpu.carried = {{\[}}["panels", "transposed-panels"], ["rows"], ["rows"], []], cpu.next = ["in-place", "staged", "kept", "scalar"]}
    %s, %u, %k, %f = scf.for %at = %c0 to %n step %c16 iter_args(%state = %zero, %last = %zero, %same = %zero, %count = %f0) -> (!m, !m, !m, f32) {
      %rows = tile.range %at to %n -> !r
      %t = tile.load %x[%c0, %rows, %c0] : !t, [index, !r, index] -> !m
      %d = tile.dot %t, %state : !m, !m -> !m
      %e = tile.dot %t, transpose_rhs %state init %d : !m : !m, !m -> !m
      %sum = arith.addf %e, %same : !m
      tile.store %sum, %y[%c0, %rows, %c0] : !m, !t, [index, !r, index]
      %next = arith.mulf %state, %two : !m
      // Reads all of its old value, through a product.
      %mixed = tile.dot %last, %t : !m, !m -> !m
      %more = arith.addf %count, %f0 : f32
      scf.yield %next, %mixed, %same, %more : !m, !m, !m, f32
    }
    %r = tile.range %c0 -> !r
    tile.store %s, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
    tile.store %u, %y[%c0, %r, %c1] : !m, !t, [index, !r, index]
  }

  // Two states that take each other's place are staged.
  // CHECK-LABEL: tile.kernel @swapped
  // CHECK: cpu.next = ["staged", "staged"]
  tile.kernel @swapped(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %r = tile.range %c0 -> !r
    %zero = arith.constant dense<0.0> : !m
    %two = arith.constant dense<2.0> : !m
    %s, %u = scf.for %at = %c0 to %c2 step %c1 iter_args(%left = %zero, %right = %two) -> (!m, !m) {
      scf.yield %right, %left : !m, !m
    }
    %d = arith.subf %s, %u : !m
    tile.store %d, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }

  // A state that a solve takes as its system has rows beside the panels of the product.
  // CHECK-LABEL: tile.kernel @system
  // CHECK: cpu.carried = {{\[}}["panels", "rows"]]
  tile.kernel @system(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %r = tile.range %c0 -> !r
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, !r, index] -> !m
    %s = scf.for %at = %c0 to %c2 step %c1 iter_args(%state = %t) -> (!m) {
      %d = tile.dot %t, %state : !m, !m -> !m
      %w = tile.solve systems(%state : !m) values(%d : !m) -> !m
      scf.yield %w : !m
    }
    tile.store %s, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }

  // A branch gives tiles in rows; other layouts are added behind it.
  // CHECK-LABEL: tile.kernel @branch
  // CHECK: scf.if
  // CHECK: } {cpu.buffers = {{\[}}["rows", "panels"]]}
  tile.kernel @branch(%x: !t, %y: !t, %n: index) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %zero = arith.constant dense<0.0> : !m
    %some = arith.cmpi ne, %n, %c0 : index
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, !r, index] -> !m
    %b = scf.if %some -> !m {
      %e = math.exp %t : !m
      scf.yield %e : !m
    } else {
      scf.yield %zero : !m
    }
    %d = tile.dot %b, %b : !m, !m -> !m
    tile.store %d, %y[%c0, %r, %c0] : !m, !t, [index, !r, index]
  }
  tile.variant as "all" {
    tile.launch @products grid(%one)(%a, %o : !t, !t)
    tile.launch @chain grid(%one)(%a, %o : !t, !t)
    tile.launch @vectors grid(%one)(%a, %o : !t, !t)
    tile.launch @carried grid(%one)(%a, %o : !t, !t)
    tile.launch @swapped grid(%one)(%a, %o : !t, !t)
    tile.launch @system grid(%one)(%a, %o : !t, !t)
    tile.launch @branch grid(%one)(%a, %o, %one : !t, !t, index)
  }
}
