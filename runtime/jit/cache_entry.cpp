#include "runtime/jit/cache_entry.h"
#include "runtime/core/cpu_features.h"
#include <cstdint>
#include <cstdio>

namespace linmu::jit {

namespace {
constexpr std::uint64_t magic = 0x32544e45554d4e4c; // "LNMUENT2"

void writeMap(ByteWriter &out, const std::map<std::string, std::string> &map) {
  out.writeCount(map.size());
  for (const auto &[key, value] : map) {
    out.writeText(key);
    out.writeText(value);
  }
}

void writeNames(ByteWriter &out, const std::vector<std::string> &names) {
  out.writeCount(names.size());
  for (const std::string &name : names)
    out.writeText(name);
}
} // namespace

std::string textOf(ByteWriter &out) {
  std::vector<std::byte> bytes = out.take();
  return std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

std::string textIdentity(std::string_view source, const CompileOptions &options, const std::string &target,
                         const std::string &build_identity) {
  ByteWriter out;
  out.writeText(build_identity);
  out.writeText(cpuIdentity());
  out.writeText(target);
  out.writeText(options.function);
  writeMap(out, options.aliases);
  writeMap(out, options.schedule);
  out.writeCount(options.gradient ? 1 : 0);
  if (options.gradient) {
    writeNames(out, options.gradient->wrt);
    writeNames(out, options.gradient->of);
  }
  out.writeText(source);
  return textOf(out);
}

std::string entryName(const std::string &identity, const char *suffix) {
  char hash[20];
  std::snprintf(hash, sizeof hash, "%016llx",
                static_cast<unsigned long long>(checksum(std::as_bytes(std::span(identity)))));
  return std::string(hash) + "." + suffix;
}

std::vector<std::byte> serializeEntry(const std::string &identity, std::span<const std::byte> content) {
  ByteWriter body;
  body.writeText(identity);
  body.writeBytes(content);
  std::vector<std::byte> fields = body.take();
  ByteWriter header;
  header.write(magic);
  header.write(checksum(fields));
  std::vector<std::byte> bytes = header.take();
  bytes.insert(bytes.end(), fields.begin(), fields.end());
  return bytes;
}

std::optional<std::vector<std::byte>>
deserializeEntry(std::span<const std::byte> bytes, const std::string &identity, const std::string &origin) {
  ByteReader in(bytes, origin);
  if (in.read<std::uint64_t>() != magic)
    in.fail("is not an entry of the kernel cache");
  if (in.read<std::uint64_t>() != checksum(in.rest()))
    in.fail("the checksum does not fit the content");
  if (in.readText() != identity)
    return std::nullopt;
  auto content = in.readBytes();
  in.requireEnd();
  return std::vector<std::byte>(content.begin(), content.end());
}

} // namespace linmu::jit
