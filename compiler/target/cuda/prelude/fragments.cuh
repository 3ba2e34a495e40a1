// Matrix instructions and shuffles on vectors of registers.
namespace prelude {

/// The rows of 8 x 8 matrices of 16-bit elements, two elements of each to a thread.
template <int Count, class T> LINMU_FUNCTION Vector<T, Count> load_matrix(Buffer<T> row LINMU_CALL_SITE) {
  Vector<u32, Count / 2> r;
  if constexpr (Count == 2)
    load_matrix_x1(r[0], row.first LINMU_FROM_CALL_SITE);
  else if constexpr (Count == 4)
    load_matrix_x2(r[0], r[1], row.first LINMU_FROM_CALL_SITE);
  else
    load_matrix_x4(r[0], r[1], r[2], r[3], row.first LINMU_FROM_CALL_SITE);
  return same_bits<Vector<T, Count>>(r);
}
template <int Count, class T> LINMU_FUNCTION Vector<T, Count> load_matrix_transposed(Buffer<T> row LINMU_CALL_SITE) {
  Vector<u32, Count / 2> r;
  if constexpr (Count == 2)
    load_matrix_transposed_x1(r[0], row.first LINMU_FROM_CALL_SITE);
  else if constexpr (Count == 4)
    load_matrix_transposed_x2(r[0], r[1], row.first LINMU_FROM_CALL_SITE);
  else
    load_matrix_transposed_x4(r[0], r[1], r[2], r[3], row.first LINMU_FROM_CALL_SITE);
  return same_bits<Vector<T, Count>>(r);
}
template <class T, int Count>
LINMU_FUNCTION void store_matrix(const Vector<T, Count> &value, Buffer<T> row LINMU_CALL_SITE) {
  auto r = same_bits<Vector<u32, Count / 2>>(value);
  if constexpr (Count == 2)
    store_matrix_x1(row.first, r[0] LINMU_FROM_CALL_SITE);
  else if constexpr (Count == 4)
    store_matrix_x2(row.first, r[0], r[1] LINMU_FROM_CALL_SITE);
  else
    store_matrix_x4(row.first, r[0], r[1], r[2], r[3] LINMU_FROM_CALL_SITE);
}
template <class T, int Count>
LINMU_FUNCTION void store_matrix_transposed(const Vector<T, Count> &value, Buffer<T> row LINMU_CALL_SITE) {
  auto r = same_bits<Vector<u32, Count / 2>>(value);
  if constexpr (Count == 2)
    store_matrix_transposed_x1(row.first, r[0] LINMU_FROM_CALL_SITE);
  else if constexpr (Count == 4)
    store_matrix_transposed_x2(row.first, r[0], r[1] LINMU_FROM_CALL_SITE);
  else
    store_matrix_transposed_x4(row.first, r[0], r[1], r[2], r[3] LINMU_FROM_CALL_SITE);
}

// a * b + sums of a warp's fragments; the types say which instruction it is.
#define LINMU_MMA_16(type)                                                                                     \
  LINMU_FUNCTION Vector<f32, 4> mma(const Vector<type, 8> &a, const Vector<type, 4> &b,                        \
                                    Vector<f32, 4> sums LINMU_CALL_SITE) {                                     \
    auto x = same_bits<Vector<u32, 4>>(a);                                                                     \
    auto y = same_bits<Vector<u32, 2>>(b);                                                                     \
    mma_m16n8k16_##type(sums.elements, x[0], x[1], x[2], x[3], y[0], y[1] LINMU_FROM_CALL_SITE);               \
    return sums;                                                                                               \
  }                                                                                                            \
  LINMU_FUNCTION Vector<f32, 4> mma(const Vector<type, 4> &a, const Vector<type, 2> &b,                        \
                                    Vector<f32, 4> sums LINMU_CALL_SITE) {                                     \
    auto x = same_bits<Vector<u32, 2>>(a);                                                                     \
    mma_m16n8k8_##type(sums.elements, x[0], x[1], same_bits<u32>(b) LINMU_FROM_CALL_SITE);                     \
    return sums;                                                                                               \
  }
LINMU_MMA_16(bf16)
LINMU_MMA_16(f16)
#undef LINMU_MMA_16
/// Of f32 as tf32.
LINMU_FUNCTION Vector<f32, 4> mma(const Vector<f32, 4> &a, const Vector<f32, 2> &b, Vector<f32, 4> sums LINMU_CALL_SITE) {
  auto x = same_bits<Vector<u32, 4>>(a);
  auto y = same_bits<Vector<u32, 2>>(b);
  mma_m16n8k8_tf32(sums.elements, x[0], x[1], x[2], x[3], y[0], y[1] LINMU_FROM_CALL_SITE);
  return sums;
}

// Shuffles whose operand is an index of a printed kernel.
#define LINMU_SHUFFLED(name, instruction)                                                                      \
  LINMU_FUNCTION i32 name(i32 value, i32 operand LINMU_CALL_SITE) {                                            \
    return static_cast<i32>(instruction(static_cast<u32>(value), static_cast<u32>(operand) LINMU_FROM_CALL_SITE)); \
  }                                                                                                            \
  LINMU_FUNCTION f32 name(f32 value, i32 operand LINMU_CALL_SITE) {                                            \
    return instruction(value, static_cast<u32>(operand) LINMU_FROM_CALL_SITE);                                 \
  }
LINMU_SHUFFLED(shuffled, shuffle)
LINMU_SHUFFLED(shuffled_xor, shuffle_xor)
LINMU_SHUFFLED(shuffled_up, shuffle_up)
LINMU_SHUFFLED(shuffled_down, shuffle_down)
#undef LINMU_SHUFFLED

} // namespace prelude
