#include "runtime/core/dtype.h"

namespace linmu {

std::string_view name(DType type) {
  switch (type) {
  case DType::f32:
    return "f32";
  case DType::bf16:
    return "bf16";
  case DType::f16:
    return "f16";
  case DType::i32:
    return "i32";
  case DType::i1:
    return "i1";
  }
  return "unknown";
}

} // namespace linmu
