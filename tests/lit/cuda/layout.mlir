// Layouts of registers as the encoding of tiles, and of memory, as text and back.
// RUN: linmu-opt %s | linmu-opt | FileCheck %s

// CHECK-DAG: #[[ACCUMULATOR:.*]] = #cuda.layout<register = {{\[}}[0, 1], [8, 0]], lane = {{\[}}[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [] -> dim0: 16, dim1: 8>
// CHECK-DAG: #[[ROWS:.*]] = #cuda.layout<register = {{\[}}[0], [0]], lane = {{\[}}[0], [0], [1], [2], [4]], warp = {{\[}}[8]] -> dim0: 16>
// CHECK-DAG: #[[SWIZZLED:.*]] = #cuda.layout<offset = {{\[}}[0, 1], [0, 2], [0, 4], [0, 8], [1, 8], [2, 0]] -> dim0: 4, dim1: 16>

#accumulator = #cuda.layout<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [] -> dim0: 16, dim1: 8>

// CHECK: @accumulator(%{{.*}}: tensor<16x8xf32, #[[ACCUMULATOR]]>)
func.func @accumulator(%x: tensor<16x8xf32, #accumulator>, %y: tensor<16x8xf32, #accumulator>) -> tensor<16x8xf32, #accumulator> {
  // CHECK: arith.addf %{{.*}}, %{{.*}} : tensor<16x8xf32, #[[ACCUMULATOR]]>
  %sum = arith.addf %x, %y : tensor<16x8xf32, #accumulator>
  return %sum : tensor<16x8xf32, #accumulator>
}

// Several threads hold an element of a row's sums.
// CHECK: @rows(tensor<16xf32, #[[ROWS]]>)
func.func private @rows(tensor<16xf32, #cuda.layout<register = [[0], [0]], lane = [[0], [0], [1], [2], [4]], warp = [[8]] -> dim0: 16>>)

// CHECK: @memory() attributes {where = #[[SWIZZLED]]}
func.func private @memory() attributes {where = #cuda.layout<offset = [[0, 1], [0, 2], [0, 4], [0, 8], [1, 8], [2, 0]] -> dim0: 4, dim1: 16>}
