// Functions of f32: NVRTC's own, none of which errs by more than two units in the last place (powf: by more than
// eight), and the instructions for minima and maxima, to which -0 is below 0.
namespace prelude {

LINMU_FUNCTION f32 exp(f32 x) { return ::expf(x); }
LINMU_FUNCTION f32 exp2(f32 x) { return exp2_approx(x); }
LINMU_FUNCTION f32 expm1(f32 x) { return ::expm1f(x); }
LINMU_FUNCTION f32 log(f32 x) { return ::logf(x); }
LINMU_FUNCTION f32 log2(f32 x) { return ::log2f(x); }
LINMU_FUNCTION f32 log10(f32 x) { return ::log10f(x); }
LINMU_FUNCTION f32 log1p(f32 x) { return ::log1pf(x); }
LINMU_FUNCTION f32 sqrt(f32 x) { return ::sqrtf(x); }
LINMU_FUNCTION f32 rsqrt(f32 x) { return ::rsqrtf(x); }
LINMU_FUNCTION f32 sin(f32 x) { return ::sinf(x); }
LINMU_FUNCTION f32 cos(f32 x) { return ::cosf(x); }
LINMU_FUNCTION f32 tanh(f32 x) { return ::tanhf(x); }
LINMU_FUNCTION f32 erf(f32 x) { return ::erff(x); }
LINMU_FUNCTION f32 pow(f32 x, f32 y) { return ::powf(x, y); }
LINMU_FUNCTION f32 fma(f32 a, f32 b, f32 c) { return ::fmaf(a, b, c); }
LINMU_FUNCTION f32 remainder(f32 a, f32 b) { return ::fmodf(a, b); }
LINMU_FUNCTION f32 abs(f32 x) { return ::fabsf(x); }
LINMU_FUNCTION f32 copysign(f32 x, f32 sign) { return ::copysignf(x, sign); }
LINMU_FUNCTION f32 floor(f32 x) { return ::floorf(x); }
LINMU_FUNCTION f32 ceil(f32 x) { return ::ceilf(x); }
LINMU_FUNCTION f32 trunc(f32 x) { return ::truncf(x); }
LINMU_FUNCTION f32 round(f32 x) { return ::roundf(x); }
LINMU_FUNCTION f32 roundeven(f32 x) { return ::rintf(x); }

/// Towards zero, to the nearest that there is; NaN is 0.
LINMU_FUNCTION i32 truncated_to_i32(f32 x) {
  i32 result;
  asm("cvt.rzi.s32.f32 %0, %1;" : "=r"(result) : "f"(x));
  return result;
}

#define LINMU_EXTREMUM(name, instruction)                                                                      \
  LINMU_FUNCTION f32 name(f32 a, f32 b) {                                                                      \
    f32 result;                                                                                                \
    asm(instruction " %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));                                           \
    return result;                                                                                             \
  }
LINMU_EXTREMUM(minimum, "min.NaN.f32") ///< NaN where an operand is
LINMU_EXTREMUM(maximum, "max.NaN.f32")
LINMU_EXTREMUM(smaller_number, "min.f32") ///< the other operand where one is NaN
LINMU_EXTREMUM(larger_number, "max.f32")
#undef LINMU_EXTREMUM

} // namespace prelude
