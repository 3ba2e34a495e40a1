// Every message of normal_scan and form, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @no_stage(%x: tensor<?x?x2x4xf32>) {
  // expected-error @+1 {{'pattern.normal_scan' op requires a stage for each of 1 states and a finish, got 1 regions of 0 states}}
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @arguments(%x: tensor<?x?x2x4xf32>) {
  // expected-error @+1 {{'pattern.normal_scan' op requires region #0 to have arguments of types 'tensor<4xf32>', got 'f32'}}
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: f32):
    pattern.form key_axis 0 inclusive [] at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @end(%x: tensor<?x?x2x4xf32>) {
  // expected-error @+1 {{'pattern.normal_scan' op requires stage #0 to end in 'pattern.form'}}
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.yield outputs(%xt : tensor<4xf32>)
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @finish(%x: tensor<?x?x2x4xf32>) {
  // expected-error @+1 {{'pattern.normal_scan' op requires finish to end in 'pattern.yield' with 1 outputs and no states}}
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0, %y0 : tensor<4xf32>, tensor<4xf32>)
  }
  return
}

// -----

func.func @inclusive(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{'pattern.form' op requires one entry of inclusive for each of 1 reads, got 0}}
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @values(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{'pattern.form' op requires a value for each of 1 writes, got 0}}
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @pairs(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{'pattern.form' op requires an (i, j) pair for each of 0 feedback terms, got 1}}
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at [0, 0]
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @term(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    %c = arith.constant 1.0 : f32
    // expected-error @+1 {{'pattern.form' op requires feedback term #0 to name a write and a read, got (1, 0)}}
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [false] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) feedback(%c) at [1, 0]
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @exclusive(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    %c = arith.constant 1.0 : f32
    // expected-error @+1 {{'pattern.form' op requires feedback of exclusive reads only, got read #0}}
    pattern.form key_axis 0 reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) feedback(%c) at [0, 0]
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @sign(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    %c = arith.constant 1.0 : f32
    // expected-error @+1 {{'pattern.form' op requires sign beside a decay of its type 'f32', got 'tensor<4xf32>'}}
    pattern.form key_axis 0 decay(%xt : tensor<4xf32>) sign(%c : f32) reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @value_sign(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{'pattern.form' op requires value_sign beside a decay of its type 'tensor<4xf32>', got none}}
    pattern.form key_axis 0 decay(%xt : tensor<4xf32>) value_sign(%xt : tensor<4xf32>) reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @by_value(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    %c = arith.constant 1.0 : f32
    // expected-error @+1 {{'pattern.form' op requires a decay by value to be a vector over the value axis, got 'f32'}}
    pattern.form key_axis 0 value_decay(%c : f32) reads(%xt : tensor<4xf32>) inclusive [true] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @by_value_feedback(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    %c = arith.constant 1.0 : f32
    // expected-error @+1 {{'pattern.form' op requires no feedback beside a decay by value, got 1 feedback terms}}
    pattern.form key_axis 0 value_decay(%xt : tensor<4xf32>) reads(%xt : tensor<4xf32>) inclusive [false] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) feedback(%c) at [0, 0]
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %y0: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%y0 : tensor<4xf32>)
  }
  return
}

// -----

func.func @key_axis(%x: tensor<?x?x2x4xf32>) {
  %o, %s = pattern.normal_scan tokens(%xt = %x : tensor<?x?x2x4xf32>)
      states(zero : tensor<?x2x4x4xf32>) -> (tensor<?x?x2x4xf32>)
  stage {
  ^bb0(%xt: tensor<4xf32>):
    // expected-error @+1 {{'pattern.form' op requires a key axis of a state 'tensor<4x4xf32>', got 2}}
    pattern.form key_axis 2 inclusive [] writes(%xt : tensor<4xf32>) values(%xt : tensor<4xf32>) at []
  }
  finish {
  ^bb0(%xt: tensor<4xf32>, %w0: tensor<4xf32>):
    pattern.yield outputs(%w0 : tensor<4xf32>)
  }
  return
}
