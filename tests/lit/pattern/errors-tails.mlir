// Every message of tails, of token operands and of segments, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @tail(%x: tensor<?x?x2xf32>, %t: tensor<?x4x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x4x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires tail #0 to be its token operand's type with 1 to 3 tokens, got 'tensor<?x4x2xf32>' for 'tensor<?x?x2xf32>'}}
  %y, %u = pattern.map tokens(%a = %x tail %t : tensor<?x?x2xf32>, tensor<?x4x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y, %u : tensor<?x?x2xf32>, tensor<?x4x2xf32>
}

// -----

func.func @lag_beyond_tail(%x: tensor<?x?x2xf32>, %t: tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x1x2xf32>) {
  %y, %u = pattern.map tokens(%a = %x tail %t : tensor<?x?x2xf32>, tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>) {
    // expected-error @+1 {{'pattern.lag' op requires a tail of at least 2 tokens, got 1}}
    %b = pattern.lag %a by 2 : f32
    pattern.yield outputs(%b : f32)
  }
  return %y, %u : tensor<?x?x2xf32>, tensor<?x1x2xf32>
}

// -----

func.func @owners(%x: tensor<?x?x2xf32>, %t: tensor<?x1x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires entries of tail_owners to be different and in [0, 1), got 1}}
  %y, %u = "pattern.map"(%x, %t) <{operandSegmentSizes = array<i32: 0, 1, 1, 0, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 1, 0, 1>, tail_owners = array<i64: 1>}> ({
    ^bb0(%a: f32):
      "pattern.yield"(%a) <{operandSegmentSizes = array<i32: 1, 0>}> : (f32) -> ()
    }) : (tensor<?x?x2xf32>, tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x1x2xf32>)
  return
}

// -----

func.func @no_owner(%x: tensor<?x?x2xf32>, %t: tensor<?x1x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires 1 entries of tail_owners, got 0}}
  %y, %u = "pattern.map"(%x, %t) <{operandSegmentSizes = array<i32: 0, 1, 1, 0, 0, 0, 0, 0, 0>,
      resultSegmentSizes = array<i32: 1, 0, 1>}> ({
    ^bb0(%a: f32):
      "pattern.yield"(%a) <{operandSegmentSizes = array<i32: 1, 0>}> : (f32) -> ()
    }) : (tensor<?x?x2xf32>, tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x1x2xf32>)
  return
}

// -----

func.func @segments_tail(%x: tensor<?x?x2xf32>, %id: tensor<?x?xi32>, %t: tensor<?x4xi32>) -> (tensor<?x?x2xf32>, tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.map' op requires tail #0 to be the segments' type with 1 to 3 tokens, got 'tensor<?x4xi32>' for 'tensor<?x?xi32>'}}
  %y, %n = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) segments(%id tail %t : tensor<?x?xi32>, tensor<?x4xi32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return %y, %n : tensor<?x?x2xf32>, tensor<?x4xi32>
}

// -----

func.func @tail_mask_for_each(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  // expected-error @+1 {{'pattern.map' op requires 0 entries of tail_masks, got 1}}
  %y = pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) attributes {tail_masks = array<i64: -1>} {
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
}

// -----

func.func @tail_mask_range(%x: tensor<?x?x2xf32>, %t: tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x1x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires entries of tail_masks to be in [-1, 1), got 1}}
  %y, %n = pattern.map tokens(%a = %x tail %t : tensor<?x?x2xf32>, tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>) attributes {tail_masks = array<i64: 1>} {
    pattern.yield outputs(%a : f32)
  }
  return %y, %n : tensor<?x?x2xf32>, tensor<?x1x2xf32>
}

// -----

func.func @tail_mask_type(%x: tensor<?x?x2xf32>, %t: tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>, tensor<?x1x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires entries of tail_masks to name token operands of type tensor<?x?xi1>, got 'tensor<?x?x2xf32>' of #0}}
  %y, %n = pattern.map tokens(%a = %x tail %t : tensor<?x?x2xf32>, tensor<?x1x2xf32>) -> (tensor<?x?x2xf32>) attributes {tail_masks = array<i64: 0>} {
    pattern.yield outputs(%a : f32)
  }
  return %y, %n : tensor<?x?x2xf32>, tensor<?x1x2xf32>
}

// -----

func.func @tail_mask_twice(%x: tensor<?x?x2xf32>, %t: tensor<?x1x2xf32>, %m: tensor<?x?xi1>) -> (tensor<?x?x2xf32>, tensor<?x1x2xf32>) {
  // expected-error @+1 {{'pattern.map' op requires source_mask or tail_masks, which are what becomes of it, not both}}
  %y, %n = pattern.map tokens(%a = %x tail %t : tensor<?x?x2xf32>, tensor<?x1x2xf32>) source_mask(%m : tensor<?x?xi1>) zeroes(%a) -> (tensor<?x?x2xf32>) attributes {tail_masks = array<i64: -1>} {
    pattern.yield outputs(%a : f32)
  }
  return %y, %n : tensor<?x?x2xf32>, tensor<?x1x2xf32>
}

// -----

func.func @no_tail_type(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ',' and the type of tail '%x' after that of '%x'}}
  pattern.map tokens(%a = %x tail %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_tail(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires an operand in 'tail', as in %xt = %x tail %t : type of %x, type of %t}}
  pattern.map tokens(%a = %x tail : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @segments_no_tail(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires an operand in 'tail', as in segments(%i tail %t : tensor<?x?xi32>, tensor<?x1xi32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) segments(%i tail : tensor<?x?xi32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @segments_no_tail_type(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ',' and the type of tail '%i' after that of '%i'}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) segments(%i tail %i : tensor<?x?xi32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @segments_tail_no_tensor(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires '%i' to have a tensor type such as tensor<?x1xi32>, got 'i32'}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) segments(%i tail %i : tensor<?x?xi32>, i32) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @mask_tail(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires no 'tail' in 'output_mask'; only token operands and segments have one}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) output_mask(%m tail %m : tensor<?x?xi1>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @order_tail(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires no 'tail' in 'order'; only token operands and segments have one}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) order(%i tail %i : tensor<?x?xi32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @segments_tail_then_end(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ')' after the operand of 'segments', as in segments(%i : tensor<?x?xi32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) segments(%i tail %i : tensor<?x?xi32>, tensor<?x1xi32> -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}
