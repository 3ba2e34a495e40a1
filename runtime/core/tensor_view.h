// A borrowed, strided view of memory: how callers hand tensors to kernels.
#pragma once
#include "runtime/core/device.h"
#include "runtime/core/dtype.h"
#include <array>
#include <cstdint>

namespace linmu {

/// Does not own `data`. `strides` count elements, may be anything that fits 64 bits except along the last
/// dimension, which must be contiguous; a view of one fused projection therefore needs no copy.
struct TensorView {
  static constexpr int maxRank = 6;
  void *data = nullptr;
  DType dtype = DType::f32;
  int rank = 0;
  std::array<std::int64_t, maxRank> sizes{};
  std::array<std::int64_t, maxRank> strides{};
  Device device{};
};

} // namespace linmu
