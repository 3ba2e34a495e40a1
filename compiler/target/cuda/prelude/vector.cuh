// Vectors of a thread's registers: elementwise functions, and elements that change places.
namespace prelude {

#define LINMU_ELEMENTWISE_1(name)                                                                              \
  template <class A, int Count> LINMU_FUNCTION auto name(const Vector<A, Count> &a) {                          \
    Vector<decltype(name(a[0])), Count> result;                                                                \
    LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = name(a[i]);                                       \
    return result;                                                                                             \
  }
#define LINMU_ELEMENTWISE_2(name)                                                                              \
  template <class A, int Count> LINMU_FUNCTION auto name(const Vector<A, Count> &a, const Vector<A, Count> &b) { \
    Vector<decltype(name(a[0], b[0])), Count> result;                                                          \
    LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = name(a[i], b[i]);                                 \
    return result;                                                                                             \
  }
#define LINMU_ELEMENTWISE_TO(name)                                                                             \
  template <class To, class From, int Count> LINMU_FUNCTION Vector<To, Count> name(const Vector<From, Count> &a) { \
    Vector<To, Count> result;                                                                                  \
    LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = name<To>(a[i]);                                   \
    return result;                                                                                             \
  }

LINMU_ELEMENTWISE_1(exp)
LINMU_ELEMENTWISE_1(exp2)
LINMU_ELEMENTWISE_1(expm1)
LINMU_ELEMENTWISE_1(log)
LINMU_ELEMENTWISE_1(log2)
LINMU_ELEMENTWISE_1(log10)
LINMU_ELEMENTWISE_1(log1p)
LINMU_ELEMENTWISE_1(sqrt)
LINMU_ELEMENTWISE_1(rsqrt)
LINMU_ELEMENTWISE_1(sin)
LINMU_ELEMENTWISE_1(cos)
LINMU_ELEMENTWISE_1(tanh)
LINMU_ELEMENTWISE_1(erf)
LINMU_ELEMENTWISE_1(abs)
LINMU_ELEMENTWISE_1(negate)
LINMU_ELEMENTWISE_1(floor)
LINMU_ELEMENTWISE_1(ceil)
LINMU_ELEMENTWISE_1(trunc)
LINMU_ELEMENTWISE_1(round)
LINMU_ELEMENTWISE_1(roundeven)

LINMU_ELEMENTWISE_2(add)
LINMU_ELEMENTWISE_2(subtract)
LINMU_ELEMENTWISE_2(multiply)
LINMU_ELEMENTWISE_2(divide)
LINMU_ELEMENTWISE_2(remainder)
LINMU_ELEMENTWISE_2(minimum)
LINMU_ELEMENTWISE_2(maximum)
LINMU_ELEMENTWISE_2(smaller_number)
LINMU_ELEMENTWISE_2(larger_number)
LINMU_ELEMENTWISE_2(pow)
LINMU_ELEMENTWISE_2(copysign)
LINMU_ELEMENTWISE_2(minimum_unsigned)
LINMU_ELEMENTWISE_2(maximum_unsigned)
LINMU_ELEMENTWISE_2(divide_unsigned)
LINMU_ELEMENTWISE_2(remainder_unsigned)
LINMU_ELEMENTWISE_2(ceil_divide)
LINMU_ELEMENTWISE_2(ceil_divide_unsigned)
LINMU_ELEMENTWISE_2(floor_divide)
LINMU_ELEMENTWISE_2(bit_and)
LINMU_ELEMENTWISE_2(bit_or)
LINMU_ELEMENTWISE_2(bit_xor)
LINMU_ELEMENTWISE_2(shift_left)
LINMU_ELEMENTWISE_2(shift_right)
LINMU_ELEMENTWISE_2(shift_right_unsigned)

LINMU_ELEMENTWISE_2(compare_eq)
LINMU_ELEMENTWISE_2(compare_ne)
LINMU_ELEMENTWISE_2(compare_slt)
LINMU_ELEMENTWISE_2(compare_sle)
LINMU_ELEMENTWISE_2(compare_sgt)
LINMU_ELEMENTWISE_2(compare_sge)
LINMU_ELEMENTWISE_2(compare_ult)
LINMU_ELEMENTWISE_2(compare_ule)
LINMU_ELEMENTWISE_2(compare_ugt)
LINMU_ELEMENTWISE_2(compare_uge)
LINMU_ELEMENTWISE_2(compare_oeq)
LINMU_ELEMENTWISE_2(compare_ogt)
LINMU_ELEMENTWISE_2(compare_oge)
LINMU_ELEMENTWISE_2(compare_olt)
LINMU_ELEMENTWISE_2(compare_ole)
LINMU_ELEMENTWISE_2(compare_one)
LINMU_ELEMENTWISE_2(compare_ord)
LINMU_ELEMENTWISE_2(compare_ueq)
LINMU_ELEMENTWISE_2(compare_ugt_or_nan)
LINMU_ELEMENTWISE_2(compare_uge_or_nan)
LINMU_ELEMENTWISE_2(compare_ult_or_nan)
LINMU_ELEMENTWISE_2(compare_ule_or_nan)
LINMU_ELEMENTWISE_2(compare_une)
LINMU_ELEMENTWISE_2(compare_uno)

LINMU_ELEMENTWISE_TO(from_signed)
LINMU_ELEMENTWISE_TO(from_unsigned)
LINMU_ELEMENTWISE_TO(to_signed)
LINMU_ELEMENTWISE_TO(to_unsigned)
LINMU_ELEMENTWISE_TO(convert_signed)
LINMU_ELEMENTWISE_TO(convert_unsigned)
#undef LINMU_ELEMENTWISE_1
#undef LINMU_ELEMENTWISE_2
#undef LINMU_ELEMENTWISE_TO

/// What one instruction does to two elements in a register.
template <class To, class From> struct Packed {
  static constexpr bool exists = false;
};
template <> struct Packed<bf16, f32> {
  static constexpr bool exists = true;
  static LINMU_FUNCTION u32 round(f32 low, f32 high) { return pack_bf16(low, high); }
};
template <> struct Packed<f16, f32> {
  static constexpr bool exists = true;
  static LINMU_FUNCTION u32 round(f32 low, f32 high) { return pack_f16(low, high); }
};
template <class From> struct Pair {
  static constexpr bool exists = false;
};
template <> struct Pair<bf16> {
  static constexpr bool exists = true;
  static LINMU_FUNCTION f32 low(u32 pair) { return low_bf16(pair); }
  static LINMU_FUNCTION f32 high(u32 pair) { return high_bf16(pair); }
};
template <> struct Pair<f16> {
  static constexpr bool exists = true;
  static LINMU_FUNCTION f32 low(u32 pair) { return low_f16(pair); }
  static LINMU_FUNCTION f32 high(u32 pair) { return high_f16(pair); }
};
template <class To, class From, int Count> LINMU_FUNCTION Vector<To, Count> round_to(const Vector<From, Count> &a) {
  if constexpr (Packed<To, From>::exists && Count % 2 == 0) {
    Vector<u32, Count / 2> pairs;
    LINMU_UNROLL for (int i = 0; i < Count / 2; ++i) pairs[i] = Packed<To, From>::round(a[2 * i], a[2 * i + 1]);
    return same_bits<Vector<To, Count>>(pairs);
  } else if constexpr (Pair<From>::exists && sizeof(To) == 4 && Count % 2 == 0) {
    auto pairs = same_bits<Vector<u32, Count / 2>>(a);
    Vector<To, Count> result;
    LINMU_UNROLL for (int i = 0; i < Count / 2; ++i) {
      result[2 * i] = Pair<From>::low(pairs[i]);
      result[2 * i + 1] = Pair<From>::high(pairs[i]);
    }
    return result;
  } else {
    Vector<To, Count> result;
    LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = round_to<To>(a[i]);
    return result;
  }
}

template <int Count>
LINMU_FUNCTION Vector<f32, Count> fma(const Vector<f32, Count> &a, const Vector<f32, Count> &b,
                                      const Vector<f32, Count> &c) {
  Vector<f32, Count> result;
  LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = fma(a[i], b[i], c[i]);
  return result;
}

/// `a` where the condition holds, else `b`.
template <class T> LINMU_FUNCTION T select(bool condition, T a, T b) { return condition ? a : b; }
template <class T, int Count>
LINMU_FUNCTION Vector<T, Count> select(const Vector<bool, Count> &condition, const Vector<T, Count> &a,
                                       const Vector<T, Count> &b) {
  Vector<T, Count> result;
  LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = condition[i] ? a[i] : b[i];
  return result;
}

//===------------------------------------------------------------------------------------------------===//
// Places of elements
//===------------------------------------------------------------------------------------------------===//

template <int Count, class T> LINMU_FUNCTION Vector<T, Count> splat(T element) {
  Vector<T, Count> result;
  LINMU_UNROLL for (int i = 0; i < Count; ++i) result[i] = element;
  return result;
}
template <class T, int Count>
LINMU_FUNCTION Vector<T, Count> insert(Vector<T, Count> vector, T element, int place) {
  vector[place] = element;
  return vector;
}
/// `Size` elements from `First` on.
template <int First, int Size, class T, int Count> LINMU_FUNCTION Vector<T, Size> slice(const Vector<T, Count> &from) {
  static_assert(First + Size <= Count, "requires a slice inside the vector");
  Vector<T, Size> result;
  LINMU_UNROLL for (int i = 0; i < Size; ++i) result[i] = from[First + i];
  return result;
}
/// `to` with the elements of `part` from `First` on.
template <int First, class T, int Size, int Count>
LINMU_FUNCTION Vector<T, Count> insert_slice(const Vector<T, Size> &part, Vector<T, Count> to) {
  static_assert(First + Size <= Count, "requires a slice inside the vector");
  LINMU_UNROLL for (int i = 0; i < Size; ++i) to[First + i] = part[i];
  return to;
}
/// Elements by their places in `a` followed by `b`.
template <int... Places, class T, int CountA, int CountB>
LINMU_FUNCTION Vector<T, int(sizeof...(Places))> shuffle_elements(const Vector<T, CountA> &a,
                                                                  const Vector<T, CountB> &b) {
  return {{(Places < CountA ? a[Places < CountA ? Places : 0] : b[Places < CountA ? 0 : Places - CountA])...}};
}

} // namespace prelude
