// Elements of tensors in memory as doubles and back, rounding to nearest even.
#pragma once
#include "runtime/core/dtype.h"
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace linmu {

namespace detail {

/// A binary float of 16 bits with `fraction` bits of fraction, as f16 (10) and bf16 (7) are.
inline double readHalf(std::uint16_t bits, int fraction) {
  int exponentBits = 15 - fraction, bias = (1 << (exponentBits - 1)) - 1;
  int exponent = (bits & 0x7fff) >> fraction, mantissa = bits & ((1 << fraction) - 1);
  double magnitude = exponent == (1 << exponentBits) - 1 ? (mantissa ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(mantissa, 1 - bias - fraction)
                                     : std::ldexp(mantissa + (1 << fraction), exponent - bias - fraction);
  return bits & 0x8000 ? -magnitude : magnitude;
}

inline std::uint16_t roundHalf(double value, int fraction) {
  int exponentBits = 15 - fraction, bias = (1 << (exponentBits - 1)) - 1, top = (1 << exponentBits) - 1;
  std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value))
    return std::uint16_t(sign | (top << fraction) | (1 << (fraction - 1)));
  double magnitude = std::abs(value);
  int exponent = magnitude == 0 || std::isinf(magnitude) ? 0 : std::max(std::ilogb(magnitude), 1 - bias);
  // In units of the last place; rounding up into the next exponent carries over in the bits by itself.
  double units =
      std::isinf(magnitude) ? INFINITY : std::nearbyint(std::ldexp(magnitude, fraction - exponent));
  double bits = magnitude == 0 ? 0 : units + std::ldexp(exponent + bias - 1, fraction);
  return std::uint16_t(sign | (bits >= std::ldexp(top, fraction) ? top << fraction : int(bits)));
}

template <typename T> T loadAs(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

} // namespace detail

inline double readElement(const std::byte *from, DType type) {
  switch (type) {
  case DType::f32:
    return detail::loadAs<float>(from);
  case DType::bf16:
    return detail::readHalf(detail::loadAs<std::uint16_t>(from), 7);
  case DType::f16:
    return detail::readHalf(detail::loadAs<std::uint16_t>(from), 10);
  case DType::i32:
    return detail::loadAs<std::int32_t>(from);
  case DType::i1:
    return detail::loadAs<std::uint8_t>(from) != 0;
  }
  return NAN;
}

inline void writeElement(std::byte *to, DType type, double value) {
  auto store = [&](auto element) { std::memcpy(to, &element, sizeof element); };
  switch (type) {
  case DType::f32:
    return store(float(value));
  case DType::bf16:
    return store(detail::roundHalf(value, 7));
  case DType::f16:
    return store(detail::roundHalf(value, 10));
  case DType::i32:
    return store(std::int32_t(value));
  case DType::i1:
    return store(std::uint8_t(value != 0));
  }
}

} // namespace linmu
