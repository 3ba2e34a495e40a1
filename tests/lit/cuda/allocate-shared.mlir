// Buffers that are never alive at once share their place, and a barrier is needed before the second is written. Where a
// multiprocessor holds as many blocks with both, they lie apart; what copies write to shares its place all the same.
// RUN: linmu-opt %s --allocate-shared --place-barriers | FileCheck %s --check-prefixes=CHECK,FEW
// RUN: linmu-opt %s --allocate-shared=room=1100 --place-barriers | FileCheck %s --check-prefixes=CHECK,APART
// RUN: linmu-opt %s --allocate-shared=room=4096 --place-barriers | FileCheck %s --check-prefixes=CHECK,FEW

!buffer = memref<128xf32, #gpu.address_space<workgroup>>
tile.program @p inputs(%x: tensor<?xf32>) results(%y: tensor<?xf32>) {
  %c1 = arith.constant 1 : index
  // FEW: tile.kernel @k({{.*}}) attributes {shared_bytes = 512 : i64, threads = 64 : i64}
  // APART: tile.kernel @k({{.*}}) attributes {shared_bytes = 1024 : i64, threads = 64 : i64}
  tile.kernel @k(%x: tensor<?xf32>, %y: tensor<?xf32>) attributes {threads = 64 : i64} {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %a = cuda.load %x[%c0] : tensor<?xf32> -> vector<4xf32>
    // CHECK: vector.store
    // CHECK: gpu.barrier
    // CHECK: vector.load
    %first = memref.alloc() : !buffer
    vector.store %a, %first[%c0] : !buffer, vector<4xf32>
    %b = vector.load %first[%c4] : !buffer, vector<4xf32>
    // FEW: gpu.barrier
    // APART-NOT: gpu.barrier
    // CHECK: vector.store
    // CHECK: gpu.barrier
    // CHECK: vector.load
    %second = memref.alloc() : !buffer
    vector.store %b, %second[%c0] : !buffer, vector<4xf32>
    %c = vector.load %second[%c4] : !buffer, vector<4xf32>
    cuda.store %c, %y[%c0] : vector<4xf32>, tensor<?xf32>
  }
  // FEW: tile.kernel @copied({{.*}}) attributes {shared_bytes = 512 : i64, threads = 64 : i64}
  // APART: tile.kernel @copied({{.*}}) attributes {shared_bytes = 512 : i64, threads = 64 : i64}
  tile.kernel @copied(%x: tensor<?xf32>, %y: tensor<?xf32>) attributes {threads = 64 : i64} {
    %c0 = arith.constant 0 : index
    %first = memref.alloc() : !buffer
    cuda.copy 4 of %x[%c0], %first[%c0] : tensor<?xf32>, !buffer
    cuda.commit
    cuda.wait pending 0
    %a = vector.load %first[%c0] : !buffer, vector<4xf32>
    %second = memref.alloc() : !buffer
    cuda.copy 4 of %x[%c0], %second[%c0] : tensor<?xf32>, !buffer
    cuda.commit
    cuda.wait pending 0
    %b = vector.load %second[%c0] : !buffer, vector<4xf32>
    %c = arith.addf %a, %b : vector<4xf32>
    cuda.store %c, %y[%c0] : vector<4xf32>, tensor<?xf32>
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %y : tensor<?xf32>, tensor<?xf32>)
    tile.launch @copied grid(%c1)(%x, %y : tensor<?xf32>, tensor<?xf32>)
  }
}
