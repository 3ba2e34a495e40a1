// Operands of a kernel on the host, drawn: for tests that ask how a call runs, not what it computes.
#pragma once
#include "runtime/core/kernel.h"
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

namespace linmu::test {

class EmulatedCall {
public:
  /// One sequence of `tokens` tokens; operands of floats in (0, 1).
  EmulatedCall(const Kernel &kernel, std::int64_t tokens) : kernel(kernel) {
    for (const OperandSpec &spec : kernel.signature().inputs)
      inputs.push_back(view(spec, tokens));
    for (const OperandSpec &spec : kernel.signature().results)
      results.push_back(view(spec, tokens));
  }

  void run() { kernel(inputs, results); }

private:
  TensorView view(const OperandSpec &spec, std::int64_t tokens) {
    if (spec.dtype != DType::f32)
      throw std::invalid_argument("operand '" + spec.name + "' is not f32");
    std::vector<std::int64_t> sizes;
    std::int64_t count = 1;
    for (const Extent &extent : spec.shape) {
      sizes.push_back(extent.kind == Extent::constant ? extent.value
                      : extent.kind == Extent::tokens ? tokens
                                                      : 1);
      count *= sizes.back();
    }
    // new aligns to 16 bytes, as operands must be.
    std::vector<float> &values = memory.emplace_back(static_cast<std::size_t>(count));
    for (float &value : values)
      value = std::uniform_real_distribution<float>(0.1F, 0.9F)(random);
    TensorView result;
    result.data = values.data();
    result.dtype = spec.dtype;
    result.rank = static_cast<int>(sizes.size());
    std::int64_t stride = 1;
    for (int axis = result.rank; axis-- > 0;) {
      result.sizes[axis] = sizes[static_cast<std::size_t>(axis)];
      result.strides[axis] = stride;
      stride *= result.sizes[axis];
    }
    return result;
  }

  Kernel kernel;
  std::mt19937 random{7};
  std::vector<std::vector<float>> memory;
  std::vector<TensorView> inputs, results;
};

} // namespace linmu::test
