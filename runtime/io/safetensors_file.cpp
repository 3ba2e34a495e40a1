#include "runtime/io/safetensors_file.h"
#include "runtime/core/error.h"
#include "runtime/io/json_nesting.h"
#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace linmu {
namespace {

using nlohmann::json;
static_assert(std::endian::native == std::endian::little, "weight files are little-endian");

// The format's own limit, so that a lying length cannot ask for more.
constexpr std::uint64_t maxHeaderBytes = 100'000'000;

[[noreturn]] void corrupt(const std::filesystem::path &path, const std::string &message) {
  throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", path.string(), message));
}

/// Refuses a repeated key, which a plain parse would silently resolve to the last one.
json parseStrictly(const std::filesystem::path &path, const char *begin, const char *end) {
  if (nestsTooDeeply({begin, end}))
    corrupt(path, fmt::format("the header nests lists and objects deeper than {} levels", deepest_json));
  std::vector<std::set<std::string>> keys;
  std::string repeated;
  auto watch = [&](int, json::parse_event_t event, json &parsed) {
    if (event == json::parse_event_t::object_start)
      keys.emplace_back();
    else if (event == json::parse_event_t::object_end)
      keys.pop_back();
    else if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      repeated = parsed.get<std::string>();
    return true;
  };
  try {
    json header = json::parse(begin, end, watch);
    if (!repeated.empty())
      corrupt(path, fmt::format("the header names '{}' twice", repeated));
    return header;
  } catch (const json::exception &error) {
    corrupt(path, fmt::format("the header is not valid JSON: {}", error.what()));
  }
}

std::vector<std::uint64_t> unsignedList(const std::filesystem::path &path, const std::string &tensor,
                                        const json &entry, const char *field) {
  auto found = entry.find(field);
  if (found == entry.end() || !found->is_array())
    corrupt(path, fmt::format("tensor '{}' requires a list '{}'", tensor, field));
  std::vector<std::uint64_t> values;
  for (const json &value : *found) {
    if (!value.is_number_unsigned())
      corrupt(path, fmt::format("tensor '{}': '{}' must hold integers from 0, got {}", tensor, field,
                                value.dump(-1, ' ', true, json::error_handler_t::replace)));
    values.push_back(value.get<std::uint64_t>());
  }
  return values;
}

StoredTensor readEntry(const std::filesystem::path &path, const std::string &name, const json &entry,
                       std::span<const std::byte> data, std::uint64_t &begin) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string())
    corrupt(path, fmt::format("tensor '{}' requires a 'dtype', a 'shape' and 'data_offsets'", name));
  StoredTensor tensor;
  auto type_name = entry["dtype"].get<std::string>();
  auto type = storedTypeNamed(type_name);
  if (!type)
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: tensor '{}' has the dtype '{}', which is not supported", path.string(), name,
                            type_name));
  tensor.type = *type;

  std::uint64_t expected = sizeOf(*type);
  for (std::uint64_t extent : unsignedList(path, name, entry, "shape")) {
    if (extent > INT64_MAX || __builtin_mul_overflow(expected, extent, &expected))
      corrupt(path,
              fmt::format("tensor '{}': the product of its shape overflows at extent {}", name, extent));
    tensor.shape.push_back(static_cast<std::int64_t>(extent));
  }
  auto offsets = unsignedList(path, name, entry, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size())
    corrupt(path, fmt::format("tensor '{}': data_offsets [{}] are outside the data of {} bytes", name,
                              fmt::join(offsets, ", "), data.size()));
  if (offsets[1] - offsets[0] != expected)
    corrupt(path,
            fmt::format("tensor '{}': dtype {} and shape [{}] require {} bytes, data_offsets give {}", name,
                        type_name, fmt::join(tensor.shape, ", "), expected, offsets[1] - offsets[0]));
  begin = offsets[0];
  tensor.bytes = data.subspan(offsets[0], expected);
  return tensor;
}

} // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path &path) {
  SafetensorsFile file(path);
  std::span<const std::byte> bytes = file.file_.bytes();
  if (bytes.size() < 8)
    corrupt(path, fmt::format("a safetensors file requires at least 8 bytes, got {}", bytes.size()));
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  if (header_bytes > maxHeaderBytes || header_bytes > bytes.size() - 8)
    corrupt(path, fmt::format("the header claims {} bytes, the file has {} after its first 8", header_bytes,
                              bytes.size() - 8));
  const char *text = reinterpret_cast<const char *>(bytes.data()) + 8;
  json header = parseStrictly(path, text, text + header_bytes);
  if (!header.is_object())
    corrupt(path, "the header must be a JSON object");

  std::span<const std::byte> data = bytes.subspan(8 + header_bytes);
  struct Range {
    std::uint64_t begin, end;
    std::string name;
  };
  std::vector<Range> ranges;
  for (const auto &[name, entry] : header.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object())
        corrupt(path, "__metadata__ must be an object of strings");
      for (const auto &[key, value] : entry.items()) {
        if (!value.is_string())
          corrupt(path, fmt::format("__metadata__ '{}' must be a string", key));
        file.metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    std::uint64_t begin = 0;
    StoredTensor tensor = readEntry(path, name, entry, data, begin);
    ranges.push_back({begin, begin + tensor.bytes.size(), name});
    file.tensors_.emplace(name, std::move(tensor));
  }

  std::ranges::sort(ranges, [](const Range &a, const Range &b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t end = 0;
  for (const Range &range : ranges) {
    if (range.begin != end)
      corrupt(path, fmt::format("tensor '{}' starts at byte {} of the data, the tensor before it ends at {}",
                                range.name, range.begin, end));
    end = range.end;
  }
  if (end != data.size())
    corrupt(path,
            fmt::format("the tensors end at byte {} of the data, which has {} bytes", end, data.size()));
  return file;
}

const StoredTensor &SafetensorsFile::at(const std::string &name) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw Error(ErrorCode::invalidArgument, fmt::format("{} has no tensor '{}'", path_.string(), name));
  return found->second;
}

std::vector<SafetensorsFile> openSafetensorsModel(const std::filesystem::path &path) {
  std::vector<SafetensorsFile> shards;
  if (!std::filesystem::is_directory(path)) {
    shards.push_back(SafetensorsFile::open(path));
    return shards;
  }
  std::filesystem::path index_path = path / "model.safetensors.index.json";
  if (!std::filesystem::exists(index_path)) {
    shards.push_back(SafetensorsFile::open(path / "model.safetensors"));
    return shards;
  }

  MappedFile index_file(index_path);
  const char *text = reinterpret_cast<const char *>(index_file.bytes().data());
  json index = parseStrictly(index_path, text, text + index_file.bytes().size());
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    corrupt(index_path, "requires an object 'weight_map'");
  std::map<std::string, std::set<std::string>> by_shard;
  for (const auto &[tensor, shard] : index["weight_map"].items()) {
    // A shard lies beside its index; anything else could name any file of the machine.
    if (!shard.is_string() || std::filesystem::path(shard.get<std::string>()).has_parent_path())
      corrupt(index_path, fmt::format("tensor '{}' must name a file in the same folder", tensor));
    by_shard[shard.get<std::string>()].insert(tensor);
  }
  for (const auto &[shard, expected] : by_shard) {
    SafetensorsFile &file = shards.emplace_back(SafetensorsFile::open(path / shard));
    for (const std::string &tensor : expected)
      if (!file.tensors().contains(tensor))
        corrupt(index_path, fmt::format("places tensor '{}' in {}, which does not hold it", tensor, shard));
    for (const auto &[tensor, stored] : file.tensors())
      if (!expected.contains(tensor))
        corrupt(index_path, fmt::format("does not place tensor '{}' in {}, which holds it", tensor, shard));
  }
  return shards;
}

} // namespace linmu
