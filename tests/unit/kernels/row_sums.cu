// y[row] = the sum of the row's `columns` elements; a block takes `rows` rows, one after the other.
extern "C" __global__ void __launch_bounds__(128) row_sums(Global<const f32> x, Global<f32> y, i32 rows, i32 columns) {
  Shared partial = shared_memory();
  u32 thread = thread_index(), lane = lane_index(), warp = warp_index();
  for (i32 i = 0; i < rows; ++i) {
    i64 row = i64(block_index<0>()) * rows + i;
    f32 sum = 0;
    for (i32 column = thread; column < columns; column += 128)
      sum += load_constant<f32>(x + (row * columns + column));
    for (u32 mask = 16; mask > 0; mask /= 2)
      sum += shuffle_xor(sum, mask);
    if (lane == 0)
      store_shared(partial + warp * 4, sum);
    barrier();
    if (warp == 0) {
      f32 total = lane < 4 ? load_shared<f32>(partial + lane * 4) : 0.0f;
      total += shuffle_down(total, 2);
      total += shuffle_down(total, 1);
      if (lane == 0)
        store_global(y + row, total);
    }
    barrier();
  }
}
