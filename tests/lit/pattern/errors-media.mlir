// Every message of token_order, permute and window_attention, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @axis(%x: tensor<?x?x1xf32>, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires an axis t, y or x, got 'z'}}
  %i = pattern.token_order #pattern.order<z, y, x> media(%m : tensor<?x4xi32>) like %x : tensor<?x?x1xf32> -> tensor<?x?xi32>
  return
}

// -----

func.func @axes(%x: tensor<?x?x1xf32>, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires each of the axes t, y, x once, got <t, y, y>}}
  %i = pattern.token_order #pattern.order<t, y, y> media(%m : tensor<?x4xi32>) like %x : tensor<?x?x1xf32> -> tensor<?x?xi32>
  return
}

// -----

func.func @order_media(%x: tensor<?x?x1xf32>, %m: tensor<?x3xi32>) {
  // expected-error @+1 {{'pattern.token_order' op requires media of type tensor<?x4xi32>, got 'tensor<?x3xi32>'}}
  %i = pattern.token_order #pattern.order<t, y, x> media(%m : tensor<?x3xi32>) like %x : tensor<?x?x1xf32> -> tensor<?x?xi32>
  return
}

// -----

func.func @order_like(%x: tensor<4xf32>, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.token_order' op requires like of type tensor<?x?xHx...> with positive extents, got 'tensor<4xf32>'}}
  %i = pattern.token_order #pattern.order<t, y, x> media(%m : tensor<?x4xi32>) like %x : tensor<4xf32> -> tensor<?x?xi32>
  return
}

// -----

func.func @order_result(%x: tensor<?x?x1xf32>, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.token_order' op requires result of type tensor<?x?xi32>, got 'tensor<1x?xi32>'}}
  %i = pattern.token_order #pattern.order<t, y, x> media(%m : tensor<?x4xi32>) like %x : tensor<?x?x1xf32> -> tensor<1x?xi32>
  return
}

// -----

func.func @permute_source(%x: tensor<?x?x0xf32>, %i: tensor<?x?xi32>) {
  // expected-error @+1 {{'pattern.permute' op requires source of type tensor<?x?xHx...> with positive extents, got 'tensor<?x?x0xf32>'}}
  %y = pattern.permute %x order(%i : tensor<?x?xi32>) : tensor<?x?x0xf32>
  return
}

// -----

func.func @permute_order(%x: tensor<?x?x1xf32>, %i: tensor<4x?xi32>) {
  // expected-error @+1 {{'pattern.permute' op requires order of type tensor<?x?xi32>, got 'tensor<4x?xi32>'}}
  %y = pattern.permute %x order(%i : tensor<4x?xi32>) : tensor<?x?x1xf32>
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @wrap(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+2 {{requires wrap to be 'masked' or 'joined', got 'cut'}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0
      wrap cut : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @types(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires the types of query, key and value, got 2}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @query_type(%q: tensor<?x?x4xf32>, %k: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires query of type tensor<?x?xHxDxT> with float elements and positive H and D, got 'tensor<?x?x4xf32>'}}
  %o = pattern.window_attention %q, %k, %k media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (tensor<?x?x4xf32>, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @features(%q: !q, %k: tensor<?x?x4x6xf32>, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires key to have the query's 8 features, got 6}}
  %o = pattern.window_attention %q, %k, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, tensor<?x?x4x6xf32>, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
!k = tensor<?x?x3x8xf32>
func.func @heads(%q: !q, %k: !k, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires the head counts of key and value to divide the query's 4, got 3 and 4}}
  %o = pattern.window_attention %q, %k, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !k, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @result(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires a result of 4 heads and 8 features, got 'tensor<?x?x2x8xf32>'}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> tensor<?x?x2x8xf32>
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @media(%q: !q, %m: tensor<2x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires media of type tensor<?x4xi32>, got 'tensor<2x4xi32>'}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<2x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @scale(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires a finite scale, got INF}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 0x7FF0000000000000 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @triple(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires window and shift to have three entries (t, h, w), got 2 and 3}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @window(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires positive window sizes, got 0 on axis 1}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 0, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @shift(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires 0 <= shift < window on each axis, got 2 with window 2 on axis 2}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 2] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @score_arguments(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires a score region with arguments (f32, i32 x 7), got 'f32'}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q {
  ^bb0(%s: f32):
    pattern.yield outputs(%s : f32)
  }
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @score_yield(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires the score region to yield one f32 output, got 'i32'}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %h: i32):
    pattern.yield outputs(%qt : i32)
  }
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @window_alias(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{requires window as [t, h, w] or an alias of array<i64: t, h, w>, got 2 : i64}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window 2 shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @volume(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires a window of at most 2147483647 tokens (t * h * w), got [65536, 32768, 1]; a size beyond the grid's means the grid's}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [65536, 32768, 1] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @volume_beyond_64_bits(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires a window of at most 2147483647 tokens (t * h * w), got [4294967296, 4294967296, 1]; a size beyond the grid's means the grid's}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [4294967296, 4294967296, 1] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @volume_that_wraps_to_a_small_one(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires a window of at most 2147483647 tokens (t * h * w), got [4, 4611686018427387905, 1]; a size beyond the grid's means the grid's}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [4, 4611686018427387905, 1] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @negative_shift(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires 0 <= shift < window on each axis, got -1 with window 2 on axis 0}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [2, 2, 2] shift [-1, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return
}

// -----

// The largest window that verifies.
!q = tensor<?x?x4x8xf32>
func.func @largest(%q: !q, %m: tensor<?x4xi32>) -> !q {
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [2147483647, 1, 1] shift [2147483646, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q
  return %o : !q
}

// -----

!q = tensor<?x?x4x8xf32>
func.func @score_end(%q: !q, %m: tensor<?x4xi32>) {
  // expected-error @+1 {{'pattern.window_attention' op requires its score region to end in 'pattern.yield'}}
  %o = pattern.window_attention %q, %q, %q media(%m : tensor<?x4xi32>) window [1, 2, 2] shift [0, 0, 0] scale 1.0 wrap masked : (!q, !q, !q) -> !q {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %h: i32):
    "pattern.form"() <{operandSegmentSizes = array<i32: 0, 0, 0, 0, 0, 0, 0, 0, 0>, feedback_index = array<i64>,
        inclusive = array<i1>, key_axis = 0}> : () -> ()
  }
  return
}
