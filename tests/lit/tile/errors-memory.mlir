// Every message about ranges and buffers, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @range_size(%i: index) {
  // expected-error @+1 {{requires a range of at least one position, got 0}}
  %r = tile.range %i -> !tile.range<0>
  return
}

// -----

func.func @order_type(%i: index, %o: tensor<?x?xf32>) {
  // expected-error @+1 {{'tile.range' op requires an order of i32 by batch and position, got 'tensor<?x?xf32>'}}
  %r = tile.range %i via %o[%i] : tensor<?x?xf32> -> !tile.range<4>
  return
}

// -----

func.func @two_orders(%m: tensor<?x?x8xf32>, %i: index, %o: tensor<?x?xi32>) {
  %r = tile.range %i via %o[%i] : tensor<?x?xi32> -> !tile.range<4>
  // expected-error @+1 {{'tile.load' op requires at most one gathered axis}}
  %t = tile.load %m[%r, %r, %i] : tensor<?x?x8xf32>, [!tile.range<4>, !tile.range<4>, index] -> tensor<4x4xf32>
  return
}

// -----

func.func @columns(%m: tensor<?x8xf32>, %i: index) {
  %r = tile.range %i -> !tile.range<4>
  // expected-error @+1 {{'tile.load' op requires a tile of shape [4, 4], got [4, 8]}}
  %t = tile.load %m[%r, %r] : tensor<?x8xf32>, [!tile.range<4>, !tile.range<4>] -> tensor<4x8xf32>
  return
}

// -----

func.func @encoding(%m: tensor<?x8xf32>, %i: index) {
  %r = tile.range %i -> !tile.range<4>
  // expected-error @+1 {{'tile.load' op result #0 must be a scalar, or a static tile of rank 1 or 2 without encoding (shared memory is a !tile.buffer), but got 'tensor<4x8xf32, "smem">'}}
  %t = tile.load %m[%r] : tensor<?x8xf32>, [!tile.range<4>] -> tensor<4x8xf32, "smem">
  return
}

// -----

// expected-error @+1 {{requires a buffer of one or two static extents, three for a ring}}
func.func private @buffer_rank(!tile.buffer<2x2x2x2xf32>)

// -----

// expected-error @+1 {{requires a buffer of floats or integers, got 'index'}}
func.func private @buffer_element(!tile.buffer<2xindex>)

// -----

func.func @read() {
  %b = tile.alloc : !tile.buffer<4x8xf32>
  // expected-error @+1 {{'tile.read' op requires a result of type 'tensor<4x8xf32>', got 'tensor<8x4xf32>'}}
  %t = tile.read %b : !tile.buffer<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

func.func @write(%t: tensor<8xf32>) {
  %b = tile.alloc : !tile.buffer<4x8xf32>
  // expected-error @+1 {{'tile.write' op requires a value of type 'tensor<4x8xf32>', got 'tensor<8xf32>'}}
  tile.write %t, %b : tensor<8xf32>, !tile.buffer<4x8xf32>
  return
}

// -----

func.func @copy(%m: tensor<?x8xbf16>, %i: index) {
  %b = tile.alloc : !tile.buffer<4x8xf32>
  %r = tile.range %i -> !tile.range<4>
  // expected-error @+1 {{'tile.copy' op requires what is copied of type 'tensor<4x8xf32>', got 'tensor<4x8xbf16>'}}
  tile.copy %m[%r], %b : tensor<?x8xbf16>, [!tile.range<4>], !tile.buffer<4x8xf32>
  return
}

// -----

func.func @product(%a: tensor<4x8xbf16>, %b: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.dot' op requires operands of one element type, got 'bf16' and 'f32'}}
  %t = tile.dot %a, transpose_rhs %b : tensor<4x8xbf16>, tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @slot(%i: index) {
  %ring = tile.alloc : !tile.buffer<2x4x8xf32>
  // expected-error @+1 {{'tile.slot' op requires a slot of '!tile.buffer<2x4x8xf32>', which has one axis less, got '!tile.buffer<2x4xf32>'}}
  %slot = tile.slot %ring[%i] ahead 0 : !tile.buffer<2x4x8xf32> -> !tile.buffer<2x4xf32>
  return
}
