// Elements that change places in a thread's registers.
// RUN: linmu-opt --print-cuda=lines=false %s -o /dev/null | FileCheck %s

tile.program @p inputs(%x: tensor<?x64xf32>) results(%y: tensor<?x64xf32>) {
  // CHECK-LABEL: places(
  tile.kernel @places(%x: tensor<?x64xf32>, %i: index) attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %c0 = arith.constant 0 : index
    // CHECK: const Vector<f32, 4> v0 = load<4>(at(a0, a1, 0));
    %v = cuda.load %x[%i, %c0] : tensor<?x64xf32> -> vector<4xf32>
    // CHECK-NEXT: const f32 v1 = v0[2];
    %1 = vector.extract %v[2] : f32 from vector<4xf32>
    // CHECK-NEXT: const f32 v2 = v0[a1];
    %2 = vector.extract %v[%i] : f32 from vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v3 = insert(v0, v1, 3);
    %3 = vector.insert %1, %v[3] : f32 into vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 4> v4 = insert(v0, v1, a1);
    %4 = vector.insert %1, %v[%i] : f32 into vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 2> v5 = {{[{]}}{v1, v2}};
    %5 = vector.from_elements %1, %2 : vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 8> v6 = splat<8>(v1);
    %6 = vector.broadcast %1 : f32 to vector<8xf32>
    // CHECK-NEXT: const Vector<f32, 1> v7 = splat<1>(v1);
    %7 = vector.broadcast %1 : f32 to vector<1xf32>
    // CHECK-NEXT: const Vector<f32, 4> v8 = splat<4>(v7[0]);
    %8 = vector.broadcast %7 : vector<1xf32> to vector<4xf32>
    // CHECK-NEXT: const Vector<f32, 2> v9 = slice<4, 2>(v6);
    %9 = vector.extract_strided_slice %6 {offsets = [4], sizes = [2], strides = [1]} : vector<8xf32> to vector<2xf32>
    // CHECK-NEXT: const Vector<f32, 8> v10 = insert_slice<6>(v5, v6);
    %10 = vector.insert_strided_slice %5, %6 {offsets = [6], strides = [1]} : vector<2xf32> into vector<8xf32>
    // CHECK-NEXT: const Vector<f32, 4> v11 = shuffle_elements<0, 4, 1, 5>(v0, v5);
    %11 = vector.shuffle %v, %5 [0, 4, 1, 5] : vector<4xf32>, vector<2xf32>
    // CHECK-NEXT: const Vector<bf16, 4> v12 = same_bits<Vector<bf16, 4>>(v5);
    %12 = vector.bitcast %5 : vector<2xf32> to vector<4xbf16>
  }
}
