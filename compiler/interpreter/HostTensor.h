// A tensor in host memory as plain numbers: what the interpreter takes and gives. No MLIR type.
#pragma once
#include "runtime/core/dtype.h"
#include <vector>

namespace linmu {

/// Row-major elements as doubles, whatever the storage type: values of `dtype` are held exactly, i1 as 0
/// or 1. Results of the interpreter are not rounded to `dtype`.
struct HostTensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<double> elements;
};

} // namespace linmu
