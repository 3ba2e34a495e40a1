// Models that gguf-split cut into files: the first has all metadata, each says which it is and of how many.
#include "models/io/gguf_file.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace linmu::models {
namespace {

constexpr std::string_view numberKey = "split.no", countKey = "split.count",
                           tensorsKey = "split.tensors.count";

std::string ending(std::int64_t index, std::int64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", index + 1, count);
}

[[noreturn]] void corrupt(const std::filesystem::path &path, const std::string &message) {
  throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", path.string(), message));
}

} // namespace

GgufFile GgufFile::open(const std::filesystem::path &path) {
  GgufFile file = openOne(path);
  if (file.has(countKey) && file.integer(countKey) != 1)
    file.openOthers();
  return file;
}

void GgufFile::openOthers() {
  std::int64_t count = integer(countKey);
  if (count < 1 || count > 99999)
    corrupt(path_, fmt::format("'{}' must be 1 to 99999, got {}", countKey, count));
  std::string name = path_.filename().string();
  if (std::int64_t number = integer(numberKey); number != 0)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{} is file {} of {} of a model", path_.string(), number + 1, count),
                fmt::format("give the first, whose name ends with {}", ending(0, count)));
  if (!name.ends_with(ending(0, count)))
    corrupt(path_,
            fmt::format("the name of the first of {} files must end with {}", count, ending(0, count)));
  std::string stem = name.substr(0, name.size() - ending(0, count).size());
  for (std::int64_t index = 1; index < count; ++index) {
    std::filesystem::path path = path_.parent_path() / (stem + ending(index, count));
    GgufFile other = openOne(path);
    if (other.integer(numberKey) != index || other.integer(countKey) != count)
      corrupt(path, fmt::format("says that it is file {} of {}, its name that it is {} of {}",
                                other.integer(numberKey) + 1, other.integer(countKey), index + 1, count));
    for (const auto &[key, value] : other.metadata_)
      if (!key.starts_with("split.") && !key.starts_with("general."))
        corrupt(path, fmt::format("metadata '{}' must be in the first file", key));
    for (const auto &[tensor_name, tensor] : other.tensors_)
      if (!tensors_.emplace(tensor_name, tensor).second)
        corrupt(path, fmt::format("tensor '{}' is in another file as well", tensor_name));
    files_.insert(files_.end(), std::make_move_iterator(other.files_.begin()),
                  std::make_move_iterator(other.files_.end()));
  }
  if (has(tensorsKey) && integer(tensorsKey) != static_cast<std::int64_t>(tensors_.size()))
    corrupt(path_, fmt::format("'{}' is {}, the files have {} tensors", tensorsKey, integer(tensorsKey),
                               tensors_.size()));
}

} // namespace linmu::models
