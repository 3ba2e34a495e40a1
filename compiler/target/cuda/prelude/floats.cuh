// Arithmetic and comparisons of f32; bf16 and f16 are computed in f32 and rounded once more.
namespace prelude {

LINMU_FUNCTION f32 to_f32(f32 x) { return x; }

LINMU_FUNCTION f32 add(f32 a, f32 b) { return a + b; }
LINMU_FUNCTION f32 subtract(f32 a, f32 b) { return a - b; }
LINMU_FUNCTION f32 multiply(f32 a, f32 b) { return a * b; }
LINMU_FUNCTION f32 divide(f32 a, f32 b) { return a / b; }
LINMU_FUNCTION f32 negate(f32 x) { return -x; }

#define LINMU_HALF_1(name)                                                                                     \
  LINMU_FUNCTION bf16 name(bf16 x) { return to_bf16(name(to_f32(x))); }                                        \
  LINMU_FUNCTION f16 name(f16 x) { return to_f16(name(to_f32(x))); }
#define LINMU_HALF_2(name)                                                                                     \
  LINMU_FUNCTION bf16 name(bf16 a, bf16 b) { return to_bf16(name(to_f32(a), to_f32(b))); }                     \
  LINMU_FUNCTION f16 name(f16 a, f16 b) { return to_f16(name(to_f32(a), to_f32(b))); }
LINMU_HALF_2(add)
LINMU_HALF_2(subtract)
LINMU_HALF_2(multiply)
LINMU_HALF_2(divide)
LINMU_HALF_2(minimum)
LINMU_HALF_2(maximum)
LINMU_HALF_2(smaller_number)
LINMU_HALF_2(larger_number)
LINMU_HALF_1(negate)
LINMU_HALF_1(abs)
#undef LINMU_HALF_1
#undef LINMU_HALF_2

// Ordered comparisons of a NaN are false, unordered ones true. T is f32, bf16 or f16.
#define LINMU_COMPARE(name, condition)                                                                         \
  template <class T> LINMU_FUNCTION bool name(T first, T second) {                                             \
    f32 a = to_f32(first), b = to_f32(second);                                                                 \
    return condition;                                                                                          \
  }
LINMU_COMPARE(compare_oeq, a == b)
LINMU_COMPARE(compare_ogt, a > b)
LINMU_COMPARE(compare_oge, a >= b)
LINMU_COMPARE(compare_olt, a < b)
LINMU_COMPARE(compare_ole, a <= b)
LINMU_COMPARE(compare_one, a < b || a > b)
LINMU_COMPARE(compare_ord, a == a && b == b)
LINMU_COMPARE(compare_ueq, !(a < b || a > b))
LINMU_COMPARE(compare_ugt_or_nan, !(a <= b))
LINMU_COMPARE(compare_uge_or_nan, !(a < b))
LINMU_COMPARE(compare_ult_or_nan, !(a >= b))
LINMU_COMPARE(compare_ule_or_nan, !(a > b))
LINMU_COMPARE(compare_une, a != b)
LINMU_COMPARE(compare_uno, a != a || b != b)
#undef LINMU_COMPARE

} // namespace prelude
