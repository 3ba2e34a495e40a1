// The rows of a quantised matrix, as they lie in a GGUF file.
#pragma once
#include "models/io/gguf_file.h"
#include "models/io/packed_group.h"
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace linmu::models {

class PackedRows {
public:
  /// Whether tensors of this type consist of such groups: Q4_0, Q4_1 and Q8_0.
  static bool has(GgufTensorType type);

  /// `tensor`, of two dimensions and such a type, of `file`. Row i is the file's row `order[i]`, or i
  /// without.
  PackedRows(std::shared_ptr<const GgufFile> file, const GgufTensor &tensor, std::vector<std::int64_t> order);

  std::int64_t rows() const { return tensor_.shape[0]; }
  std::int64_t columns() const { return tensor_.shape[1]; }
  /// Of a weight: 4 or 8.
  int bits() const { return tensor_.type == GgufTensorType::q8_0 ? 8 : 4; }

  /// Group `group` < columns() / 32 of row `row`.
  PackedGroup groupOf(std::int64_t row, std::int64_t group) const;
  /// Writes columns() values.
  void dequantizeRow(std::int64_t row, std::span<float> values) const;
  /// Takes the file's pages out of this process's memory until they are read again.
  void leavePages() const;

private:
  std::span<const std::byte> bytesOfRow(std::int64_t row) const;
  std::shared_ptr<const GgufFile> file_;
  GgufTensor tensor_;
  std::vector<std::int64_t> order_;
};

} // namespace linmu::models
