#include "runtime/io/safetensors_writer.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>

namespace linmu {
namespace {

void checkTensors(std::span<const TensorToStore> tensors) {
  std::set<std::string> names;
  for (const TensorToStore &tensor : tensors) {
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("the tensor name '{}' is reserved or repeated", tensor.name));
    std::uint64_t expected = sizeOf(tensor.type);
    for (std::int64_t extent : tensor.shape)
      if (extent < 0 || __builtin_mul_overflow(expected, static_cast<std::uint64_t>(extent), &expected))
        throw Error(ErrorCode::invalidArgument, fmt::format("tensor '{}': shape [{}] is not valid",
                                                            tensor.name, fmt::join(tensor.shape, ", ")));
    if (tensor.bytes.size() != expected)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("tensor '{}': dtype {} and shape [{}] require {} bytes, got {}", tensor.name,
                              name(tensor.type), fmt::join(tensor.shape, ", "), expected,
                              tensor.bytes.size()));
  }
}

} // namespace

void writeSafetensors(const std::filesystem::path &path, std::span<const TensorToStore> tensors,
                      const std::map<std::string, std::string> &metadata) {
  AtomicFile file(path);
  writeSafetensors(file, tensors, metadata);
}

void writeSafetensors(AtomicFile &file, std::span<const TensorToStore> tensors,
                      const std::map<std::string, std::string> &metadata) {
  checkTensors(tensors);
  // Wider elements first, so that each tensor is aligned to its element.
  std::vector<const TensorToStore *> order;
  for (const TensorToStore &tensor : tensors)
    order.push_back(&tensor);
  std::ranges::sort(order, [](auto *a, auto *b) {
    return std::pair(-sizeOf(a->type), a) < std::pair(-sizeOf(b->type), b); // pointers: the order given
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty())
    header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const TensorToStore *tensor : order) {
    header[tensor->name] = {{"dtype", name(tensor->type)},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->bytes.size()}}};
    offset += tensor->bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorCode::invalidArgument, fmt::format("a tensor name or metadata value: {}", error.what()));
  }
  text.append((8 - text.size() % 8) % 8, ' ');

  std::uint64_t header_bytes = text.size();
  file.write(&header_bytes, 8);
  file.write(text.data(), text.size());
  for (const TensorToStore *tensor : order)
    file.write(tensor->bytes.data(), tensor->bytes.size());
  file.commit();
}

} // namespace linmu
