// What the passes refuse, each in one message.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics --assign-layouts

tile.program @p inputs(%x: tensor<?x48xf32>) results(%z: tensor<?x48xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @k(%x: tensor<?x48xf32>, %z: tensor<?x48xf32>) {
    %c0 = arith.constant 0 : index
    %rows = tile.range %c0 -> !tile.range<16>
    // expected-error @+1 {{requires tiles of powers of two, got 'tensor<16x48xf32>'}}
    %a = tile.load %x[%rows] : tensor<?x48xf32>, [!tile.range<16>] -> tensor<16x48xf32>
    tile.store %a, %z[%rows] : tensor<16x48xf32>, tensor<?x48xf32>, [!tile.range<16>]
  }
  tile.variant as "k" { tile.launch @k grid(%c1)(%x, %z : tensor<?x48xf32>, tensor<?x48xf32>) }
}

// -----

tile.program @p inputs(%x: tensor<8x8xf32>) results(%z: tensor<8x8xf32>) {
  %c1 = arith.constant 1 : index
  tile.kernel @k(%x: tensor<8x8xf32>, %z: tensor<8x8xf32>) {
    %c0 = arith.constant 0 : index
    %r = tile.range %c0 -> !tile.range<8>
    %a = tile.load %x[%r] : tensor<8x8xf32>, [!tile.range<8>] -> tensor<8x8xf32>
    // expected-error @+1 {{requires products of at least 16 rows and columns, got 'tensor<8x8xf32>'}}
    %b = tile.dot %a, %a : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
    tile.store %b, %z[%r] : tensor<8x8xf32>, tensor<8x8xf32>, [!tile.range<8>]
  }
  tile.variant as "k" { tile.launch @k grid(%c1)(%x, %z : tensor<8x8xf32>, tensor<8x8xf32>) }
}
