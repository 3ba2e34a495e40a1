// What tile IR may hold and the CPU target does not lower.
// RUN: linmu-opt %s --lower-tile-to-cpu -split-input-file -verify-diagnostics
// RUN: echo "module {}" | not linmu-opt --lower-tile-to-cpu=cpu=abacus 2>&1 | FileCheck %s
// CHECK: error: lower-tile-to-cpu: requires cpu to be one that LLVM knows, got 'abacus'

!t = tensor<?x?x2x16xf32>
tile.program @elements inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %r = tile.coordinate 0 : tensor<2xi32>
    // expected-error @+1 {{'arith.constant' op requires a constant tile with one value}}
    %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%one)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
tile.program @branch inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %true = arith.constant true
    %c = arith.constant dense<1.0> : tensor<16xf32>
    // expected-error @+1 {{'scf.if' op with tile results is not supported by the CPU target}}
    %d = scf.if %true -> tensor<16xf32> {
      scf.yield %c : tensor<16xf32>
    } else {
      scf.yield %c : tensor<16xf32>
    }
  }
  tile.variant as "k" {
    tile.launch @k grid(%one)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
tile.program @reshape inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c = arith.constant dense<1.0> : tensor<16xf32>
    // expected-error @+1 {{'tensor.expand_shape' op is not supported on tiles by the CPU target}}
    %d = tensor.expand_shape %c [[0, 1]] output_shape [4, 4] : tensor<16xf32> into tensor<4x4xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%one)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
tile.program @call inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    // expected-error @+1 {{'scf.while' op is not supported by the CPU target}}
    %d = scf.while (%i = %c0) : (index) -> index {
      %go = arith.cmpi slt, %i, %c0 : index
      scf.condition(%go) %i : index
    } do {
    ^bb0(%i: index):
      scf.yield %i : index
    }
  }
  tile.variant as "k" {
    tile.launch @k grid(%one)(%a, %o : !t, !t)
  }
}

// -----

!t = tensor<?x?x2x16xf32>
tile.program @extent inputs(%a: !t) results(%o: !t) {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: !t, %y: !t) {
    %c0 = arith.constant 0 : index
    %c = arith.constant dense<1.0> : tensor<16xf32>
    // expected-error @+1 {{'tensor.dim' op requires an operand of the kernel}}
    %d = tensor.dim %c, %c0 : tensor<16xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%one)(%a, %o : !t, !t)
  }
}
