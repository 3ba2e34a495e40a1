// Conversions, packed numbers, and functions of the special-function unit.
namespace prelude {

/// 2^x, within 2 units in the last place; subnormal arguments and results are zero.
LINMU_FUNCTION f32 exp2_approx(f32 x) {
  f32 result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

LINMU_FUNCTION f32 to_f32(bf16 x) { return same_bits<f32>(static_cast<u32>(x.bits) << 16); }
LINMU_FUNCTION f32 to_f32(f16 x) {
  f32 result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
  return result;
}
/// Rounded to nearest, ties to even.
LINMU_FUNCTION bf16 to_bf16(f32 x) {
  bf16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
  return result;
}
LINMU_FUNCTION f16 to_f16(f32 x) {
  f16 result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
  return result;
}
/// As a register of mma holds it: 10 bits behind the point, rounded to nearest, ties away from zero.
LINMU_FUNCTION u32 to_tf32(f32 x) {
  u32 result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(x));
  return result;
}

/// Two in a register, `low` in its lower half.
LINMU_FUNCTION u32 pack_bf16(f32 low, f32 high) {
  u32 result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}
LINMU_FUNCTION u32 pack_f16(f32 low, f32 high) {
  u32 result;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}
LINMU_FUNCTION f32 low_bf16(u32 pair) { return same_bits<f32>(pair << 16); }
LINMU_FUNCTION f32 high_bf16(u32 pair) { return same_bits<f32>(pair & 0xffff0000); }
LINMU_FUNCTION f32 low_f16(u32 pair) { return to_f32(f16{static_cast<u16>(pair)}); }
LINMU_FUNCTION f32 high_f16(u32 pair) { return to_f32(f16{static_cast<u16>(pair >> 16)}); }

/// Products of both halves, rounded to nearest: as a fused product with -0, which every architecture has.
LINMU_FUNCTION u32 multiply_bf16(u32 a, u32 b) {
  u32 result;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(0x80008000));
  return result;
}
LINMU_FUNCTION u32 multiply_f16(u32 a, u32 b) {
  u32 result;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

} // namespace prelude
