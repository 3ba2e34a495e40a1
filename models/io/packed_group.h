// Weights of few bits that share a scale and an offset.
#pragma once
#include <array>
#include <cstdint>

namespace linmu::models {

/// 32 neighbours of a row: w = scale * q + offset, with whole numbers q from 0.
struct PackedGroup {
  static constexpr int size = 32;
  std::array<std::uint8_t, size> quants{};
  float scale = 0, offset = 0;
};

} // namespace linmu::models
