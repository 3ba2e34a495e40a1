// Every message about programs, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  %one = arith.constant 1 : index
  tile.variant as "odd" {
    // expected-error @+1 {{'tile.launch' op requires a tile.kernel of the program, got @missing}}
    tile.launch @missing grid(%one)(%a : tensor<?x?x4xf32>)
  }
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: tensor<?x?x4xf32>, %n: index) {}
  tile.variant as "odd" {
    // expected-error @+1 {{'tile.launch' op requires 2 operands, the arguments of @k, got 1}}
    tile.launch @k grid(%one)(%a : tensor<?x?x4xf32>)
  }
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  %one = arith.constant 1 : index
  tile.kernel @k(%x: tensor<?x?x8xf32>) {}
  tile.variant as "odd" {
    // expected-error @+1 {{'tile.launch' op requires operand #0 of @k to be 'tensor<?x?x8xf32>', got 'tensor<?x?x4xf32>'}}
    tile.launch @k grid(%one)(%a : tensor<?x?x4xf32>)
  }
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  tile.kernel @k(%x: tensor<?x?x4xf32>) {}
  tile.variant as "odd" {
    // expected-error @+1 {{'tile.launch' op requires a grid of one to three dimensions, got 0}}
    tile.launch @k grid()(%a : tensor<?x?x4xf32>)
  }
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  %n = tile.extent tokens
  %c = arith.constant 16 : index
  %short = arith.cmpi ult, %n, %c : index
  // expected-error @+1 {{'tile.variant' op requires no condition, as the last variant: one must run for every batch and number of tokens}}
  tile.variant when %short as "short" {}
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  tile.variant as "always" {}
  // expected-error @+1 {{'tile.variant' op can never run: the variant before it has no condition}}
  tile.variant as "never" {}
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  %n = tile.extent tokens
  // expected-error @+1 {{'tile.temporary' op requires 2 extents for 'tensor<?x?x4xf32>', got 1}}
  %w = tile.temporary(%n) : tensor<?x?x4xf32>
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  %n = tile.extent tokens
  // expected-error @+1 {{'arith.divsi' op is no part of a program: requires kernels, variants, temporaries, tile.extent and arith on unsigned index}}
  %m = arith.divsi %n, %n : index
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  // expected-error @+1 {{'tile.kernel' op requires argument #0 to be an operand in memory or an index, got 'f32'}}
  tile.kernel @k(%x: f32) {}
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  tile.kernel @k(%x: tensor<?x?x4xf32>) {
    // expected-error @+1 {{'arith.constant' op requires tiles of static shape, rank 2 at most and no encoding, got 'tensor<4x4xf32, "smem">'}}
    %z = arith.constant dense<0.0> : tensor<4x4xf32, "smem">
  }
}

// -----

tile.program @p inputs(%a: tensor<?x?x4xf32>) results() {
  tile.kernel @k(%x: tensor<?x?x4xf32>) {
    // expected-error @+1 {{'func.call' op has no place in a tile.kernel}}
    func.call @f() : () -> ()
  }
}
func.func private @f()
