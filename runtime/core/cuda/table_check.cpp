#include "runtime/core/cuda/table_check.h"
#include "runtime/core/content_check.h"
#include "runtime/core/cuda/driver.h"
#include "runtime/core/error.h"
#include <vector>

namespace linmu::cuda {

namespace {

/// One table on the host, its rows one after the other.
void checkOne(const Signature &signature, const OperandSpec &spec, const TensorView &table,
              std::int64_t tokens, Stream stream) {
  const Driver &driver = Driver::instance();
  const std::string what =
      "reading operand '" + spec.name + "' of pattern '" + signature.name + "' to check it";
  bool is_row = table.rank == 1;
  std::int64_t rows = is_row ? 1 : table.sizes[0], width = is_row ? table.sizes[0] : table.sizes[1];
  std::vector<std::int32_t> entries(std::size_t(rows * width));
  for (std::int64_t row = 0; row < rows && width > 0; ++row)
    driver.check(
        driver.copy_to_host_async(
            entries.data() + row * width,
            reinterpret_cast<DevicePointer>(static_cast<std::int32_t *>(table.data) + row * table.strides[0]),
            std::size_t(width) * sizeof(std::int32_t), stream),
        what);
  driver.check(driver.stream_synchronize(stream), what);
  TensorView host = table;
  host.data = entries.data();
  host.strides = {1};
  if (!is_row)
    host.strides = {width, 1};
  host.device = {};
  checkContent(signature, spec, host, tokens);
}

} // namespace

void checkTables(const Signature &signature, const Symbols &symbols, std::span<const TensorView> inputs,
                 void *stream) {
  const Driver &driver = Driver::instance();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const OperandSpec &spec = signature.inputs[i];
    if (spec.content == OperandSpec::values)
      continue;
    int capture = abi::capture_none;
    driver.check(driver.stream_capturing(static_cast<Stream>(stream), &capture),
                 "asking whether the stream captures a graph");
    if (capture != abi::capture_none)
      throw Error(
          ErrorCode::invalidArgument,
          "operand '" + spec.name + "' of pattern '" + signature.name +
              "': LINMU_CHECK_TABLES=1 waits for its entries, which a stream that captures a graph cannot",
          "unset it, and check the table with checkTable() where it is made");
    checkOne(signature, spec, inputs[i], symbols.tokens, static_cast<Stream>(stream));
  }
}

} // namespace linmu::cuda
