// Element types that operands of a kernel may have.
#pragma once
#include <cstdint>
#include <string_view>

namespace linmu {

/// i1 is one byte per element, 0 or 1, as torch.bool and numpy.bool_ store it.
enum class DType : std::uint8_t { f32, bf16, f16, i32, i1 };

constexpr std::int64_t sizeOf(DType type) {
  switch (type) {
  case DType::f32:
  case DType::i32:
    return 4;
  case DType::bf16:
  case DType::f16:
    return 2;
  case DType::i1:
    return 1;
  }
  return 0;
}

/// "f32", "bf16", "f16", "i32", "i1".
std::string_view name(DType type);

} // namespace linmu
