// RUN: not linmu-opt %s -split-input-file -derive 2>&1 | FileCheck %s
// RUN: not linmu-opt %s -split-input-file -derive=schedule=chunk=12 2>&1 | FileCheck %s --check-prefix=SCHEDULE
// SCHEDULE: error: schedule: requires chunk to be a multiple of 8 from 8 to 256, got '12'

// CHECK: :[[#@LINE+2]]:3: error: 'func.return' op requires result #0 to be made by a pattern op of its own, got an argument of the function
func.func @argument(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  return %x : tensor<?x?x2xf32>
}

// -----

// CHECK: :[[#@LINE+2]]:8: error: 'pattern.map' op requires its segments and masks to be expanded before it is derived
func.func @masked(%x: tensor<?x?x2xf32>, %m: tensor<?x?xi1>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x2xf32>) output_mask(%m : tensor<?x?xi1>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%xt : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

// CHECK: error: 'arith.constant' op requires a tensor constant with equal elements; pass others as params
func.func @constant(%x: tensor<?x?x2x2xf32>) -> tensor<?x?x2x2xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x2x2xf32>) -> (tensor<?x?x2x2xf32>) {
    %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
    %z = arith.mulf %xt, %c : tensor<2xf32>
    pattern.yield outputs(%z : tensor<2xf32>)
  }
  return %y : tensor<?x?x2x2xf32>
}

// -----

// CHECK: error: 'func.func' op requires nothing but pattern ops, got 'arith.constant'
func.func @other(%x: tensor<?x?x2x2xf32>) -> tensor<?x?x2x2xf32> {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %x : tensor<?x?x2x2xf32>
}

// -----

// CHECK: error: 'pattern.scan' op requires a token operand, which gives the batch and the number of tokens
func.func @count(%x: tensor<2xf32>) -> tensor<?x2xf32> {
  %s = pattern.scan params(%xt = %x : tensor<2xf32>) states(%S = zero : tensor<?x2xf32>) {
    %S1 = arith.addf %S, %xt : f32
    pattern.yield states(%S1 : f32)
  }
  return %s : tensor<?x2xf32>
}

// -----

// CHECK: :[[#@LINE+5]]:3: error: 'func.return' op requires result #1 to be made by a pattern op of its own, got a value that is returned twice
func.func @twice(%x: tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x?x2xf32>) {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%xt : f32)
  }
  return %y, %y : tensor<?x?x2xf32>, tensor<?x?x2xf32>
}

// -----

// CHECK: :[[#@LINE+2]]:8: error: 'pattern.permute' op requires slices of rank 0 or 1, got 'tensor<?x?x2x3x4xf32>'
func.func @matrices(%x: tensor<?x?x2x3x4xf32>, %i: tensor<?x?xi32>) -> tensor<?x?x2x3x4xf32> {
  %y = pattern.permute %x order(%i : tensor<?x?xi32>) : tensor<?x?x2x3x4xf32>
  return %y : tensor<?x?x2x3x4xf32>
}
