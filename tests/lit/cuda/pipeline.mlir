// A product of two tiles on its way to threads, pass by pass.
// RUN: linmu-opt %s --assign-layouts=warps=2 --canonicalize --cse | FileCheck %s --check-prefix=LAYOUT
// RUN: linmu-opt %s --assign-layouts=warps=2 --canonicalize --cse --assign-swizzles | FileCheck %s --check-prefix=SWIZZLE
// RUN: linmu-opt %s --assign-layouts=warps=2 --canonicalize --cse --assign-swizzles --lower-to-threads --canonicalize --cse | FileCheck %s --check-prefix=THREAD
// RUN: linmu-opt %s --assign-layouts=warps=2 --canonicalize --cse --assign-swizzles --lower-to-threads --canonicalize --cse --allocate-shared --place-barriers | FileCheck %s --check-prefix=PLACE

// LAYOUT-DAG: #[[ROWS:.*]] = #cuda.layout<register = {{\[\[}}0, 1], [0, 2]], lane = {{\[\[}}0, 4], [0, 8], [1, 0], [2, 0], [4, 0]], warp = {{\[\[}}8, 0]] -> dim0: 16, dim1: 16>
// LAYOUT-DAG: #[[A:.*]] = #cuda.layout<register = {{\[\[}}0, 1], [8, 0], [0, 8]], lane = {{\[\[}}0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = {{\[\[}}0, 0]] -> dim0: 16, dim1: 16>
// LAYOUT-DAG: #[[VEC:.*]] = #cuda.layout<register = [], lane = {{\[\[}}1], [2], [4], [8], [0]], warp = {{\[\[}}0]] -> dim0: 16>
tile.program @p inputs(%x: tensor<?x16xbf16>, %y: tensor<?x16xbf16>, %g: tensor<?xf32>) results(%z: tensor<?x16xf32>) {
  %c1 = arith.constant 1 : index
  // LAYOUT: tile.kernel @k({{.*}}) attributes {threads = 64 : i64}
  // PLACE: tile.kernel @k({{.*}}) attributes {shared_bytes = 512 : i64, threads = 64 : i64}
  tile.kernel @k(%x: tensor<?x16xbf16>, %y: tensor<?x16xbf16>, %g: tensor<?xf32>, %z: tensor<?x16xf32>) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant 0 : index
    %n = tensor.dim %x, %zero : tensor<?x16xbf16>
    // THREAD: %[[LANE:.*]] = gpu.lane_id
    // THREAD: scf.for
    scf.for %i = %c0 to %n step %c16 {
      %left = arith.subi %n, %i : index
      %rows = tile.range %i to %left -> !tile.range<16>
      // LAYOUT: tile.load {{.*}} -> tensor<16x16xbf16, #[[ROWS]]>
      // THREAD: cuda.load %{{.*}} where %{{.*}} : tensor<?x16xbf16> -> vector<4xbf16>
      %a = tile.load %x[%rows] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
      %b = tile.load %y[%rows] : tensor<?x16xbf16>, [!tile.range<16>] -> tensor<16x16xbf16>
      // LAYOUT: %[[G:.*]] = tile.load {{.*}} -> tensor<16xf32, #[[VEC]]>
      %s = tile.load %g[%rows] : tensor<?xf32>, [!tile.range<16>] -> tensor<16xf32>
      // LAYOUT: tile.write %{{.*}} : tensor<16x16xbf16, #[[ROWS]]>
      // LAYOUT: tile.read %{{.*}} -> tensor<16x16xbf16, #[[A]]>
      // SWIZZLE: tile.alloc {layout = #{{.*}}} : <16x16xbf16>
      // THREAD: vector.store
      // PLACE: gpu.barrier
      // PLACE-NEXT: vector.store %{{.*}} {cuda.owners = array<i64: {{.*}}>, cuda.write = 0 : i64}
      // PLACE: gpu.barrier
      // PLACE-NOT: gpu.barrier
      // THREAD: cuda.ldmatrix %{{.*}} -> vector<8xbf16>
      // LAYOUT: tile.dot
      // THREAD: cuda.mma
      %c = tile.dot %a, transpose_rhs %b : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
      // A vector comes to the rows of the accumulators by shuffles, and is not written to memory.
      // LAYOUT: cuda.convert %[[G]]
      // THREAD: gpu.shuffle idx
      %w = tile.broadcast %s along 0 : tensor<16xf32> to tensor<16x16xf32>
      %d = arith.mulf %c, %w : tensor<16x16xf32>
      // THREAD: arith.mulf %{{.*}} : vector<4xf32>
      // THREAD: cuda.store %{{.*}} where %{{.*}} : vector<2xf32>
      tile.store %d, %z[%rows] : tensor<16x16xf32>, tensor<?x16xf32>, [!tile.range<16>]
    }
  }
  tile.variant as "k" {
    tile.launch @k grid(%c1)(%x, %y, %g, %z : tensor<?x16xbf16>, tensor<?x16xbf16>, tensor<?xf32>, tensor<?x16xf32>)
  }
}
