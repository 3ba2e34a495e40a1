// The functions of the prelude that compute on registers, and those through which printed kernels reach memory: one
// kind a kernel, as in prelude_kernels.cuh. A thread writes its results one after the other.

namespace prelude {

/// Writes what a thread has computed: word `next` of all threads, then the next word. 256 threads a block.
struct Out {
  Global<u32> words;
  u32 thread, threads, next = 0;

  LINMU_FUNCTION void put(u32 bits) { store_global(words + (next++ * threads + thread), bits); }
  LINMU_FUNCTION void put(bool x) { put(static_cast<u32>(x)); }
  LINMU_FUNCTION void put(i8 x) { put(unsigned_of(x)); }
  LINMU_FUNCTION void put(i16 x) { put(unsigned_of(x)); }
  LINMU_FUNCTION void put(i32 x) { put(unsigned_of(x)); }
  LINMU_FUNCTION void put(i64 x) {
    put(static_cast<u32>(unsigned_of(x)));
    put(static_cast<u32>(unsigned_of(x) >> 32));
  }
  LINMU_FUNCTION void put(f32 x) { put(same_bits<u32>(x)); }
  /// As f32, so that one comparison serves all.
  LINMU_FUNCTION void put(bf16 x) { put(to_f32(x)); }
  LINMU_FUNCTION void put(f16 x) { put(to_f32(x)); }
  template <class T, int Count> LINMU_FUNCTION void put(const Vector<T, Count> &x) {
    LINMU_UNROLL for (int i = 0; i < Count; ++i) put(x[i]);
  }
};
/// The words of a vector, whatever its elements.
template <class V> LINMU_FUNCTION void put_words(Out &out, V value) { out.put(same_bits<Vector<u32, sizeof(V) / 4>>(value)); }
/// One word that shows every bit of a vector.
template <class V> LINMU_FUNCTION u32 sum_of_bits(V value) {
  auto words = same_bits<Vector<u32, sizeof(V) / 4>>(value);
  u32 result = 0;
  LINMU_UNROLL for (u32 i = 0; i < sizeof(V) / 4; ++i) result = result * 3 + words[i];
  return result;
}
LINMU_FUNCTION Out out_of_thread(Global<u32> out) {
  u32 thread = block_index<0>() * 256 + thread_index();
  return {out, thread, block_count<0>() * 256};
}
/// Word `word` of the thread's neighbourhood, so that operands of one thread have nothing to do with each other.
LINMU_FUNCTION u32 word_of(Global<const u32> in, const Out &out, u32 word) {
  return load_global<u32>(in + (out.thread + word * 769) % out.threads);
}
LINMU_FUNCTION f32 float_of(Global<const u32> in, const Out &out, u32 word) { return same_bits<f32>(word_of(in, out, word)); }

/// Within some units in the last place.
template <class T> LINMU_FUNCTION void put_approximate(Out &out, T x) {
  out.put(exp(x));
  out.put(exp2(x));
  out.put(expm1(x));
  out.put(log(x));
  out.put(log2(x));
  out.put(log10(x));
  out.put(log1p(x));
  out.put(rsqrt(x));
  out.put(sin(x));
  out.put(cos(x));
  out.put(tanh(x));
  out.put(erf(x));
}
/// Rounded correctly.
template <class T> LINMU_FUNCTION void put_exact(Out &out, T x, T y, T z) {
  out.put(sqrt(x));
  out.put(floor(x));
  out.put(ceil(x));
  out.put(trunc(x));
  out.put(round(x));
  out.put(roundeven(x));
  out.put(fma(x, y, z));
  out.put(remainder(x, y));
  out.put(copysign(x, y));
}
/// Of f32, bf16 and f16, and of their vectors.
template <class T> LINMU_FUNCTION void put_arithmetic(Out &out, T x, T y) {
  out.put(add(x, y));
  out.put(subtract(x, y));
  out.put(multiply(x, y));
  out.put(divide(x, y));
  out.put(negate(x));
  out.put(abs(x));
  out.put(minimum(x, y));
  out.put(maximum(x, y));
  out.put(smaller_number(x, y));
  out.put(larger_number(x, y));
  out.put(compare_oeq(x, y));
  out.put(compare_ogt(x, y));
  out.put(compare_oge(x, y));
  out.put(compare_olt(x, y));
  out.put(compare_ole(x, y));
  out.put(compare_one(x, y));
  out.put(compare_ord(x, y));
  out.put(compare_ueq(x, y));
  out.put(compare_ugt_or_nan(x, y));
  out.put(compare_uge_or_nan(x, y));
  out.put(compare_ult_or_nan(x, y));
  out.put(compare_ule_or_nan(x, y));
  out.put(compare_une(x, y));
  out.put(compare_uno(x, y));
  out.put(select(compare_olt(x, y), x, y));
}
/// Of integers and their vectors; `bits` are fewer than there are.
template <class T> LINMU_FUNCTION void put_integers(Out &out, T x, T y, T bits) {
  out.put(add(x, y));
  out.put(subtract(x, y));
  out.put(multiply(x, y));
  out.put(divide(x, y));
  out.put(remainder(x, y));
  out.put(divide_unsigned(x, y));
  out.put(remainder_unsigned(x, y));
  out.put(ceil_divide(x, y));
  out.put(ceil_divide_unsigned(x, y));
  out.put(floor_divide(x, y));
  out.put(abs(x));
  out.put(minimum(x, y));
  out.put(maximum(x, y));
  out.put(minimum_unsigned(x, y));
  out.put(maximum_unsigned(x, y));
  out.put(bit_and(x, y));
  out.put(bit_or(x, y));
  out.put(bit_xor(x, y));
  out.put(shift_left(x, bits));
  out.put(shift_right(x, bits));
  out.put(shift_right_unsigned(x, bits));
  out.put(compare_eq(x, y));
  out.put(compare_ne(x, y));
  out.put(compare_slt(x, y));
  out.put(compare_sle(x, y));
  out.put(compare_sgt(x, y));
  out.put(compare_sge(x, y));
  out.put(compare_ult(x, y));
  out.put(compare_ule(x, y));
  out.put(compare_ugt(x, y));
  out.put(compare_uge(x, y));
}
template <class T> LINMU_FUNCTION void put_all_integers(Out &out, u64 a, u64 b) {
  // A zero, a one and a minus one come often.
  T x = static_cast<T>(a), y = static_cast<T>(b % 5 == 0 ? b / 5 % 3 - 1 : b), bits = static_cast<T>(b % (sizeof(T) * 8));
  put_integers(out, x, y, bits);
  put_integers(out, Vector<T, 2>{{x, y}}, Vector<T, 2>{{y, x}}, Vector<T, 2>{{bits, bits}});
}

template <class To, class From> LINMU_FUNCTION void put_converted(Out &out, From x) {
  out.put(convert_signed<To>(x));
  out.put(convert_unsigned<To>(x));
}
template <class From> LINMU_FUNCTION void put_of_integer(Out &out, From x) {
  put_converted<bool>(out, x);
  put_converted<i8>(out, x);
  put_converted<i16>(out, x);
  put_converted<i32>(out, x);
  put_converted<i64>(out, x);
  out.put(from_signed<f32>(x));
  out.put(from_unsigned<f32>(x));
  out.put(from_signed<bf16>(x));
  out.put(from_unsigned<bf16>(x));
  out.put(from_signed<f16>(x));
  out.put(from_unsigned<f16>(x));
}
template <class From> LINMU_FUNCTION void put_of_number(Out &out, From x) {
  out.put(to_signed<bool>(x));
  out.put(to_unsigned<bool>(x));
  out.put(to_signed<i8>(x));
  out.put(to_unsigned<i8>(x));
  out.put(to_signed<i16>(x));
  out.put(to_unsigned<i16>(x));
  out.put(to_signed<i32>(x));
  out.put(to_unsigned<i32>(x));
  out.put(truncated_to_i32(to_f32(x)));
  out.put(to_signed<i64>(x));
  out.put(to_unsigned<i64>(x));
  out.put(round_to<f32>(x));
  out.put(round_to<bf16>(x));
  out.put(round_to<f16>(x));
}

} // namespace prelude

LINMU_TEST_KERNEL approximations(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  f32 x = float_of(in, to, 0), y = float_of(in, to, 1);
  put_approximate(to, x);
  put_approximate(to, Vector<f32, 2>{{x, y}});
}
LINMU_TEST_KERNEL powers(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  f32 x = float_of(in, to, 0), y = float_of(in, to, 1);
  to.put(prelude::pow(x, y));
  to.put(pow(Vector<f32, 2>{{y, x}}, Vector<f32, 2>{{x, y}}));
}
LINMU_TEST_KERNEL roundings(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  f32 x = float_of(in, to, 0), y = float_of(in, to, 1), z = float_of(in, to, 2);
  put_exact(to, x, y, z);
  put_exact(to, Vector<f32, 2>{{x, y}}, Vector<f32, 2>{{y, z}}, Vector<f32, 2>{{z, x}});
}
LINMU_TEST_KERNEL arithmetic(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  u32 a = word_of(in, to, 0), b = word_of(in, to, 1);
  f32 x = same_bits<f32>(a), y = same_bits<f32>(b);
  put_arithmetic(to, x, y);
  put_arithmetic(to, Vector<f32, 2>{{x, y}}, Vector<f32, 2>{{y, y}});
  // Halves of words are numbers of 16 bits of every exponent.
  put_arithmetic(to, bf16{u16(a >> 16)}, bf16{u16(b >> 16)});
  put_arithmetic(to, Vector<f16, 2>{{f16{u16(a)}, f16{u16(b)}}}, Vector<f16, 2>{{f16{u16(b)}, f16{u16(b)}}});
}
LINMU_TEST_KERNEL integers(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  u64 a = u64(word_of(in, to, 0)) << 32 | word_of(in, to, 1), b = u64(word_of(in, to, 2)) << 32 | word_of(in, to, 3);
  put_all_integers<i8>(to, a, b);
  put_all_integers<i16>(to, a, b);
  put_all_integers<i32>(to, a, b);
  put_all_integers<i64>(to, a, b);
  put_integers(to, (a & 1) != 0, (b & 1) != 0, false);
  i32 x = static_cast<i32>(a % 30000), y = static_cast<i32>(b % 30000);
  to.put(add_index(x, y));
  to.put(subtract_index(x, y));
  to.put(multiply_index(x, y));
}
LINMU_TEST_KERNEL conversions_of_types(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  u64 a = u64(word_of(in, to, 0)) << 32 | word_of(in, to, 1);
  put_of_integer(to, (a & 1) != 0);
  put_of_integer(to, static_cast<i8>(a));
  put_of_integer(to, static_cast<i16>(a));
  put_of_integer(to, static_cast<i32>(a));
  put_of_integer(to, static_cast<i64>(a));
  to.put(from_signed<f32>(Vector<i32, 2>{{i32(a), i32(a >> 32)}}));
  to.put(from_unsigned<bf16>(Vector<i64, 2>{{i64(a), i64(a >> 32)}}));
  to.put(convert_signed<i64>(Vector<i16, 2>{{i16(a), i16(a >> 32)}}));
  to.put(convert_unsigned<i64>(Vector<i16, 2>{{i16(a), i16(a >> 32)}}));
  // Of every size that integers have.
  f32 x = float_of(in, to, 2), y = from_signed<f32>(i64(a)), z = from_signed<f32>(i32(a)) * 0x1p-20F;
  put_of_number(to, x);
  put_of_number(to, y);
  put_of_number(to, z);
  put_of_number(to, to_bf16(z));
  put_of_number(to, to_f16(z));
  to.put(to_signed<i32>(Vector<f32, 2>{{x, z}}));
  to.put(to_unsigned<i32>(Vector<f32, 2>{{x, z}}));
  // Pairs and single ones take other instructions.
  to.put(round_to<bf16>(Vector<f32, 4>{{x, y, z, x}}));
  to.put(round_to<f16>(Vector<f32, 4>{{x, y, z, x}}));
  to.put(round_to<bf16>(Vector<f32, 3>{{x, y, z}}));
  to.put(round_to<f32>(Vector<bf16, 2>{{to_bf16(x), to_bf16(z)}}));
  to.put(round_to<f32>(Vector<f16, 2>{{to_f16(x), to_f16(z)}}));
  to.put(round_to<f16>(Vector<bf16, 2>{{to_bf16(x), to_bf16(z)}}));
}
LINMU_TEST_KERNEL places(Global<const u32> in, Global<u32> out) {
  auto to = out_of_thread(out);
  Vector<u32, 4> a = {{word_of(in, to, 0), word_of(in, to, 1), word_of(in, to, 2), word_of(in, to, 3)}};
  Vector<u32, 2> b = {{word_of(in, to, 4), word_of(in, to, 5)}};
  to.put(splat<3>(a[1]));
  to.put(insert(a, b[0], 2));
  to.put(slice<1, 2>(a));
  to.put(insert_slice<2>(b, a));
  to.put(shuffle_elements<0, 4, 5, 3>(a, b));
  to.put(select(Vector<bool, 2>{{a[0] < a[1], a[2] < a[3]}}, b, slice<0, 2>(a)));
  to.put(select(a[0] < a[1], a, splat<4>(b[1])));
  to.put(same_bits<Vector<u32, 2>>(same_bits<Vector<u16, 4>>(b)));
}

/// Matrices through a buffer, products by the types of their fragments, and shuffles by indices: one warp.
LINMU_TEST_KERNEL fragments(Global<const u32> in, Global<u32> out) {
  u32 lane = lane_index();
  prelude::Out to_words{out, lane, 32};
  auto put = [&](u32 result) { to_words.put(result); };
  auto from = view<bf16>(dynamic_shared_memory(), 0), to = view<bf16>(dynamic_shared_memory(), 512);
  store_shared(from.first + lane * 16, load_global<Vector<u32, 4>>(in + lane * 4));
  sync_warp();
  auto address = at(from, i32((lane * 5 + 3) % 32 * 8)), place = at(to, i32((lane * 7 + 1) % 32 * 8));
  auto one = load_matrix<2>(address);
  auto two = load_matrix<4>(address);
  auto four = load_matrix<8>(address);
  put_words(to_words, one), put_words(to_words, two), put_words(to_words, four);
  put_words(to_words, load_matrix_transposed<2>(address));
  put_words(to_words, load_matrix_transposed<4>(address));
  put_words(to_words, load_matrix_transposed<8>(address));
  for (u32 form = 0; form < 6; ++form) {
    store_shared(to.first + lane * 16, Vector<u32, 4>{{1, 2, 3, 4}});
    sync_warp();
    if (form == 0)
      store_matrix(one, place);
    if (form == 1)
      store_matrix_transposed(one, place);
    if (form == 2)
      store_matrix(two, place);
    if (form == 3)
      store_matrix_transposed(two, place);
    if (form == 4)
      store_matrix(four, place);
    if (form == 5)
      store_matrix_transposed(four, place);
    sync_warp();
    put_words(to_words, load_shared<Vector<u32, 4>>(to.first + lane * 16));
    sync_warp();
  }
  // Small integers, whose sums are exact.
  auto integer = [&](u32 index) { return f32(i32(load_global<u32>(in + (lane * 4 + index) % 128) % 17) - 8); };
  Vector<f32, 4> sums = {{integer(0), integer(1), integer(2), integer(3)}}, x = {{integer(4), integer(5), integer(6), integer(7)}};
  Vector<f32, 8> wide = {{x[0], x[1], x[2], x[3], integer(8), integer(9), integer(10), integer(11)}};
  Vector<f32, 2> y = {{integer(12), integer(13)}};
  put_words(to_words, mma(round_to<bf16>(wide), round_to<bf16>(x), sums));
  put_words(to_words, mma(round_to<f16>(wide), round_to<f16>(x), sums));
  put_words(to_words, mma(round_to<bf16>(x), round_to<bf16>(y), sums));
  put_words(to_words, mma(round_to<f16>(x), round_to<f16>(y), sums));
  put_words(to_words, mma(x, y, sums));
  i32 word = i32(load_global<u32>(in + lane));
  for (i32 operand = 0; operand < 32; operand += 3) {
    put(u32(shuffled(word, operand)));
    put(u32(shuffled_xor(word, operand)));
    put(u32(shuffled_up(word, operand)));
    put(u32(shuffled_down(word, operand)));
    put(same_bits<u32>(shuffled(sums[0], operand)));
    put(same_bits<u32>(shuffled_xor(sums[0], operand)));
    put(same_bits<u32>(shuffled_up(sums[0], operand)));
    put(same_bits<u32>(shuffled_down(sums[0], operand)));
  }
}

/// Six blocks of 32 threads that stand for a grid of 1 x 2 x 3; an operand [3, 2, 32] of f32 with a stride of 40 along
/// its second axis, and one of bf16 [192] over the same bytes. Accesses of every size, plain and under a condition.
LINMU_TEST_KERNEL operands(Global<const u32> in, Global<u8> out) {
  prelude::Arguments<17> arguments = {{
      word_of_place(in), 3, 2, 32, 80, 40, 1, // f32
      word_of_place(out), 6, 128, 128, 1,     // u32, a row of 128 words a block
      -7, 0,                                  // indices
      1, 2, 3,                                // the grid
  }};
  auto x = prelude::operand<const f32, 3>(arguments, 0);
  auto y = prelude::operand<u32, 2>(arguments, 7);
  i32 lane = i32(lane_index()), b = prelude::block_id<2>(arguments), n = prelude::block_id<1>(arguments);
  i32 block = b * 2 + n + prelude::block_id<0>(arguments), word = 0;
  auto put = [&](u32 bits) { store(bits, at(y, block, lane + 32 * word++)); };
  u32 bits = u32(dimension<0>(x) * 4 + dimension<1>(x) * 2 + dimension<2>(x)) + u32(index_argument(arguments, 12));
  bits = bits * 3 + u32(block_count<0>(arguments) + block_count<1>(arguments) * 4 + block_count<2>(arguments) * 16);
  bits = bits * 3 + same_bits<u32>(load(at(x, b, n, lane)));
  bits = bits * 3 + same_bits<u32>(load(at_scattered(x, b, n, lane)));
  bits = bits * 3 + sum_of_bits(load<2>(at(x, b, n, lane / 2 * 2)));
  bits = bits * 3 + sum_of_bits(load<4>(at(x, b, n, lane / 4 * 4)));
  bits = bits * 3 + sum_of_bits(load<8>(at(x, b, n, lane / 8 * 8)));
  bits = bits * 3 + same_bits<u32>(load_where(lane % 3 == 0, at(x, b, n, lane)));
  bits = bits * 3 + sum_of_bits(load_where<4>(lane % 5 == 0, at(x, b, n, lane / 4 * 4)));
  put(bits);

  // Copies into shared memory, of 4 and 16 bytes and under a condition, and what threads store there.
  auto memory = dynamic_shared_memory();
  auto copied = view<f32>(memory, 0), some = view<f32>(memory, 128);
  auto own = view<u16>(memory, 640);
  copy<1>(at(copied, lane), at(x, b, n, lane));
  copy_where<4>(lane % 2 == 0, at(some, lane * 4), at(x, b, n, lane / 4 * 4));
  copy_commit();
  store(Vector<u16, 2>{{u16(lane), u16(lane * 5)}}, at(own, 2 * lane));
  copy_wait<0>();
  barrier();
  bits = same_bits<u32>(load(at(copied, 31 - lane)));
  bits = bits * 3 + sum_of_bits(load<4>(at(some, (31 - lane) * 4)));
  bits = bits * 3 + load(at(own, 63 - lane)) + sum_of_bits(load<2>(at(own, 2 * (31 - lane))));
  put(bits);

  // Stores under a condition of 16, 8, 4, 2 and 1 bytes, into rows that every lane has filled.
  barrier();
  store(u32(0x01010101) * u32(lane), at(y, block, 64 + lane));
  barrier();
  auto row = at(y, block, 64);
  store_where(lane == 1, Vector<u32, 4>{{1, 2, 3, 4}}, row + 4);
  store_where(lane == 2, Vector<u32, 2>{{5, 6}}, row + 10);
  store_where(lane == 3, u32(7), row + 13);
  store_where(lane == 4, Vector<u16, 1>{{8}}, Global<u16>{same_place<u16>(row + 14)});
  store_where(lane == 5, Vector<u8, 1>{{9}}, Global<u8>{same_place<u8>(row + 15)});
  store_where(lane < 0, Vector<u32, 4>{{1, 2, 3, 4}}, row + 20);
  store(bf16{u16(lane)}, Global<bf16>{same_place<bf16>(at(y, block, 96 + lane))});
  store(bf16{u16(lane * 3)}, Global<bf16>{same_place<bf16>(at(y, block, 96 + lane))} + 1);
}

/// A barrier behind a fence of the asynchronous proxy, which only orders: two warps (sm_90).
LINMU_TEST_KERNEL fences(Global<const u32> in, Global<u32> out) {
  Shared shared = shared_memory();
  store_shared(shared + thread_index() * 4, load_global<u32>(in + thread_index()));
  fence_proxy_async();
  barrier();
  store_global(out + thread_index(), load_shared<u32>(shared + (63 - thread_index()) * 4));
}
