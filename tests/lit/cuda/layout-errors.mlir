// Every message of layouts, on the smallest text that causes it.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{requires the inputs register, lane, warp, or the input offset; got lane, warp}}
#a = #cuda.layout<lane = [[1], [2], [4], [8], [16]], warp = [] -> dim0: 32>

// -----

// expected-error @+1 {{requires the outputs dim0, or dim0, dim1; got dim1}}
#a = #cuda.layout<register = [], lane = [[1], [2], [4], [8], [16]], warp = [] -> dim1: 32>

// -----

// expected-error @+1 {{requires 5 images of lane, got 4}}
#a = #cuda.layout<register = [], lane = [[1], [2], [4], [8]], warp = [] -> dim0: 16>

// -----

// expected-error @+1 {{requires every element to have a place; the images span 32 of 64 elements}}
#a = #cuda.layout<register = [[3]], lane = [[1], [2], [4], [8], [16]], warp = [] -> dim0: 64>

// -----

// expected-error @+1 {{requires one offset an element, got 3 images for 2 bits of coordinates}}
#a = #cuda.layout<offset = [[1], [2], [3]] -> dim0: 4>

// -----

// expected-error @+1 {{requires images of 'offset' to have a coordinate for each of the 2 outputs, inside its size; got [1, 2]}}
#a = #cuda.layout<offset = [[1, 2]] -> dim0: 2, dim1: 2>

// -----

// expected-error @+1 {{requires images of 'offset' to have a coordinate for each of the 2 outputs, inside its size; got [1]}}
#a = #cuda.layout<offset = [[1]] -> dim0: 2, dim1: 2>

// -----

// expected-error @+1 {{requires a power of two many values of 'dim0', got 12}}
#a = #cuda.layout<offset = [[1]] -> dim0: 12>

// -----

// expected-error @+1 {{output 'dim0' is named twice}}
#a = #cuda.layout<offset = [[1, 0]] -> dim0: 2, dim0: 2>

// -----

// expected-error @+1 {{input 'offset' is named twice}}
#a = #cuda.layout<offset = [[1]], offset = [[1]] -> dim0: 2>

// -----

// expected-error @+1 {{requires at most 64 bits of inputs and of outputs, got 2 and 80}}
#a = #cuda.layout<offset = [[1, 0], [0, 1]] -> dim0: 1099511627776, dim1: 1099511627776>

// -----

#a = #cuda.layout<offset = [[1], [2]] -> dim0: 4>
// expected-error @+1 {{requires a layout of register, lane and warp as a tile's encoding; memory layouts belong to buffers}}
func.func private @f(tensor<4xf32, #a>)

// -----

#a = #cuda.layout<register = [], lane = [[1], [2], [4], [8], [16]], warp = [] -> dim0: 32>
// expected-error @+1 {{requires a layout of the tile's shape [64], got one of [32]}}
func.func private @f(tensor<64xf32, #a>)
