// Every message of the clauses of scan, map and window_attention, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @no_list(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires '(' after 'tokens', as in tokens(%qt = %q : tensor<?x?x8x64xf32>)}}
  pattern.map tokens -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_comma(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ',' or ')' after an entry of 'tokens', as in tokens(%qt = %q : tensor<?x?x8x64xf32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32> %b = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_name(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires a name for the step's argument in 'tokens', as in tokens(%qt = %q : tensor<?x?x8x64xf32>)}}
  pattern.map tokens(a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_equal(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires '=' and an operand after the step's argument '%a', as in tokens(%qt = %q : tensor<?x?x8x64xf32>)}}
  pattern.map tokens(%a %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_operand(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires an operand in 'tokens', as in tokens(%qt = %q : tensor<?x?x8x64xf32>)}}
  pattern.map tokens(%a = x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @zero_token(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires an operand for '%a'; only states start at zero}}
  pattern.map tokens(%a = zero : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_colon(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ':' and the type of '%x' after it, as in %x : tensor<?x?x8x64xf32>}}
  pattern.map tokens(%a = %x tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @element(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires '%x' to have elements of type f32, bf16, f16, i32 or i1, got 'tensor<?x?x2xf64>'; write such a type and convert the array before the call}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf64>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @param(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires param '%x' to have a static, positive axis 0, as in tensor<HxDxT> (heads, features), got 'tensor<?x2xf32>'}}
  pattern.map params(%a = %x : tensor<?x2xf32>) tokens(%b = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @state(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires state '%S' to have a dynamic axis 0, as in tensor<?xHxKxVxf32> (batch, heads, state), got 'tensor<2x4xf32>'}}
  pattern.scan tokens(%a = %x : tensor<?x?x2xf32>) states(%S = zero : tensor<2x4xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_order(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires '(' after 'order', as in order(%i : tensor<?x?xi32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) order %x -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @order_open(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ')' after the operand of 'order', as in order(%i : tensor<?x?xi32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) order(%i : tensor<?x?xi32> -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @order_colon(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires ':' and the type of '%i' after it, as in order(%i : tensor<?x?xi32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) order(%i) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @order_type(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires operand '%i' of order to have type tensor<?x?xi32> (batch, tokens), got 'tensor<?x?xf32>'}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) order(%i : tensor<?x?xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @mask_type(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires operand '%i' of output_mask to have type tensor<?x?xi1> (batch, tokens), got 'tensor<?x?xi32>'}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) output_mask(%i : tensor<?x?xi32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_zeroes(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires zeroes(...) after source_mask(...): the token arguments that read as zero where the mask is false, as in zeroes(%kt)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) source_mask(%m : tensor<?x?xi1>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @zeroes_alone(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires source_mask(%m : tensor<?x?xi1>) beside 'zeroes'}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) zeroes(%a) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @zeroes_word(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires the name of a token argument in 'zeroes', as in zeroes(%kt)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) zeroes(a) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @twice(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires clause 'tokens' once; its entries stand in one list, separated by commas}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) tokens(%b = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @misspelt(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires one of the clauses reverse, params, tokens, states, order, sequences, segments, source_mask, zeroes, output_mask and -> (outputs), or the step in braces, got 'tokns'; did you mean 'tokens'?}}
  pattern.map tokns(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @unknown(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires one of the clauses reverse, params, tokens, states, order, sequences, segments, source_mask, zeroes, output_mask and -> (outputs), or the step in braces, got 'initial'}}
  pattern.map initial(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @outputs(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+1 {{requires '(' after '->', as in -> (tensor<?x?x8x64xf32>)}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

func.func @no_step(%x: tensor<?x?x2xf32>, %i: tensor<?x?xi32>, %m: tensor<?x?xi1>) {
  // expected-error @+2 {{requires '{' and the step after the clauses}}
  pattern.map tokens(%a = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>)
    pattern.yield outputs(%a : f32)
  }
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @two_operands(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires query, key and value, as in %q, %k, %v}}
  %o = pattern.window_attention %q, %q media(%m : tensor<?x4xi32>) {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @no_media(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires clause 'media', as in media(%media : tensor<?x4xi32>)}}
  %o = pattern.window_attention %q, %q, %q window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @no_scale(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires clause 'scale', as in scale 0.125}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] wrap masked : (!q, !q, !q) -> !q {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @media_paren(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires '(' after 'media', as in media(%media : tensor<?x4xi32>)}}
  %o = pattern.window_attention %q, %q, %q media %m {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @window_paren(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires window as [t, h, w] or an alias of array<i64: t, h, w>, got '('}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window (1, 2, 2) {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @clause_twice(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires clause 'wrap' once}}
  %o = pattern.window_attention %q, %q, %q wrap masked wrap masked {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @clause_unknown(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the clauses media, window, shift, scale and wrap, got 'windows'}}
  %o = pattern.window_attention %q, %q, %q windows [1, 2, 2] {}
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @no_types(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the types of query, key, value and result, as in : (!q, !k, !v) -> !o}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : !q {}
  return
}
