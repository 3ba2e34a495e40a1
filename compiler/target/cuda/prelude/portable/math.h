// Conversions and functions for the host. Stands behind Numbers.h and types.cuh.
namespace prelude {

/// Correctly rounded where the instruction is within 2 units in the last place; subnormal arguments and
/// results are zero, as there.
inline f32 exp2_approx(f32 x) { return linmu::emulation::exp2Flushed(x); }

inline f32 to_f32(bf16 x) { return linmu::emulation::fromBF16(x.bits); }
inline f32 to_f32(f16 x) { return linmu::emulation::fromF16(x.bits); }
inline bf16 to_bf16(f32 x) { return {linmu::emulation::toBF16(x)}; }
inline f16 to_f16(f32 x) { return {linmu::emulation::toF16(x)}; }
inline u32 to_tf32(f32 x) { return linmu::emulation::toTF32(x); }

inline u32 pack_bf16(f32 low, f32 high) { return to_bf16(low).bits | u32(to_bf16(high).bits) << 16; }
inline u32 pack_f16(f32 low, f32 high) { return to_f16(low).bits | u32(to_f16(high).bits) << 16; }
inline f32 low_bf16(u32 pair) { return same_bits<f32>(pair << 16); }
inline f32 high_bf16(u32 pair) { return same_bits<f32>(pair & 0xffff0000); }
inline f32 low_f16(u32 pair) { return to_f32(f16{u16(pair)}); }
inline f32 high_f16(u32 pair) { return to_f32(f16{u16(pair >> 16)}); }

inline u32 multiply_bf16(u32 a, u32 b) {
  return linmu::emulation::productBF16(low_bf16(a), low_bf16(b)) |
         u32(linmu::emulation::productBF16(high_bf16(a), high_bf16(b))) << 16;
}
/// A product of two numbers of 11 bits is exact in f32, so that it is rounded once.
inline u32 multiply_f16(u32 a, u32 b) { return pack_f16(low_f16(a) * low_f16(b), high_f16(a) * high_f16(b)); }

} // namespace prelude
