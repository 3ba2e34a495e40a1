// Every function of the prelude, one kind a kernel, from words to words: compiled for the GPU and for the
// host. LINMU_TEST_KERNEL stands before each; one warp unless it says otherwise.

LINMU_TEST_KERNEL indices(Global<const u32>, Global<u32> out) { // a grid of 2 x 3 x 2 blocks of 64 threads
  u32 block = block_index<0>() + block_count<0>() * (block_index<1>() + block_count<1>() * block_index<2>());
  store_global(out + (block * 64 + thread_index()),
               thread_index() | lane_index() << 8 | warp_index() << 16 | block_count<2>() << 24);
}

/// Through shared memory, then out; by loads of both kinds.
template <class V> LINMU_FUNCTION void move(Global<const u32> in, Global<u32> out, u32 offset) {
  u32 lane = lane_index();
  Global<const V> from = {same_place<const V>(in + offset)};
  Global<V> to = {same_place<V>(out + 2 * offset)};
  Shared shared = shared_memory() + 1024;
  store_shared(shared + lane * sizeof(V), load_global<V>(from + lane));
  sync_warp();
  store_global(to + lane, load_shared<V>(shared + (31 - lane) * sizeof(V)));
  store_global(to + (32 + lane), load_constant<V>(from + lane));
  sync_warp();
}
LINMU_TEST_KERNEL accesses(Global<const u32> in, Global<u32> out) {
  prefetch_global(in);
  move<u32>(in, out, 0);
  move<u64>(in, out, 32);
  move<Vector<u32, 4>>(in, out, 96);
  move<Vector<bf16, 2>>(in, out, 224);
  move<Vector<f32, 2>>(in, out, 256);
}
LINMU_TEST_KERNEL halves(Global<const u16> in, Global<u16> out) {
  u32 lane = lane_index();
  Shared shared = shared_memory();
  store_shared(shared + lane * 2, load_global<u16>(in + lane));
  sync_warp();
  store_global(out + lane, load_shared<bf16>(shared + (31 - lane) * 2).bits);
  store_global(out + (32 + lane), load_constant<u16>(in + lane));
}
LINMU_TEST_KERNEL bytes(Global<const u8> in, Global<u8> out) {
  u32 lane = lane_index();
  store_global(out + lane, load_global<u8>(in + (31 - lane)));
  store_global(out + (32 + lane), load_constant<u8>(in + lane));
}

template <int Bytes> LINMU_FUNCTION void copy(Global<const u32> in, Global<u32> out, u32 offset) {
  u32 lane = lane_index(), words = Bytes / 4;
  Shared whole = shared_memory(), part = shared_memory() + 512;
  copy_async<Bytes>(whole + lane * Bytes, in + (offset + lane * words));
  copy_commit();
  copy_async<Bytes>(part + lane * Bytes, in + (offset + lane * words), lane % (Bytes + 1));
  copy_commit();
  copy_wait<1>();
  sync_warp();
  for (u32 word = 0; word < words; ++word)
    store_global(out + (2 * offset + word * 32 + lane),
                 load_shared<u32>(whole + (word * 32 + 31 - lane) * 4));
  copy_wait<0>();
  sync_warp();
  for (u32 word = 0; word < words; ++word)
    store_global(out + (2 * offset + 32 * words + word * 32 + lane),
                 load_shared<u32>(part + (word * 32 + lane) * 4));
  sync_warp();
}
LINMU_TEST_KERNEL copies(Global<const u32> in, Global<u32> out) {
  copy<4>(in, out, 0);
  copy<8>(in, out, 32);
  copy<16>(in, out, 96);
}

LINMU_TEST_KERNEL warps(Global<const u32> in, Global<u32> out) {
  u32 lane = lane_index(), value = load_global<u32>(in + lane), row = 0;
  auto put = [&](u32 result) { store_global(out + (row++ * 32 + lane), result); };
  for (u32 operand = 0; operand < 32; ++operand) {
    put(shuffle(value, operand));
    put(shuffle(value, (value + operand) % 32));
    put(shuffle_xor(value, operand));
    put(shuffle_up(value, operand));
    put(shuffle_down(value, operand));
  }
  put(same_bits<u32>(shuffle_xor(same_bits<f32>(value), 3)));
  put(vote_ballot(value % 3 == 0));
  put(vote_any(value % 2 == 2) | vote_any(lane == 5) << 1);
  put(vote_all(lane < 32) | vote_all(lane != 31) << 1);
  put(barrier_any(lane == 7) | barrier_any(lane == 32) << 1);
}

/// Four matrices of 16-bit words in rows of 16 bytes, in an order that depends on the row; then what the six
/// loads give, and what the six stores leave.
LINMU_TEST_KERNEL matrices(Global<const u32> in, Global<u32> out) {
  u32 lane = lane_index(), row = 0;
  Shared from = shared_memory(), to = shared_memory() + 512;
  store_shared(from + lane * 16, load_global<Vector<u32, 4>>(in + lane * 4));
  sync_warp();
  auto put = [&](u32 result) { store_global(out + (row++ * 32 + lane), result); };
  Shared address = from + (lane * 5 + 3) % 32 * 16, place = to + (lane * 7 + 1) % 32 * 16;
  u32 r0, r1, r2, r3;
  load_matrix_x1(r0, address), put(r0);
  load_matrix_transposed_x1(r0, address), put(r0);
  load_matrix_x2(r0, r1, address), put(r0), put(r1);
  load_matrix_transposed_x2(r0, r1, address), put(r0), put(r1);
  load_matrix_transposed_x4(r0, r1, r2, r3, address), put(r0), put(r1), put(r2), put(r3);
  load_matrix_x4(r0, r1, r2, r3, address), put(r0), put(r1), put(r2), put(r3);
  for (u32 form = 0; form < 6; ++form) {
    store_shared(to + lane * 16, Vector<u32, 4>{1, 2, 3, 4});
    sync_warp();
    if (form == 0)
      store_matrix_x1(place, r0);
    if (form == 1)
      store_matrix_transposed_x1(place, r1);
    if (form == 2)
      store_matrix_x2(place, r0, r1);
    if (form == 3)
      store_matrix_transposed_x2(place, r2, r3);
    if (form == 4)
      store_matrix_x4(place, r0, r1, r2, r3);
    if (form == 5)
      store_matrix_transposed_x4(place, r0, r1, r2, r3);
    sync_warp();
    auto words = load_shared<Vector<u32, 4>>(to + lane * 16);
    for (u32 word = 0; word < 4; ++word)
      put(words[word]);
    sync_warp();
  }
}

/// For each lane: operands of packed bf16, packed f16 and tf32, six words each, then four sums; out: the sums
/// of the five products. Repeated for `LINMU_TEST_PRODUCTS` sets.
#define LINMU_TEST_PRODUCTS 8
LINMU_TEST_KERNEL products(Global<const u32> in, Global<u32> out) {
  u32 lane = lane_index();
  for (u32 set = 0; set < LINMU_TEST_PRODUCTS; ++set) {
    u32 words[22];
    for (u32 word = 0; word < 22; ++word)
      words[word] = load_global<u32>(in + ((set * 22 + word) * 32 + lane));
    u32 *b = words, *h = words + 6, *t = words + 12;
    f32 sums[5][4];
    for (u32 kind = 0; kind < 5; ++kind)
      for (u32 index = 0; index < 4; ++index)
        sums[kind][index] = same_bits<f32>(words[18 + index]);
    mma_m16n8k16_bf16(sums[0], b[0], b[1], b[2], b[3], b[4], b[5]);
    mma_m16n8k16_f16(sums[1], h[0], h[1], h[2], h[3], h[4], h[5]);
    mma_m16n8k8_bf16(sums[2], b[0], b[1], b[4]);
    mma_m16n8k8_f16(sums[3], h[0], h[1], h[4]);
    mma_m16n8k8_tf32(sums[4], t[0], t[1], t[2], t[3], t[4], t[5]);
    for (u32 kind = 0; kind < 5; ++kind)
      for (u32 index = 0; index < 4; ++index)
        store_global(out + (((set * 5 + kind) * 4 + index) * 32 + lane), same_bits<u32>(sums[kind][index]));
  }
}

/// One word a thread in, `LINMU_TEST_CONVERSIONS` words out; 256 threads a block.
#define LINMU_TEST_CONVERSIONS 12
LINMU_TEST_KERNEL conversions(Global<const u32> in, Global<u32> out) {
  u32 thread = block_index<0>() * 256 + thread_index();
  u32 word = load_global<u32>(in + thread), other = load_constant<u32>(in + (thread ^ 1));
  f32 x = same_bits<f32>(word), y = same_bits<f32>(other);
  u32 next = 0;
  auto put = [&](u32 result) { store_global(out + (thread * LINMU_TEST_CONVERSIONS + next++), result); };
  put(to_bf16(x).bits);
  put(to_f16(x).bits);
  put(to_tf32(x));
  put(pack_bf16(x, y));
  put(pack_f16(x, y));
  put(same_bits<u32>(to_f32(bf16{u16(word)})));
  put(same_bits<u32>(to_f32(f16{u16(word)})));
  put(same_bits<u32>(low_bf16(word)) ^ same_bits<u32>(high_bf16(word)));
  put(same_bits<u32>(low_f16(word)));
  put(same_bits<u32>(high_f16(word)));
  put(multiply_bf16(word, other));
  put(multiply_f16(word, other));
}

LINMU_TEST_KERNEL exponentials(Global<const u32> in, Global<u32> out) { // 256 threads a block
  u32 thread = block_index<0>() * 256 + thread_index();
  store_global(out + thread, same_bits<u32>(exp2_approx(same_bits<f32>(load_global<u32>(in + thread)))));
}
