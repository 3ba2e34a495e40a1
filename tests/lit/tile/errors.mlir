// Every message of the tile dialect's verifiers, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @gather_twice(%m: tensor<?x?x2x8xf32>, %i: tensor<4xi32>) {
  // expected-error @+1 {{'tile.load' op requires at most one gathered axis}}
  %t = tile.load %m[%i, %i] : tensor<?x?x2x8xf32>, [tensor<4xi32>, tensor<4xi32>] -> tensor<4x8xf32>
  return
}

// -----

func.func @too_many(%m: tensor<?xf32>, %i: index) {
  // expected-error @+1 {{'tile.load' op requires at most 1 indices, got 2}}
  %t = tile.load %m[%i, %i] : tensor<?xf32>, [index, index] -> f32
  return
}

// -----

func.func @gather_type(%m: tensor<?x8xf32>, %i: tensor<4xi64>) {
  // expected-error @+1 {{'tile.load' op requires gathered rows of i32, got 'tensor<4xi64>'}}
  %t = tile.load %m[%i] : tensor<?x8xf32>, [tensor<4xi64>] -> tensor<4x8xf32>
  return
}

// -----

func.func @dynamic_axis(%m: tensor<?x?x8xf32>, %i: index) {
  // expected-error @+1 {{'tile.load' op requires an index for the dynamic axis 1}}
  %t = tile.load %m[%i] : tensor<?x?x8xf32>, [index] -> tensor<8xf32>
  return
}

// -----

func.func @tile_rank(%m: tensor<?x2x3x4xf32>, %i: index) {
  // expected-error @+1 {{'tile.load' op requires a tile of rank 2 at most, got rank 3}}
  %t = tile.load %m[%i] : tensor<?x2x3x4xf32>, [index] -> tensor<3x4xf32>
  return
}

// -----

func.func @element(%m: tensor<?x8xbf16>, %i: index) {
  // expected-error @+1 {{'tile.load' op requires tile elements of type 'bf16', got 'f32'}}
  %t = tile.load %m[%i] : tensor<?x8xbf16>, [index] -> tensor<8xf32>
  return
}

// -----

func.func @shape(%m: tensor<?x8xf32>, %i: tensor<4xi32>) {
  // expected-error @+1 {{'tile.load' op requires a tile of shape [4, 8], got [8, 4]}}
  %t = tile.load %m[%i] : tensor<?x8xf32>, [tensor<4xi32>] -> tensor<8x4xf32>
  return
}

// -----

func.func @store_mask(%m: tensor<?x8xf32>, %i: tensor<4xi32>, %v: tensor<4x8xf32>, %w: tensor<3xi1>) {
  // expected-error @+1 {{'tile.store' op requires a mask over 4 rows, got 'tensor<3xi1>'}}
  tile.store %v, %m[%i] where %w : tensor<3xi1> : tensor<4x8xf32>, tensor<?x8xf32>, [tensor<4xi32>]
  return
}

// -----

func.func @store_rows(%m: tensor<?x8xf32>, %i: index, %v: tensor<8xf32>, %w: tensor<8xi1>) {
  // expected-error @+1 {{'tile.store' op requires a scalar mask where no axis has a tile of rows, got 'tensor<8xi1>'}}
  tile.store %v, %m[%i] where %w : tensor<8xi1> : tensor<8xf32>, tensor<?x8xf32>, [index]
  return
}

// -----

func.func @coordinate(%m: tensor<?xf32>) {
  // expected-error @+1 {{'tile.coordinate' op requires a tile of i32, got 'tensor<4xf32>'}}
  %t = tile.coordinate 0 : tensor<4xf32>
  return
}

// -----

func.func @coordinate_axis(%m: tensor<?xf32>) {
  // expected-error @+1 {{'tile.coordinate' op requires axis to be in [0, 1), got 1}}
  %t = tile.coordinate 1 : tensor<4xi32>
  return
}

// -----

func.func @broadcast_type(%m: tensor<?xf32>, %a: f32) {
  // expected-error @+1 {{'tile.broadcast' op requires equal element types, got 'f32' and 'tensor<4xi32>'}}
  %t = tile.broadcast %a : f32 to tensor<4xi32>
  return
}

// -----

func.func @broadcast_scalar(%m: tensor<?xf32>, %a: f32) {
  // expected-error @+1 {{'tile.broadcast' op requires no axis for a scalar}}
  %t = tile.broadcast %a along 0 : f32 to tensor<4xf32>
  return
}

// -----

func.func @broadcast_axis(%m: tensor<?xf32>, %a: tensor<4xf32>) {
  // expected-error @+1 {{'tile.broadcast' op requires a rank-1 source along axis 0 or 1 of a matrix, got 'tensor<4xf32>' to 'tensor<4x4xf32>'}}
  %t = tile.broadcast %a : tensor<4xf32> to tensor<4x4xf32>
  return
}

// -----

func.func @broadcast_extent(%m: tensor<?xf32>, %a: tensor<4xf32>) {
  // expected-error @+1 {{'tile.broadcast' op requires axis 1 of the result to have 4 elements, got 3}}
  %t = tile.broadcast %a along 1 : tensor<4xf32> to tensor<4x3xf32>
  return
}

// -----

func.func @extract(%m: tensor<?xf32>, %a: f32, %i: index) {
  // expected-error @+1 {{'tile.extract' op requires a tile, got 'f32'}}
  %t = tile.extract %a[%i] : f32 -> f32
  return
}

// -----

func.func @extract_shape(%m: tensor<?xf32>, %a: tensor<4x8xf32>, %i: index) {
  // expected-error @+1 {{'tile.extract' op requires result of shape [8], got [4]}}
  %t = tile.extract %a[%i] : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

func.func @transpose(%m: tensor<?xf32>, %a: tensor<4xf32>) {
  // expected-error @+1 {{'tile.transpose' op requires a matrix, got 'tensor<4xf32>'}}
  %t = tile.transpose %a : tensor<4xf32> -> tensor<4xf32>
  return
}

// -----

func.func @dot(%m: tensor<?xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.dot' op requires equal contracted extents, got 8 and 4}}
  %t = tile.dot %a, %a : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @dot_init(%m: tensor<?xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.dot' op requires init of shape [4, 4], got [4, 8]}}
  %t = tile.dot %a, transpose_rhs %a init %a : tensor<4x8xf32> : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @dot_triangle(%m: tensor<?xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.dot' op requires a square lhs for lhs_lower, got 4 by 8}}
  %t = tile.dot %a, transpose_rhs %a triangle lhs_lower : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @dot_result(%m: tensor<?xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.dot' op requires result of shape [4, 4], got [4, 8]}}
  %t = tile.dot %a, transpose_rhs %a : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @reduce_axis(%m: tensor<?xf32>, %a: tensor<4xf32>) {
  // expected-error @+1 {{'tile.reduce' op requires axis to be in [0, 1), got 1}}
  %t = tile.reduce add %a over 1 : tensor<4xf32> -> f32
  return
}

// -----

func.func @reduce(%m: tensor<?xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.reduce' op requires result of shape [8], got []}}
  %t = tile.reduce add %a over 0 : tensor<4x8xf32> -> f32
  return
}

// -----

func.func @solve(%m: tensor<?xf32>, %a: tensor<4x4xf32>) {
  // expected-error @+1 {{'tile.solve' op requires m values, m * m systems and m solutions, got 2, 1 and 2}}
  %t:2 = tile.solve systems(%a : tensor<4x4xf32>) values(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>, tensor<4x4xf32>
  return
}

// -----

func.func @solve_system(%m: tensor<?xf32>, %a: tensor<3x3xf32>, %v: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.solve' op requires systems of shape [4, 4], got [3, 3]}}
  %t = tile.solve systems(%a : tensor<3x3xf32>) values(%v : tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @decay_scores(%m: tensor<?xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.decay_scores' op requires result of shape [4, 4], got [4, 8]}}
  %t = tile.decay_scores %a, %a decays %a : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @decay_values(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.decay_values' op requires scores of shape [4, 4], got [4, 8]}}
  %t = tile.decay_values %a, %a decays %a : tensor<4x8xf32>, tensor<4x8xf32>
  return
}

// -----

func.func @solve_values(%m: tensor<?xf32>, %s: tensor<4x4xf32>, %a: tensor<4x8xf32>, %b: tensor<4x3xf32>) {
  // expected-error @+1 {{'tile.solve' op requires values of shape [4, 8], got [4, 3]}}
  %t:2 = tile.solve systems(%s, %s, %s, %s : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) values(%a, %b : tensor<4x8xf32>, tensor<4x3xf32>) -> tensor<4x8xf32>, tensor<4x8xf32>
  return
}

// -----

func.func @solve_solution(%m: tensor<?xf32>, %s: tensor<4x4xf32>, %a: tensor<4x8xf32>) {
  // expected-error @+1 {{'tile.solve' op requires solutions of shape [4, 8], got [4, 3]}}
  %t = tile.solve systems(%s : tensor<4x4xf32>) values(%a : tensor<4x8xf32>) -> tensor<4x3xf32>
  return
}
