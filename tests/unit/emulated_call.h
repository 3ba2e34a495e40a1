// Operands of a kernel on the host, drawn: for tests that ask how a call runs, not what it computes.
#pragma once
#include "compiler/target/cuda/emulation/Numbers.h"
#include "runtime/core/kernel.h"
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

namespace linmu::test {

class EmulatedCall {
public:
  /// One sequence of `tokens` tokens; operands of floats in (0, 1), `wide` ones in (-900, 900), of which
  /// decays are small. A media table is one item of (first token, t, h, w).
  EmulatedCall(const Kernel &kernel, std::int64_t tokens, std::array<std::int32_t, 4> item = {0, 1, 1, 1},
               bool finite = true, bool wide = false)
      : kernel(kernel), item(item), finite(finite), wide(wide) {
    for (const OperandSpec &spec : kernel.signature().inputs)
      inputs.push_back(view(spec, tokens));
    for (const OperandSpec &spec : kernel.signature().results)
      results.push_back(view(spec, tokens));
  }

  void run() { kernel(inputs, results); }

private:
  TensorView view(const OperandSpec &spec, std::int64_t tokens) {
    std::vector<std::int64_t> sizes;
    std::int64_t count = 1;
    for (const Extent &extent : spec.shape) {
      sizes.push_back(extent.kind == Extent::constant ? extent.value
                      : extent.kind == Extent::tokens ? tokens
                                                      : 1);
      count *= sizes.back();
    }
    // new aligns to 16 bytes, as operands must be.
    std::vector<std::byte> &bytes = memory.emplace_back(static_cast<std::size_t>(count) * sizeOf(spec.dtype));
    for (std::size_t element = 0; element < static_cast<std::size_t>(count); ++element)
      write(spec, bytes.data(), element, finite || element != static_cast<std::size_t>(count / 2));
    TensorView result;
    result.data = bytes.data();
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

  void write(const OperandSpec &spec, std::byte *bytes, std::size_t element, bool number) {
    float value = std::uniform_real_distribution<float>(wide ? -900.F : 0.1F, wide ? 900.F : 0.9F)(random);
    if (!number)
      value = std::numeric_limits<float>::quiet_NaN();
    auto keep = [&](auto kept) { std::memcpy(bytes + element * sizeof(kept), &kept, sizeof(kept)); };
    if (spec.content == OperandSpec::mediaTable)
      keep(item.at(element));
    else if (spec.dtype == DType::f32)
      keep(value);
    else if (spec.dtype == DType::bf16)
      keep(emulation::toBF16(value));
    else if (spec.dtype == DType::f16)
      keep(emulation::toF16(value));
    else
      throw std::invalid_argument("operand '" + spec.name + "' is neither of floats nor a media table");
  }

  Kernel kernel;
  std::array<std::int32_t, 4> item;
  bool finite, wide;
  std::mt19937 random{7};
  std::vector<std::vector<std::byte>> memory;
  std::vector<TensorView> inputs, results;
};

} // namespace linmu::test
