// Weights of a file as f32.
#pragma once
#include "models/io/gguf_file.h"
#include <cstdint>
#include <span>

namespace linmu::models {

/// Writes `tensor.elements()` values. The formulas of ggml's reference `dequantize_row_*`: a block of 32 is
/// d * q (Q8_0), d * (q - 8) (Q4_0) or d * q + m (Q4_1); a block of 256 of Q6_K has one signed scale per 16.
/// Throws Error(invalidArgument) if `values` has another size.
void dequantize(const GgufTensor &tensor, std::span<float> values);

float halfToFloat(std::uint16_t bits);
float bfloat16ToFloat(std::uint16_t bits);

} // namespace linmu::models
