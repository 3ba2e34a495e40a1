#include "models/io/packed_rows.h"
#include "models/io/dequantize.h"
#include "runtime/core/error.h"
#include "runtime/io/mapped_file.h"
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace linmu::models {

bool PackedRows::has(GgufTensorType type) {
  return type == GgufTensorType::q4_0 || type == GgufTensorType::q4_1 || type == GgufTensorType::q8_0;
}

PackedRows::PackedRows(std::shared_ptr<const GgufFile> file, const GgufTensor &tensor,
                       std::vector<std::int64_t> order)
    : file_(std::move(file)), tensor_(tensor), order_(std::move(order)) {
  if (!has(tensor_.type) || tensor_.shape.size() != 2)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("packed rows require two dimensions of Q4_0, Q4_1 or Q8_0, got {} of the type {}",
                            tensor_.shape.size(), static_cast<std::uint32_t>(tensor_.type)));
}

std::span<const std::byte> PackedRows::bytesOfRow(std::int64_t row) const {
  std::size_t size = tensor_.bytes.size() / static_cast<std::size_t>(rows());
  return tensor_.bytes.subspan(static_cast<std::size_t>(order_.empty() ? row : order_[row]) * size, size);
}

PackedGroup PackedRows::groupOf(std::int64_t row, std::int64_t group) const {
  const std::int64_t size = blockOf(tensor_.type).bytes;
  const auto *block = reinterpret_cast<const std::uint8_t *>(bytesOfRow(row).data()) + group * size;
  auto halfAt = [&](int offset) {
    std::uint16_t bits;
    std::memcpy(&bits, block + offset, 2);
    return halfToFloat(bits);
  };
  PackedGroup result;
  result.scale = halfAt(0);
  result.offset = 0;
  if (tensor_.type == GgufTensorType::q8_0) {
    // As a whole number from 0: q + 128.
    for (int i = 0; i < 32; ++i)
      result.quants[i] = block[2 + i] ^ 0x80;
    result.offset = -128 * result.scale;
    return result;
  }
  const std::uint8_t *nibbles = block + 2;
  if (tensor_.type == GgufTensorType::q4_1) {
    result.offset = halfAt(2);
    nibbles += 2;
  } else
    result.offset = -8 * result.scale;
  for (int i = 0; i < 16; ++i) {
    result.quants[i] = nibbles[i] & 15;
    result.quants[i + 16] = nibbles[i] >> 4;
  }
  return result;
}

void PackedRows::dequantizeRow(std::int64_t row, std::span<float> values) const {
  dequantize({tensor_.type, {1, columns()}, bytesOfRow(row)}, values);
}

void PackedRows::leavePages() const { MappedFile::leavePages(tensor_.bytes); }

} // namespace linmu::models
