#include "runtime/jit/index_entry.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/cpu_features.h"
#include <cstdint>
#include <cstdio>

namespace linmu::jit {

namespace {
constexpr std::uint64_t magic = 0x31584449554d4e4c; // "LNMUIDX1"

void writeMap(ByteWriter &out, const std::map<std::string, std::string> &map) {
  out.writeCount(map.size());
  for (const auto &[key, value] : map) {
    out.writeText(key);
    out.writeText(value);
  }
}
} // namespace

std::string textIdentity(std::string_view source, const CompileOptions &options,
                         const std::string &build_identity) {
  ByteWriter out;
  out.writeText(build_identity);
  out.writeText(cpuIdentity());
  out.writeText(options.function);
  writeMap(out, options.aliases);
  writeMap(out, options.schedule);
  out.writeText(source);
  std::vector<std::byte> bytes = out.take();
  return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

std::string indexName(const std::string &identity) {
  char name[32];
  std::snprintf(name, sizeof name, "%016llx.index",
                static_cast<unsigned long long>(checksum(std::as_bytes(std::span(identity)))));
  return name;
}

std::vector<std::byte> serializeIndex(const std::string &identity, std::span<const std::byte> description) {
  ByteWriter body;
  body.writeText(identity);
  body.writeBytes(description);
  std::vector<std::byte> fields = body.take();
  ByteWriter header;
  header.write(magic);
  header.write(checksum(fields));
  std::vector<std::byte> bytes = header.take();
  bytes.insert(bytes.end(), fields.begin(), fields.end());
  return bytes;
}

std::optional<Package> deserializeIndex(std::span<const std::byte> bytes, const std::string &identity,
                                        const std::string &origin) {
  ByteReader in(bytes, origin);
  if (in.read<std::uint64_t>() != magic)
    in.fail("is not an index entry");
  if (in.read<std::uint64_t>() != checksum(in.rest()))
    in.fail("the checksum does not fit the content");
  if (in.readText() != identity)
    return std::nullopt;
  auto description = in.readBytes();
  in.requireEnd();
  return deserialize(description, origin);
}

} // namespace linmu::jit
