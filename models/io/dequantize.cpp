#include "models/io/dequantize.h"
#include "runtime/core/error.h"
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <cstring>
#include <fmt/format.h>

namespace linmu::models {
namespace {

std::uint16_t halfBits(const std::uint8_t *bytes) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes, 2);
  return bits;
}

// The low nibbles of a block of 32 are its first half, the high ones its second.
void dequantizeQ4_0(const std::uint8_t *block, float *values) {
  float scale = halfToFloat(halfBits(block));
  for (int i = 0; i < 16; ++i) {
    values[i] = static_cast<float>((block[2 + i] & 15) - 8) * scale;
    values[i + 16] = static_cast<float>((block[2 + i] >> 4) - 8) * scale;
  }
}

void dequantizeQ4_1(const std::uint8_t *block, float *values) {
  float scale = halfToFloat(halfBits(block)), minimum = halfToFloat(halfBits(block + 2));
  for (int i = 0; i < 16; ++i) {
    values[i] = static_cast<float>(block[4 + i] & 15) * scale + minimum;
    values[i + 16] = static_cast<float>(block[4 + i] >> 4) * scale + minimum;
  }
}

void dequantizeQ8_0(const std::uint8_t *block, float *values) {
  float scale = halfToFloat(halfBits(block));
  for (int i = 0; i < 32; ++i)
    values[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * scale;
}

// 128 bytes of low nibbles, 64 bytes of high pairs, 16 scales, then the block's scale; each half of the
// block has its 128 values as four rows of 32 that share the bytes of one row.
void dequantizeQ6_K(const std::uint8_t *block, float *values) {
  float block_scale = halfToFloat(halfBits(block + 208));
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t *low = block + 64 * half, *high = block + 128 + 32 * half;
    const auto *scales = reinterpret_cast<const std::int8_t *>(block + 192 + 8 * half);
    for (int row = 0; row < 4; ++row)
      for (int i = 0; i < 32; ++i) {
        int nibble = (low[i + 32 * (row % 2)] >> (row < 2 ? 0 : 4)) & 15;
        int quantized = (nibble | ((high[i] >> (2 * row)) & 3) << 4) - 32;
        int group = 2 * row + i / 16;
        float scale = block_scale * static_cast<float>(scales[group]);
        values[128 * half + 32 * row + i] = scale * static_cast<float>(quantized);
      }
  }
}

} // namespace

float halfToFloat(std::uint16_t bits) { return c10::detail::fp16_ieee_to_fp32_value(bits); }

float bfloat16ToFloat(std::uint16_t bits) { return c10::detail::f32_from_bits(bits); }

void dequantize(const GgufTensor &tensor, std::span<float> values) {
  if (static_cast<std::int64_t>(values.size()) != tensor.elements())
    throw Error(ErrorCode::invalidArgument, fmt::format("dequantize requires room for {} values, got {}",
                                                        tensor.elements(), values.size()));
  GgufBlock block = blockOf(tensor.type);
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(tensor.bytes.data());
  float *out = values.data();
  for (float *end = out + values.size(); out != end; out += block.elements, bytes += block.bytes) {
    switch (tensor.type) {
    case GgufTensorType::f32:
      std::memcpy(out, bytes, 4);
      break;
    case GgufTensorType::f16:
      *out = halfToFloat(halfBits(bytes));
      break;
    case GgufTensorType::bf16:
      *out = bfloat16ToFloat(halfBits(bytes));
      break;
    case GgufTensorType::q4_0:
      dequantizeQ4_0(bytes, out);
      break;
    case GgufTensorType::q4_1:
      dequantizeQ4_1(bytes, out);
      break;
    case GgufTensorType::q8_0:
      dequantizeQ8_0(bytes, out);
      break;
    case GgufTensorType::q6_k:
      dequantizeQ6_K(bytes, out);
      break;
    }
  }
}

} // namespace linmu::models
