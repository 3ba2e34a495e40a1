// Every message of the ops of a thread.
// RUN: linmu-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<?x?x4x64xbf16>, %i: index) {
  // expected-error @+1 {{requires an index for each of the 4 axes of the operand, got 2}}
  %v = cuda.load %x[%i, %i] : tensor<?x?x4x64xbf16> -> vector<8xbf16>
  return
}

// -----

func.func @f(%x: tensor<?xbf16>, %i: index, %v: vector<4xf32>) {
  // expected-error @+1 {{requires elements of 'bf16' as the operand has them, got 'vector<4xf32>'}}
  cuda.store %v, %x[%i] : vector<4xf32>, tensor<?xbf16>
  return
}

// -----

func.func @f(%x: tensor<?xbf16>, %i: index, %m: memref<64xbf16, #gpu.address_space<workgroup>>) {
  // expected-error @+1 {{requires 4, 8 or 16 bytes, got 6}}
  cuda.copy 3 of %x[%i], %m[%i] : tensor<?xbf16>, memref<64xbf16, #gpu.address_space<workgroup>>
  return
}

// -----

func.func @f(%i: index, %m: memref<64xbf16, #gpu.address_space<workgroup>>) {
  // expected-error @+1 {{requires elements of 'bf16' as the buffer has them, got 'f16'}}
  %v = cuda.ldmatrix %m[%i] : memref<64xbf16, #gpu.address_space<workgroup>> -> vector<8xf16>
  return
}

// -----

func.func @f(%i: index, %m: memref<64xbf16, #gpu.address_space<workgroup>>) {
  // expected-error @+1 {{requires 2, 4 or 8 elements, two a matrix, got 6}}
  %v = cuda.ldmatrix %m[%i] : memref<64xbf16, #gpu.address_space<workgroup>> -> vector<6xbf16>
  return
}

// -----

func.func @f(%a: vector<8xbf16>, %b: vector<4xf16>, %c: vector<4xf32>) {
  // expected-error @+1 {{requires a and b of one type of bf16, f16 or f32, got 'vector<8xbf16>' and 'vector<4xf16>'}}
  %v = cuda.mma %a, %b, %c : vector<8xbf16>, vector<4xf16>, vector<4xf32>
  return
}

// -----

func.func @f(%a: vector<8xf32>, %b: vector<4xf32>, %c: vector<4xf32>) {
  // expected-error @+1 {{requires 4 registers of a and 2 of b, or 8 and 4 of 16 bits, got 'vector<8xf32>' and 'vector<4xf32>'}}
  %v = cuda.mma %a, %b, %c : vector<8xf32>, vector<4xf32>, vector<4xf32>
  return
}

// -----

func.func @f(%a: vector<8xbf16>, %b: vector<4xbf16>, %c: vector<2xf32>) {
  // expected-error @+1 {{requires an accumulator of vector<4xf32>, got 'vector<2xf32>'}}
  %v = cuda.mma %a, %b, %c : vector<8xbf16>, vector<4xbf16>, vector<2xf32>
  return
}
