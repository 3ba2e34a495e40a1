// Every message of scan, map and their steps, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @not_a_tensor(%x: f32) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{requires '%x' to have a tensor type such as tensor<?x?x8x64xf32>, got 'f32'}}
  %y = pattern.map tokens(%a = %x : f32) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @zeroes_no_token(%x: tensor<?x?x2xf32>, %m: tensor<?x?xi1>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'zeroes' requires a token argument, got '%b'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) source_mask(%m : tensor<?x?xi1>) zeroes(%b) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @nothing(%x: tensor<?x?x2xf32>) {
  // expected-error @+1 {{'pattern.scan' op requires an output or a state}}
  pattern.scan tokens(%a = %x : tensor<?x?x2xf32>) {
    pattern.yield
  }
  return
}

// -----

func.func @no_heads(%x: tensor<?x?x2xf32>) -> tensor<?x?xf32> {
  // expected-error @+1 {{requires output to have rank 3 to 5, as in tensor<?x?xHxDxT> (batch, tokens, heads, features), got 'tensor<?x?xf32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?xf32>
}

// -----

func.func @rank(%x: tensor<?x?x2x3x4x5xf32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{requires token operand '%x' to have rank 3 to 5, as in tensor<?x?xHxDxT> (batch, tokens, heads, features), got 'tensor<?x?x2x3x4x5xf32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2x3x4x5xf32>) -> (tensor<?x?x2xf32>) {
    %c = arith.constant 1.0 : f32
    pattern.yield outputs(%c : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @static_tokens(%x: tensor<?x7x2xf32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{requires token operand '%x' to have a dynamic axis 1, as in tensor<?x?xHxDxT> (batch, tokens, heads, features), got 'tensor<?x7x2xf32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x7x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @dynamic_heads(%x: tensor<?x?x?xf32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{requires token operand '%x' to have a static, positive axis 2, as in tensor<?x?xHxDxT> (batch, tokens, heads, features), got 'tensor<?x?x?xf32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x?xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @heads_do_not_divide(%x: tensor<?x?x3xf32>) -> tensor<?x?x4xf32> {
  // expected-error @+1 {{'pattern.map' op requires token operand of '%a' to have a head count that divides 4, got 3 in 'tensor<?x?x3xf32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x3xf32>) -> (tensor<?x?x4xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x4xf32>
}

// -----

func.func @heads_differ(%x: tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x?x4xf32>) {
  // expected-error @+1 {{'pattern.map' op requires output #1 to have 2 heads, got 4 in 'tensor<?x?x4xf32>'}}
  %y:2 = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x?x4xf32>) {
    pattern.yield outputs(%a, %a : f32, f32)
  }
  return %y#0, %y#1 : tensor<?x?x2xf32>, tensor<?x?x4xf32>
}

// -----

func.func @state_type(%x: tensor<?x?x2xf32>) -> tensor<?x2xbf16> {
  // expected-error @+1 {{'pattern.scan' op requires state #0 to have f32 elements, got 'tensor<?x2xbf16>'}}
  %s = pattern.scan tokens(%a = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2xbf16>) {
    pattern.yield states(%a : f32)
  }
  return %s : tensor<?x2xbf16>
}

// -----

func.func @integer_output(%x: tensor<?x?x2xi32>) -> tensor<?x?x2xi32> {
  // expected-error @+1 {{'pattern.map' op requires output #0 to have float elements, got 'tensor<?x?x2xi32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xi32>) -> (tensor<?x?x2xi32>) {
    pattern.yield outputs(%a : i32)
  }
  return %y : tensor<?x?x2xi32>
}

// -----

func.func @no_tokens() -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires a token operand, which gives the batch and the number of tokens}}
  %y = pattern.map -> (tensor<?x?x2xf32>) {
    %c = arith.constant 1.0 : f32
    pattern.yield outputs(%c : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @initial_type(%x: tensor<?x?x2xf32>, %s0: tensor<?x2xf32>) {
  // expected-error @+1 {{'pattern.scan' op requires the initial value of state #0 to have type 'tensor<?x2x4xf32>', got 'tensor<?x2xf32>'}}
  %s = "pattern.scan"(%x, %s0) <{operandSegmentSizes = array<i32: 0, 1, 0, 1, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 0, 1, 0>, init_owners = array<i64: 0>}> ({
    ^bb0(%a: f32, %S: tensor<4xf32>):
      "pattern.yield"(%S) <{operandSegmentSizes = array<i32: 0, 1>}> : (tensor<4xf32>) -> ()
    }) : (tensor<?x?x2xf32>, tensor<?x2xf32>) -> tensor<?x2x4xf32>
  return
}

// -----

func.func @static_order(%x: tensor<?x?x2xf32>, %i: tensor<1x?xi32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires order of type 'tensor<?x?xi32>', got 'tensor<1x?xi32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) order(%i : tensor<1x?xi32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @nothing_zeroed(%x: tensor<?x?x2xf32>, %m: tensor<?x?xi1>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires source_mask and the token arguments that it zeroes together}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) source_mask(%m : tensor<?x?xi1>) zeroes() -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @zeroed_twice(%x: tensor<?x?x2xf32>, %m: tensor<?x?xi1>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires zeroes to name different token arguments, got #0}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) source_mask(%m : tensor<?x?xi1>) zeroes(%a, %a) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @map_with_state(%x: tensor<?x?x2xf32>) -> tensor<?x2xf32> {
  // expected-error @+1 {{requires no state; a recurrence is a 'pattern.scan'}}
  %s = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2xf32>) {
    pattern.yield states(%a : f32)
  }
  return %s : tensor<?x2xf32>
}

// -----

func.func @arguments(%x: tensor<?x?x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires a step with arguments of types 'f32', got 'f32', 'f32'}}
  %y = "pattern.map"(%x) <{operandSegmentSizes = array<i32: 0, 1, 0, 0, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 1, 0, 0>}> ({
    ^bb0(%a: f32, %b: f32):
      "pattern.yield"(%a) <{operandSegmentSizes = array<i32: 1, 0>}> : (f32) -> ()
    }) : (tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  return
}

// -----

func.func @no_yield(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{block with no terminator}}
    %b = arith.negf %a : f32
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @other_terminator(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires its step to end in 'pattern.yield'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    "pattern.form"() <{operandSegmentSizes = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0>, feedback_index = array<i64>,
        inclusive = array<i1>, key_axis = 0}> : () -> ()
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @foreign_op(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'math.atan' op cannot stand in the step of 'pattern.map'; the ops that can are listed in docs/patterns.md, The step}}
    %b = math.atan %a : f32
    pattern.yield outputs(%b : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @too_wide(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'arith.constant' op requires a constant of f32, got 'f64'; write the type, as in arith.constant 0.5 : f32, since without one it is f64}}
    %b = arith.constant 1.0 : f64
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @too_large(%x: tensor<?x?x2x1024x1024xf32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires argument #0 of a step to be f32, i32, i1 or a static tensor of those of rank 1 or 2 with at most 262144 elements, got 'tensor<1024x1024xf32>'}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2x1024x1024xf32>) -> (tensor<?x?x2xf32>) {
    %b = arith.constant 1.0 : f32
    pattern.yield outputs(%b : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @sparse_constant(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'arith.constant' op requires a number or a dense<...> constant, got sparse<0, 1.000000e+00> : tensor<2xf32>}}
    %b = arith.constant sparse<0, 1.0> : tensor<2xf32>
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @output_count(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'pattern.yield' op requires 1 outputs, got 2; each type of '-> (...)' has one}}
    pattern.yield outputs(%a, %a : f32, f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @state_count(%x: tensor<?x?x2xf32>) -> tensor<?x2xf32> {
  %s = pattern.scan tokens(%a = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<?x2xf32>) {
    // expected-error @+1 {{'pattern.yield' op requires 1 states, got 0; each entry of 'states(...)' has its next value}}
    pattern.yield
  }
  return %s : tensor<?x2xf32>
}

// -----

func.func @output_type(%x: tensor<?x?x2x3xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%a = %x : tensor<?x?x2x3xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'pattern.yield' op requires output #0 to have type 'f32', got 'tensor<3xf32>'}}
    pattern.yield outputs(%a : tensor<3xf32>)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @next_state_type(%x: tensor<?x?x2x3xf32>) -> tensor<?x2xf32> {
  %s = pattern.scan tokens(%a = %x : tensor<?x?x2x3xf32>) states(%S = zero : tensor<?x2xf32>) {
    // expected-error @+1 {{'pattern.yield' op requires state #0 to have type 'f32', got 'tensor<3xf32>'}}
    pattern.yield states(%a : tensor<3xf32>)
  }
  return %s : tensor<?x2xf32>
}

// -----

func.func @yield_outside(%x: f32) {
  // expected-error @+1 {{'pattern.yield' op expects parent op to be one of 'pattern.scan, pattern.map, pattern.window_attention, pattern.window_adjoint, pattern.normal_scan'}}
  pattern.yield outputs(%x : f32)
}

// -----

func.func @generic_rank(%x: tensor<?x?x2x3x4x5xf32>) {
  // expected-error @+1 {{'pattern.map' op requires token operand #0 to have rank 3 to 5, as in tensor<?x?xHxDxT> (batch, tokens, heads, features), got 'tensor<?x?x2x3x4x5xf32>'}}
  %y = "pattern.map"(%x) <{operandSegmentSizes = array<i32: 0, 1, 0, 0, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 1, 0, 0>}> ({
    ^bb0(%a: f32):
      "pattern.yield"(%a) <{operandSegmentSizes = array<i32: 1, 0>}> : (f32) -> ()
    }) : (tensor<?x?x2x3x4x5xf32>) -> tensor<?x?x2xf32>
  return
}

// -----

func.func @generic_heads(%x: tensor<?x?x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires outputs of type tensor<?x?xHx...>, got 'tensor<?x?xf32>'}}
  %y = "pattern.map"(%x) <{operandSegmentSizes = array<i32: 0, 1, 0, 0, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 1, 0, 0>}> ({
    ^bb0(%a: f32):
      "pattern.yield"(%a) <{operandSegmentSizes = array<i32: 1, 0>}> : (f32) -> ()
    }) : (tensor<?x?x2xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @generic_state(%x: tensor<?x?x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires no state; a recurrence is a 'pattern.scan'}}
  %s = "pattern.map"(%x) <{operandSegmentSizes = array<i32: 0, 1, 0, 0, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 0, 1, 0>}> ({
    ^bb0(%a: f32, %S: f32):
      "pattern.yield"(%a) <{operandSegmentSizes = array<i32: 0, 1>}> : (f32) -> ()
    }) : (tensor<?x?x2xf32>) -> tensor<?x2xf32>
  return
}
