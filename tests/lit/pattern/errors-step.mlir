// Every message of the step ops, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @outer(%a: f32, %b: tensor<2xf32>) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor, but found 'f32'}}
  %c = pattern.outer %a, %b : f32, tensor<2xf32>
  return
}

// -----

func.func @outer_column(%a: tensor<2x2xf32>, %b: tensor<2xf32>) {
  // expected-error @+1 {{'pattern.outer' op requires column to be a vector, got 'tensor<2x2xf32>'}}
  %c = pattern.outer %a, %b : tensor<2x2xf32>, tensor<2xf32>
  return
}

// -----

func.func @outer_row(%a: tensor<2x2xf32>, %b: tensor<2xf32>) {
  // expected-error @+1 {{'pattern.outer' op requires row to be a vector, got 'tensor<2x2xf32>'}}
  %c = pattern.outer %b, %a : tensor<2xf32>, tensor<2x2xf32>
  return
}

// -----

func.func @read_vector(%S: tensor<4xf32>, %k: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.read' op requires state to be a matrix, got 'tensor<4xf32>'}}
  %y = pattern.read %S, %k : tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @read(%S: tensor<4x3xf32>, %k: tensor<3xf32>) {
  // expected-error @+1 {{'pattern.read' op requires key to have as many elements as axis 0 of state: expected 4, got 3}}
  %y = pattern.read %S, %k : tensor<4x3xf32>, tensor<3xf32>
  return
}

// -----

func.func @read_transposed_vector(%S: tensor<4xf32>, %v: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.read_transposed' op requires state to be a matrix, got 'tensor<4xf32>'}}
  %y = pattern.read_transposed %S, %v : tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @read_transposed(%S: tensor<4x3xf32>, %v: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.read_transposed' op requires value to have as many elements as axis 1 of state: expected 3, got 4}}
  %y = pattern.read_transposed %S, %v : tensor<4x3xf32>, tensor<4xf32>
  return
}

// -----

func.func @dot(%a: tensor<4xf32>, %b: tensor<3xf32>) {
  // expected-note @-1 {{prior use here}}
  // expected-error @+1 {{use of value '%b' expects different type than prior uses: 'tensor<4xf32>' vs 'tensor<3xf32>'}}
  %c = pattern.dot %a, %b : tensor<4xf32>
  return
}

// -----

func.func @sum_scalar(%a: f32) {
  // expected-error @+1 {{'pattern.sum' op requires source to be a vector or a matrix, got 'f32'}}
  %c = pattern.sum %a over 0 : f32
  return
}

// -----

func.func @sum_axis(%a: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.sum' op requires axis to be in [0, 1), got 1}}
  %c = pattern.sum %a over 1 : tensor<4xf32>
  return
}

// -----

func.func @broadcast_element(%a: f32) {
  // expected-error @+1 {{'pattern.broadcast' op requires result elements of type 'f32', got 'i32'}}
  %c = pattern.broadcast %a : f32 to tensor<4xi32>
  return
}

// -----

func.func @broadcast_dynamic(%a: f32) {
  // expected-error @+1 {{'pattern.broadcast' op requires a static result of rank 1 or 2, got 'tensor<?xf32>'}}
  %c = pattern.broadcast %a : f32 to tensor<?xf32>
  return
}

// -----

func.func @broadcast_scalar_along(%a: f32) {
  // expected-error @+1 {{'pattern.broadcast' op requires no `along` for a scalar source}}
  %c = pattern.broadcast %a along 0 : f32 to tensor<4xf32>
  return
}

// -----

func.func @broadcast_vector(%a: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.broadcast' op requires `along` to say which axis of the result the vector lies on}}
  %c = pattern.broadcast %a : tensor<4xf32> to tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_matrix(%a: tensor<4x4xf32>) {
  // expected-error @+1 {{'pattern.broadcast' op requires a scalar or vector source and, for a vector, a matrix result; got 'tensor<4x4xf32>' to 'tensor<4x4xf32>'}}
  %c = pattern.broadcast %a along 0 : tensor<4x4xf32> to tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_axis(%a: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.broadcast' op requires axis to be 0 or 1, got 2}}
  %c = pattern.broadcast %a along 2 : tensor<4xf32> to tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_extent(%a: tensor<4xf32>) {
  // expected-error @+1 {{'pattern.broadcast' op requires axis 1 of the result to have 4 elements, got 3}}
  %c = pattern.broadcast %a along 1 : tensor<4xf32> to tensor<4x3xf32>
  return
}

// -----

func.func @lag_of_value(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    %b = arith.negf %a : f32
    // expected-error @+1 {{'pattern.lag' op requires source to be a token argument of the surrounding step}}
    %c = pattern.lag %b by 1 : f32
    pattern.yield outputs(%c : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @lag_of_state(%x: tensor<?x?x2xf32>) -> tensor<?x2xf32> {
  %s = pattern.scan tokens(%a = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2xf32>) {
    // expected-error @+1 {{'pattern.lag' op requires source to be a token argument of the surrounding step}}
    %c = pattern.lag %S by 1 : f32
    pattern.yield states(%c : f32)
  }
  return %s : tensor<?x2xf32>
}

// -----

func.func @lag_distance(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'pattern.lag' op requires a lag by 1 to 3 tokens, got 4}}
    %c = pattern.lag %a by 4 : f32
    pattern.yield outputs(%c : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @lag_otherwise(%x: tensor<?x?x2xf32>, %i: tensor<?x?x2xi32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>, %b = %i : tensor<?x?x2xi32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'pattern.lag' op requires `otherwise` to have the type of source: expected 'f32', got 'i32'}}
    %c = pattern.lag %a by 1 otherwise %b : i32 : f32
    pattern.yield outputs(%c : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @assume(%a: f32) {
  // expected-error @+1 {{'pattern.assume' op requires minimum <= maximum, got [1.000000e+00, 0.000000e+00]}}
  %c = pattern.assume %a in [1.0, 0.0] : f32
  return
}
