#include "runtime/io/safetensors_writer.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

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
        throw Error(ErrorCode::invalidArgument,
                    fmt::format("tensor '{}': shape [{}] is not valid", tensor.name, fmt::join(tensor.shape, ", ")));
    if (tensor.bytes.size() != expected)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("tensor '{}': dtype {} and shape [{}] require {} bytes, got {}", tensor.name,
                              name(tensor.type), fmt::join(tensor.shape, ", "), expected, tensor.bytes.size()));
  }
}

/// The file under its temporary name; removes it unless it was renamed.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::filesystem::path &target)
      : target_(target), name_(target.string() + ".XXXXXX") {
    descriptor_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (descriptor_ < 0)
      fail();
  }
  ~TemporaryFile() {
    if (descriptor_ < 0)
      return;
    ::close(descriptor_);
    ::unlink(name_.c_str());
  }
  void write(const void *data, std::size_t size) {
    const char *next = static_cast<const char *>(data);
    while (size > 0) {
      ssize_t written = ::write(descriptor_, next, size);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        fail();
      next += written;
      size -= written;
    }
  }
  void rename() {
    mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor_, 0666 & ~mask) != 0 || ::fsync(descriptor_) != 0 ||
        ::rename(name_.c_str(), target_.c_str()) != 0)
      fail();
    ::close(descriptor_);
    descriptor_ = -1;
  }

private:
  [[noreturn]] void fail() {
    int error = errno;
    if (descriptor_ >= 0) {
      ::close(descriptor_);
      ::unlink(name_.c_str());
      descriptor_ = -1;
    }
    throw Error(ErrorCode::io, fmt::format("cannot write {}: {}", target_.string(),
                                           std::generic_category().message(error)));
  }
  std::filesystem::path target_;
  std::string name_;
  int descriptor_ = -1;
};

} // namespace

void writeSafetensors(const std::filesystem::path &path, std::span<const TensorToStore> tensors,
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

  TemporaryFile file(path);
  std::uint64_t header_bytes = text.size();
  file.write(&header_bytes, 8);
  file.write(text.data(), text.size());
  for (const TensorToStore *tensor : order)
    file.write(tensor->bytes.data(), tensor->bytes.size());
  file.rename();
}

} // namespace linmu
