// Functions of f32 for the host: computed in f64 and rounded once more.
namespace prelude {

inline f32 exp(f32 x) { return static_cast<f32>(__builtin_exp(x)); }
inline f32 exp2(f32 x) { return static_cast<f32>(__builtin_exp2(x)); }
inline f32 expm1(f32 x) { return static_cast<f32>(__builtin_expm1(x)); }
inline f32 log(f32 x) { return static_cast<f32>(__builtin_log(x)); }
inline f32 log2(f32 x) { return static_cast<f32>(__builtin_log2(x)); }
inline f32 log10(f32 x) { return static_cast<f32>(__builtin_log10(x)); }
inline f32 log1p(f32 x) { return static_cast<f32>(__builtin_log1p(x)); }
inline f32 sqrt(f32 x) { return __builtin_sqrtf(x); }
inline f32 rsqrt(f32 x) { return static_cast<f32>(1 / __builtin_sqrt(x)); }
inline f32 sin(f32 x) { return static_cast<f32>(__builtin_sin(x)); }
inline f32 cos(f32 x) { return static_cast<f32>(__builtin_cos(x)); }
inline f32 tanh(f32 x) { return static_cast<f32>(__builtin_tanh(x)); }
inline f32 erf(f32 x) { return static_cast<f32>(__builtin_erf(x)); }
inline f32 pow(f32 x, f32 y) { return static_cast<f32>(__builtin_pow(x, y)); }
inline f32 fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
inline f32 remainder(f32 a, f32 b) { return __builtin_fmodf(a, b); }
inline f32 abs(f32 x) { return __builtin_fabsf(x); }
inline f32 copysign(f32 x, f32 sign) { return __builtin_copysignf(x, sign); }
inline f32 floor(f32 x) { return __builtin_floorf(x); }
inline f32 ceil(f32 x) { return __builtin_ceilf(x); }
inline f32 trunc(f32 x) { return __builtin_truncf(x); }
inline f32 round(f32 x) { return __builtin_roundf(x); }
inline f32 roundeven(f32 x) { return __builtin_rintf(x); }

/// Towards zero, to the nearest that there is; NaN is 0.
inline i32 truncated_to_i32(f32 x) {
  constexpr f32 end = 2147483648.0f;
  if (!(x > -end))
    return x == x ? -2147483647 - 1 : 0;
  return x < end ? static_cast<i32>(x) : 2147483647;
}

/// The other operand where one is NaN; -0 is below 0.
inline f32 larger_number(f32 a, f32 b) {
  if (a != a || b != b)
    return a != a ? b : a;
  if (a == b)
    return __builtin_signbit(a) ? b : a;
  return a < b ? b : a;
}
inline f32 smaller_number(f32 a, f32 b) { return -larger_number(-a, -b); }
/// NaN where an operand is.
inline f32 maximum(f32 a, f32 b) { return a != a || b != b ? a + b : larger_number(a, b); }
inline f32 minimum(f32 a, f32 b) { return a != a || b != b ? a + b : smaller_number(a, b); }

} // namespace prelude
