// The frame of a kernel: its name, threads, arguments by their words, and places in the grid.
// RUN: linmu-opt --print-cuda=lines=false %s -o /dev/null | FileCheck %s

// CHECK: namespace prelude {
tile.program @p inputs(%x: tensor<?x?x4x64xbf16>, %order: tensor<?x?xi32>) results(%y: tensor<?x?x4x64xf32>) {
  %heads = arith.constant 4 : index
  %batch = tile.extent batch
  // Words: 1 + 2 * 4, 1 + 2 * 2, 1, 1 + 2 * 4, and the grid's three.
  // CHECK: extern "C" __global__ void __launch_bounds__(256) rows(const __grid_constant__ Arguments<27> arguments) {
  // CHECK-NEXT: const Operand<const bf16, 4> a0 = operand<const bf16, 4>(arguments, 0);
  // CHECK-NEXT: const Operand<const i32, 2> a1 = operand<const i32, 2>(arguments, 9);
  // CHECK-NEXT: const i32 a2 = index_argument(arguments, 14);
  // CHECK-NEXT: const Operand<f32, 4> a3 = operand<f32, 4>(arguments, 15);
  tile.kernel @rows(%x: tensor<?x?x4x64xbf16>, %order: tensor<?x?xi32>, %n: index, %y: tensor<?x?x4x64xf32>)
      attributes {threads = 256 : i64, shared_bytes = 0 : i64} {
    // CHECK-NEXT: const i32 v0 = block_id<0>(arguments);
    %h = tile.block_id 0
    // CHECK-NEXT: const i32 v1 = block_id<1>(arguments);
    %b = tile.block_id 1
    // CHECK-NEXT: const i32 v2 = block_count<2>(arguments);
    %splits = tile.block_count 2
    // A constant stands where it is used.
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // CHECK-NEXT: const i32 v3 = dimension<1>(a0);
    %tokens = tensor.dim %x, %c1 : tensor<?x?x4x64xbf16>
    // CHECK-NEXT: const i32 v4 = multiply_index(v2, a2);
    %t = arith.muli %splits, %n : index
    // CHECK-NEXT: const bf16 v5 = load(at(a0, v1, v4, v0, 0));
    %v = cuda.load %x[%b, %t, %h, %c0] : tensor<?x?x4x64xbf16> -> bf16
    // CHECK-NEXT: const f32 v6 = round_to<f32>(v5);
    %f = arith.extf %v : bf16 to f32
    // CHECK-NEXT: store(v6, at(a3, v1, v3, v0, 0));
    cuda.store %f, %y[%b, %tokens, %h, %c0] : f32, tensor<?x?x4x64xf32>
    // CHECK-NEXT: }
  }
  // Names begin anew in each kernel.
  // CHECK: void __launch_bounds__(32) empty(const __grid_constant__ Arguments<3> arguments) {
  // CHECK-NEXT: const i32 v0 = static_cast<i32>(lane_index());
  // CHECK-NEXT: }
  tile.kernel @empty() attributes {threads = 32 : i64, shared_bytes = 0 : i64} {
    %lane = gpu.lane_id
  }
  tile.variant as "k" {
    tile.launch @rows grid(%heads, %batch)(%x, %order, %heads, %y : tensor<?x?x4x64xbf16>, tensor<?x?xi32>, index, tensor<?x?x4x64xf32>)
  }
}
// CHECK: } // namespace prelude
