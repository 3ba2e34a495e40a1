// Accesses to operands and to shared memory, asynchronous copies, and matrix instructions.
// RUN: linmu-opt --print-cuda=lines=false %s -o /dev/null | FileCheck %s

#shared = #gpu.address_space<workgroup>
tile.program @p inputs(%x: tensor<?x?x4x64xbf16>, %m: tensor<?x?xi1>) results(%y: tensor<?x?x4x64xf32>) {
  // CHECK-LABEL: accesses(
  tile.kernel @accesses(%x: tensor<?x?x4x64xbf16>, %m: tensor<?x?xi1>, %y: tensor<?x?x4x64xf32>, %t: index)
      attributes {threads = 128 : i64, shared_bytes = 8192 : i64} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4096 = arith.constant 4096 : index
    // CHECK: const bool v0 = load(at(a1, 0, a3));
    %live = cuda.load %m[%c0, %t] : tensor<?x?xi1> -> i1
    // CHECK-NEXT: const Vector<bf16, 8> v1 = load<8>(at(a0, 0, a3, 1, 0));
    %v = cuda.load %x[%c0, %t, %c1, %c0] : tensor<?x?x4x64xbf16> -> vector<8xbf16>
    // CHECK-NEXT: const Vector<bf16, 8> v2 = load_where<8>(v0, at(a0, 0, a3, 1, 0));
    %w = cuda.load %x[%c0, %t, %c1, %c0] where %live : tensor<?x?x4x64xbf16> -> vector<8xbf16>
    // CHECK-NEXT: const bf16 v3 = load_where(v0, at(a0, 0, a3, 1, 0));
    %s = cuda.load %x[%c0, %t, %c1, %c0] where %live : tensor<?x?x4x64xbf16> -> bf16
    // CHECK-NEXT: const Buffer<i8> v4 = dynamic_shared_memory();
    %all = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    // CHECK-NEXT: const Buffer<bf16> v5 = view<bf16>(v4, 0);
    %keys = memref.view %all[%c0][] : memref<?xi8, #shared> to memref<2048xbf16, #shared>
    // CHECK-NEXT: const Buffer<f32> v6 = view<f32>(v4, 4096);
    %sums = memref.view %all[%c4096][] : memref<?xi8, #shared> to memref<1024xf32, #shared>
    // CHECK-NEXT: store(v1, at(v5, a3));
    vector.store %v, %keys[%t] : memref<2048xbf16, #shared>, vector<8xbf16>
    // CHECK-NEXT: store(v3, at(v5, a3));
    memref.store %s, %keys[%t] : memref<2048xbf16, #shared>
    // CHECK-NEXT: barrier();
    gpu.barrier
    // CHECK-NEXT: const Vector<f32, 4> v7 = load<4>(at(v6, a3));
    %r = vector.load %sums[%t] : memref<1024xf32, #shared>, vector<4xf32>
    // CHECK-NEXT: const f32 v8 = load(at(v6, a3));
    %f = memref.load %sums[%t] : memref<1024xf32, #shared>
    // CHECK-NEXT: copy<8>(at(v5, a3), at(a0, 0, a3, 1, 0));
    cuda.copy 8 of %x[%c0, %t, %c1, %c0], %keys[%t] : tensor<?x?x4x64xbf16>, memref<2048xbf16, #shared>
    // CHECK-NEXT: copy_where<2>(v0, at(v5, a3), at(a0, 0, a3, 1, 0));
    cuda.copy 2 of %x[%c0, %t, %c1, %c0] where %live, %keys[%t] : tensor<?x?x4x64xbf16>, memref<2048xbf16, #shared>
    // CHECK-NEXT: copy<4>(at(v5, a3), at_scattered(a0, 0, a3, 1, 0));
    cuda.copy 4 of %x scattered[%c0, %t, %c1, %c0], %keys[%t] : tensor<?x?x4x64xbf16>, memref<2048xbf16, #shared>
    // CHECK-NEXT: copy_commit();
    cuda.commit
    // CHECK-NEXT: copy_wait<1>();
    cuda.wait pending 1
    // CHECK-NEXT: store(v7, at(a2, 0, a3, 1, 0));
    cuda.store %r, %y[%c0, %t, %c1, %c0] : vector<4xf32>, tensor<?x?x4x64xf32>
    // CHECK-NEXT: store_where(v0, v8, at(a2, 0, a3, 1, 0));
    cuda.store %f, %y[%c0, %t, %c1, %c0] where %live : f32, tensor<?x?x4x64xf32>
  }

  // CHECK-LABEL: products(
  tile.kernel @products(%y: tensor<?x?x4x64xf32>) attributes {threads = 128 : i64, shared_bytes = 8192 : i64} {
    %c0 = arith.constant 0 : index
    %i4 = arith.constant 4 : i32
    %i32 = arith.constant 32 : i32
    %all = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %keys = memref.view %all[%c0][] : memref<?xi8, #shared> to memref<2048xbf16, #shared>
    %halves = memref.view %all[%c0][] : memref<?xi8, #shared> to memref<2048xf16, #shared>
    // CHECK: const i32 v3 = static_cast<i32>(lane_index());
    %lane = gpu.lane_id
    // CHECK-NEXT: const i32 v4 = static_cast<i32>(warp_index());
    %warp = gpu.subgroup_id : index
    // CHECK-NEXT: const i32 v5 = static_cast<i32>(thread_index());
    %thread = gpu.thread_id x
    // CHECK-NEXT: const Vector<bf16, 8> v6 = load_matrix<8>(at(v1, v3));
    %a = cuda.ldmatrix %keys[%lane] : memref<2048xbf16, #shared> -> vector<8xbf16>
    // CHECK-NEXT: const Vector<bf16, 4> v7 = load_matrix_transposed<4>(at(v1, v3));
    %b = cuda.ldmatrix transposed %keys[%lane] : memref<2048xbf16, #shared> -> vector<4xbf16>
    // CHECK-NEXT: const Vector<f16, 2> v8 = load_matrix<2>(at(v2, v3));
    %h = cuda.ldmatrix %halves[%lane] : memref<2048xf16, #shared> -> vector<2xf16>
    // CHECK-NEXT: const Vector<f16, 4> v9 = load_matrix<4>(at(v2, v3));
    %g = cuda.ldmatrix %halves[%lane] : memref<2048xf16, #shared> -> vector<4xf16>
    // CHECK-NEXT: const Vector<f32, 4> v10 = splat<4>(0.0f);
    %zero = arith.constant dense<0.0> : vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v11 = mma(v6, v7, v10);
    %0 = cuda.mma %a, %b, %zero : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v12 = mma(v9, v8, v11);
    %1 = cuda.mma %g, %h, %0 : vector<4xf16>, vector<2xf16>, vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 2> v13 = slice<0, 2>(v11);
    %t = vector.extract_strided_slice %0 {offsets = [0], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 4> v14 = mma(v11, v13, v12);
    %2 = cuda.mma %0, %t, %1 : vector<4xf32>, vector<2xf32>, vector<4xf32>
    // CHECK-NEXT: store_matrix(v7, at(v1, v3));
    cuda.stmatrix %b, %keys[%lane] : vector<4xbf16>, memref<2048xbf16, #shared>
    // CHECK-NEXT: store_matrix_transposed(v6, at(v1, v3));
    cuda.stmatrix transposed %a, %keys[%lane] : vector<8xbf16>, memref<2048xbf16, #shared>
    // CHECK-NEXT: const f32 v15 = v14[0];
    %f = vector.extract %2[0] : f32 from vector<4xf32>
    // CHECK-NEXT: const f32 v16 = shuffled_xor(v15, 4);
    %x0, %p0 = gpu.shuffle xor %f, %i4, %i32 : f32
    // CHECK-NEXT: const f32 v17 = shuffled(v15, 4);
    %x1, %p1 = gpu.shuffle idx %f, %i4, %i32 : f32
    // CHECK-NEXT: const f32 v18 = shuffled_up(v15, 4);
    %x2, %p2 = gpu.shuffle up %f, %i4, %i32 : f32
    // CHECK-NEXT: const i32 v19 = shuffled_down(4, 4);
    %x3, %p3 = gpu.shuffle down %i4, %i4, %i32 : i32
  }
}
