// Kernel packages and entries of the cache, whose checksums are made right first.
#include "runtime/core/byte_stream.h"
#include "runtime/core/error.h"
#include "runtime/core/package.h"
#include "runtime/core/package_validate.h"
#include "runtime/jit/cache_entry.h"
#include "tests/fuzzers/fuzz_input.h"
#include <cstring>
#include <vector>

namespace linmu::test {
namespace {

/// Writes the checksum of what is behind it at `place`.
std::vector<std::byte> withChecksum(Bytes bytes, std::size_t place) {
  std::vector<std::byte> result(bytes.begin(), bytes.end());
  if (result.size() >= place + sizeof(std::uint64_t)) {
    const std::uint64_t sum = checksum(std::span(result).subspan(place + sizeof sum));
    std::memcpy(result.data() + place, &sum, sizeof sum);
  }
  return result;
}

} // namespace

void fuzz(Bytes bytes) {
  // A package: magic, version, checksum. An entry: magic, checksum, identity, content.
  try {
    const Package package = deserialize(withChecksum(bytes, 12), "input");
    validate(package, "input");
    if (deserialize(serialize(package), "input").key != package.key)
      std::abort();
  } catch (const Error &error) {
    checkMessage(error.what());
  }
  try {
    if (auto content = jit::deserializeEntry(withChecksum(bytes, 8), "identity", "input"))
      touch(*content);
  } catch (const Error &error) {
    checkMessage(error.what());
  }
}

} // namespace linmu::test
