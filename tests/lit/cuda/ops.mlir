// What a thread does keeps its form; kernels without `threads` are not written for threads.
// RUN: linmu-opt %s | linmu-opt | FileCheck %s

#shared = #gpu.address_space<workgroup>
tile.program @p inputs(%x: tensor<?x?x4x64xbf16>) results(%y: tensor<?x?x4x64xf32>) {
  %heads = arith.constant 4 : index
  %batch = tile.extent batch
  // CHECK: tile.kernel @k({{.*}}) attributes {shared_bytes = 4096 : i64, threads = 128 : i64}
  tile.kernel @k(%x: tensor<?x?x4x64xbf16>, %y: tensor<?x?x4x64xf32>)
      attributes {threads = 128 : i64, shared_bytes = 4096 : i64} {
    %h = tile.block_id 0
    %b = tile.block_id 1
    %c0 = arith.constant 0 : index
    %lane = gpu.lane_id
    %live = arith.constant true
    %memory = memref.alloc() : memref<2048xbf16, #shared>
    // CHECK: cuda.load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] where %{{.*}} : tensor<?x?x4x64xbf16> -> vector<8xbf16>
    %v = cuda.load %x[%b, %lane, %h, %c0] where %live : tensor<?x?x4x64xbf16> -> vector<8xbf16>
    vector.store %v, %memory[%lane] : memref<2048xbf16, #shared>, vector<8xbf16>
    // CHECK: cuda.copy 8 of %{{.*}}[%{{.*}}] where %{{.*}}, %{{.*}}[%{{.*}}] : tensor<?x?x4x64xbf16>, memref<2048xbf16, #gpu.address_space<workgroup>>
    cuda.copy 8 of %x[%b, %lane, %h, %c0] where %live, %memory[%lane] : tensor<?x?x4x64xbf16>, memref<2048xbf16, #shared>
    // CHECK: cuda.commit
    cuda.commit
    // CHECK: cuda.wait pending 0
    cuda.wait pending 0
    gpu.barrier
    // CHECK: cuda.ldmatrix %{{.*}}[%{{.*}}] : {{.*}} -> vector<8xbf16>
    %a = cuda.ldmatrix %memory[%lane] : memref<2048xbf16, #shared> -> vector<8xbf16>
    // CHECK: cuda.ldmatrix transposed %{{.*}}[%{{.*}}] : {{.*}} -> vector<4xbf16>
    %w = cuda.ldmatrix transposed %memory[%lane] : memref<2048xbf16, #shared> -> vector<4xbf16>
    %zero = arith.constant dense<0.0> : vector<4xf32>
    // CHECK: cuda.mma %{{.*}}, %{{.*}}, %{{.*}} : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    %r = cuda.mma %a, %w, %zero : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    // CHECK: cuda.stmatrix %{{.*}}, %{{.*}}[%{{.*}}] : vector<4xbf16>
    cuda.stmatrix %w, %memory[%lane] : vector<4xbf16>, memref<2048xbf16, #shared>
    // CHECK: cuda.store %{{.*}}, %{{.*}}[%{{.*}}] : vector<4xf32>, tensor<?x?x4x64xf32>
    cuda.store %r, %y[%b, %lane, %h, %c0] : vector<4xf32>, tensor<?x?x4x64xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%heads, %batch)(%x, %y : tensor<?x?x4x64xbf16>, tensor<?x?x4x64xf32>)
  }
}
