// y[i] = the transpose of x[i], 16 x 16 bf16 each: one warp loads into two stages, another transposes and stores, and
// they meet at named barriers, 1 and 2 for full stages, 3 and 4 for empty ones. Requires three matrices at least.
extern "C" __global__ void __launch_bounds__(64) handover(Global<const bf16> x, Global<bf16> y, i32 count) {
  Shared shared = shared_memory();
  u32 lane = lane_index();
  for (i32 i = 0; i < count; ++i) {
    Shared stage = shared + i % 2 * 512;
    if (warp_index() == 0) {
      auto half_row = load_global<Vector<bf16, 8>>(x + (i * 256 + lane * 8));
      if (i >= 2)
        barrier(3 + i % 2, 64);
      store_shared(stage + lane * 16, half_row);
      barrier_arrive(1 + i % 2, 64);
    } else {
      u32 r0, r1, r2, r3;
      barrier(1 + i % 2, 64);
      load_matrix_transposed_x4(r0, r1, r2, r3, stage + (lane % 16 * 32 + lane / 16 * 16));
      if (i + 2 < count)
        barrier_arrive(3 + i % 2, 64);
      Shared out = shared + 1024;
      store_matrix_x4(out + (lane % 8 * 32 + lane / 16 * 256 + lane / 8 % 2 * 16), r0, r1, r2, r3);
      sync_warp();
      store_global(y + (i * 256 + lane * 8), load_shared<Vector<bf16, 8>>(out + lane * 16));
    }
  }
}
