// What is read or computed stands where it is first used; products keep their order, reads stay before writes of the
// same buffer and before waits.
// RUN: linmu-opt %s --pass-pipeline='builtin.module(tile.program(sink-to-uses))' | FileCheck %s

tile.program @p inputs(%x: tensor<?xf32>) results(%y: tensor<?xf32>) {
  %c1 = arith.constant 1 : index
  // CHECK-LABEL: tile.kernel @k
  tile.kernel @k(%x: tensor<?xf32>, %y: tensor<?xf32>) attributes {threads = 32 : i64} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : vector<4xf32>
    %a = memref.alloc() : memref<128xbf16, #gpu.address_space<workgroup>>
    %b = memref.alloc() : memref<4xf32, #gpu.address_space<workgroup>>
    // CHECK-DAG: %[[A:.*]] = memref.alloc() : memref<128xbf16
    // CHECK-DAG: %[[B:.*]] = memref.alloc() : memref<4xf32
    %left = cuda.ldmatrix %a[%c0] : memref<128xbf16, #gpu.address_space<workgroup>> -> vector<8xbf16>
    %right = cuda.ldmatrix %a[%c0] : memref<128xbf16, #gpu.address_space<workgroup>> -> vector<4xbf16>
    %other = cuda.ldmatrix transposed %a[%c0] : memref<128xbf16, #gpu.address_space<workgroup>> -> vector<4xbf16>
    %old = vector.load %b[%c0] : memref<4xf32, #gpu.address_space<workgroup>>, vector<4xf32>
    %twice = arith.addf %old, %old : vector<4xf32>
    // CHECK: %[[LEFT:.*]] = cuda.ldmatrix %[[A]]{{.*}} vector<8xbf16>
    // CHECK: %[[RIGHT:.*]] = cuda.ldmatrix %[[A]]{{.*}} vector<4xbf16>
    // CHECK: cuda.mma %[[LEFT]], %[[RIGHT]]
    %first = cuda.mma %left, %right, %zero : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    // CHECK-NEXT: %[[OTHER:.*]] = cuda.ldmatrix transposed %[[A]]
    // CHECK-NEXT: cuda.mma %[[LEFT]], %[[OTHER]]
    %second = cuda.mma %left, %other, %first : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    // CHECK-NEXT: vector.load %[[B]]
    // CHECK-NEXT: vector.store %{{.*}}, %[[B]]
    vector.store %second, %b[%c0] : memref<4xf32, #gpu.address_space<workgroup>>, vector<4xf32>
    // CHECK-NEXT: arith.addf
    // CHECK-NEXT: cuda.store
    cuda.store %twice, %y[%c0] : vector<4xf32>, tensor<?xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %y : tensor<?xf32>, tensor<?xf32>)
  }
}
