// Numbers of 16 bits and tf32, and functions as the GPU rounds them. Needs no library, for kernels include
// it.
#pragma once
#include <cstdint>

namespace linmu::emulation {

inline std::uint32_t bitsOf(float x) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof(bits));
  return bits;
}
inline float floatOf(std::uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof(x));
  return x;
}

inline float fromBF16(std::uint16_t x) { return floatOf(std::uint32_t(x) << 16); }

/// Nearest, ties to even; what is no number becomes 0x7fff, as cvt gives it.
inline std::uint16_t toBF16(float x) {
  std::uint32_t bits = bitsOf(x);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return 0x7fff;
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// The nearest bf16 of a product that f32 may have to round as well: rounded to odd there, so that it is
/// rounded once.
inline std::uint16_t productBF16(float a, float b) {
  double exact = static_cast<double>(a) * static_cast<double>(b);
  float narrow = static_cast<float>(exact);
  std::uint32_t bits = bitsOf(narrow);
  double rest = exact - static_cast<double>(narrow);
  if (rest != 0 && (bits & 1) == 0 && (bits & 0x7fffffff) < 0x7f800000)
    bits += (rest > 0) == (exact > 0) ? 1 : ~std::uint32_t(0);
  return toBF16(floatOf(bits));
}

inline float fromF16(std::uint16_t x) {
  std::uint32_t sign = std::uint32_t(x & 0x8000) << 16, exponent = x >> 10 & 31, fraction = x & 0x3ff;
  if (exponent == 31)
    return floatOf(sign | 0x7f800000 | fraction << 13);
  if (exponent != 0)
    return floatOf(sign | (exponent + 112) << 23 | fraction << 13);
  float magnitude = static_cast<float>(fraction) * 0x1p-24F;
  return sign != 0 ? -magnitude : magnitude;
}

/// Nearest, ties to even; what is no number becomes 0x7fff, as cvt gives it.
inline std::uint16_t toF16(float x) {
  std::uint32_t bits = bitsOf(x), magnitude = bits & 0x7fffffff;
  std::uint16_t sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  if (magnitude > 0x7f800000)
    return 0x7fff;
  if (magnitude >= 0x477ff000) // 65520 and more
    return sign | 0x7c00;
  if (magnitude < 0x38800000) { // below 2^-14: multiples of 2^-24, which adding 1/2 rounds to
    std::uint32_t rounded = bitsOf(floatOf(magnitude) + 0.5F) - bitsOf(0.5F);
    return static_cast<std::uint16_t>(sign | rounded);
  }
  std::uint32_t rounded = magnitude - (112U << 23) + 0xfff + (magnitude >> 13 & 1);
  return static_cast<std::uint16_t>(sign | rounded >> 13);
}

/// Ten bits behind the point, nearest, ties away from zero.
inline std::uint32_t toTF32(float x) {
  std::uint32_t bits = bitsOf(x);
  if ((bits & 0x7fffffff) >= 0x7f800000)
    return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : bits;
  return (bits + 0x1000) & 0xffffe000;
}

/// The product's view of a register: its lowest 13 bits do not count.
inline float fromTF32(std::uint32_t bits) { return floatOf(bits & 0xffffe000); }

inline float flushed(float x) { return (bitsOf(x) & 0x7f800000) == 0 ? floatOf(bitsOf(x) & 0x80000000) : x; }
inline float exp2Flushed(float x) { return flushed(__builtin_exp2f(flushed(x))); }

} // namespace linmu::emulation
