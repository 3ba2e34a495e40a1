// Attributes that do not give the uses of a tile what they read.
// RUN: linmu-opt %s --lower-tile-to-cpu -split-input-file -verify-diagnostics

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @missing inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    // expected-error @+1 {{'tile.load' op requires the attribute 'cpu.buffers' to hold a list of "rows", "panels" and "transposed-panels" for each value; run assign-buffers}}
    %t = tile.load %x[%c0, %r, %c0] : !t, [index, !r, index] -> !m
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @unknown inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    // expected-error @+1 {{'tile.load' op requires the attribute 'cpu.buffers' to hold a list of "rows", "panels" and "transposed-panels" for each value; run assign-buffers}}
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [["columns"]]} : !t, [index, !r, index] -> !m
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @count inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    // expected-error @+1 {{'tile.load' op requires 'cpu.buffers' to hold a list for each of 1 values, got 2 lists}}
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [["rows"], []]} : !t, [index, !r, index] -> !m
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @product inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    // expected-error @+1 {{'tile.load' op requires result 0 to have a buffer in panels, which 'tile.dot' reads, got [rows, transposed-panels]}}
    %t = tile.load %x[%c0, %r, %c0] {cpu.buffers = [["rows", "transposed-panels"]]} : !t, [index, !r, index] -> !m
    %d = tile.dot %t, %t {cpu.buffers = [[]]} : !m, !m -> !m
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @vector inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    // expected-error @+1 {{'tile.load' op requires result 0 of type 'tensor<16xf32>' to have at most one buffer, in rows, got [panels]}}
    %t = tile.load %x[%c0, %c0, %c0] {cpu.buffers = [["panels"]]} : !t, [index, index, index] -> tensor<16xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @elements inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %one = arith.constant 1 : index
    // expected-error @+1 {{'tile.load' op requires a buffer for elements of several rows, which are loaded one by one}}
    %t = tile.load %x[%c0, %r, %c0, %one] {cpu.buffers = [[]]} : !t, [index, !r, index, index] -> tensor<16xf32>
    tile.store %t, %y[%c0, %r, %c0, %one] : tensor<16xf32>, !t, [index, !r, index, index]
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @written inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %t = arith.constant {cpu.buffers = [["rows"]]} dense<1.0> : !m
    // expected-error @+1 {{'tile.solve' op requires result 0 to have its first buffer in panels, got [rows]}}
    %w = tile.solve systems(%t : !m) values(%t : !m) {cpu.buffers = [["rows"]]} -> !m
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @carried inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %c1 = arith.constant 1 : index
    %t = arith.constant {cpu.buffers = [[]]} dense<1.0> : !m
    // expected-error @+1 {{'scf.for' op requires carried value 0 and the loop's result to be in one buffer of rows or panels, got [rows] and [panels]}}
    %s = scf.for %at = %c0 to %c1 step %c1 iter_args(%state = %t) -> (!m) {
      scf.yield %state : !m
    } {cpu.buffers = [["panels"]], cpu.carried = [["rows"]], cpu.next = ["kept"]}
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @next inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %c1 = arith.constant 1 : index
    %t = arith.constant {cpu.buffers = [[]]} dense<1.0> : !m
    // expected-error @+1 {{'scf.for' op requires 'cpu.next' to hold one of "scalar", "kept", "in-place" and "staged" for each of 1 carried values; run assign-buffers}}
    %s = scf.for %at = %c0 to %c1 step %c1 iter_args(%state = %t) -> (!m) {
      scf.yield %state : !m
    } {cpu.buffers = [["rows"]], cpu.carried = [["rows"]], cpu.next = ["later"]}
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
!m = tensor<16x16xf32>
!r = !tile.range<16>
tile.program @scalar inputs(%a: !t) results(%o: !t) {
  %grid = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !r
    %c1 = arith.constant 1 : index
    %t = arith.constant {cpu.buffers = [[]]} dense<1.0> : !m
    // expected-error @+1 {{'scf.for' op requires carried value 0 of type 'tensor<16x16xf32>' to be kept, in-place or staged, got scalar}}
    %s = scf.for %at = %c0 to %c1 step %c1 iter_args(%state = %t) -> (!m) {
      scf.yield %state : !m
    } {cpu.buffers = [["rows"]], cpu.carried = [["rows"]], cpu.next = ["scalar"]}
  }
  tile.variant as "k" {
    tile.launch @k grid(%grid)(%a, %o : !t, !t)
  }
}
