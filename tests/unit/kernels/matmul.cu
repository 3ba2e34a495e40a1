// c[m, n] = a[m, k] b[k, n] in f32; 64 x 64 tiles of four warps, steps of 32 along k in two stages of shared memory.
// Requires k and n to be multiples of 64; m may be anything.
extern "C" __global__ void __launch_bounds__(128) matmul(Global<const bf16> a, Global<const bf16> b, Global<f32> c,
                                                         i32 m, i32 n, i32 k) {
  Shared shared = shared_memory();
  u32 thread = thread_index(), lane = lane_index(), warp = warp_index();
  i32 row0 = block_index<0>() * 64, column0 = block_index<1>() * 64;
  i32 steps = k / 32;
  f32 sums[2][4][4] = {};

  auto copy = [&](i32 step) {
    Shared stage = shared + step % 2 * 8192;
    for (u32 part = thread; part < 256; part += 128) {
      u32 row = part / 4, piece = part % 4; // a: 64 rows of 64 bytes
      i32 live = row0 + i32(row) < m ? 16 : 0;
      copy_async<16>(stage + row * 64 + (piece ^ (row / 2 % 4)) * 16,
                     a + (i64(row0 + row) * k + step * 32 + piece * 8), live);
    }
    for (u32 part = thread; part < 256; part += 128) {
      u32 row = part / 8, piece = part % 8; // b: 32 rows of 128 bytes
      copy_async<16>(stage + 4096 + row * 128 + (piece ^ row % 8) * 16,
                     b + (i64(step * 32 + row) * n + column0 + piece * 8));
    }
  };

  copy(0);
  copy_commit();
  for (i32 step = 0; step < steps; ++step) {
    if (step + 1 < steps)
      copy(step + 1);
    copy_commit();
    copy_wait<1>();
    barrier();
    Shared stage = shared + step % 2 * 8192;
    for (u32 inner = 0; inner < 2; ++inner) {
      u32 fa[2][4], fb[4][2];
      for (u32 i = 0; i < 2; ++i) {
        u32 row = warp % 2 * 32 + i * 16 + lane % 16, piece = inner * 2 + lane / 16;
        load_matrix_x4(fa[i][0], fa[i][1], fa[i][2], fa[i][3], stage + row * 64 + (piece ^ (row / 2 % 4)) * 16);
      }
      for (u32 j = 0; j < 2; ++j) {
        u32 row = inner * 16 + lane % 16, piece = warp / 2 * 4 + j * 2 + lane / 16;
        load_matrix_transposed_x4(fb[2 * j][0], fb[2 * j][1], fb[2 * j + 1][0], fb[2 * j + 1][1],
                                  stage + 4096 + row * 128 + (piece ^ row % 8) * 16);
      }
      for (u32 i = 0; i < 2; ++i)
        for (u32 j = 0; j < 4; ++j)
          mma_m16n8k16_bf16(sums[i][j], fa[i][0], fa[i][1], fa[i][2], fa[i][3], fb[j][0], fb[j][1]);
    }
    barrier();
  }

  for (u32 i = 0; i < 2; ++i)
    for (u32 j = 0; j < 4; ++j)
      for (u32 half = 0; half < 2; ++half) {
        i32 row = row0 + warp % 2 * 32 + i * 16 + half * 8 + lane / 4;
        i32 column = column0 + warp / 2 * 32 + j * 8 + lane % 4 * 2;
        if (row < m)
          store_global(c + (i64(row) * n + column), Vector<f32, 2>{sums[i][j][2 * half], sums[i][j][2 * half + 1]});
      }
}
