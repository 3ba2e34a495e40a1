// A private folder of files that are written once and verified on every read.
//
// The folder holds code that this process will run, so nobody else may be able to write it. It holds
// `<canonical key>.lmk`, one compiled package each, and `<hash>.index`, one for each pattern text: the
// canonical key and the signature, so that a known text needs no parsing. Everything in it may be deleted at
// any time.
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace linmu::jit {

class DiskCache {
public:
  /// Opens `folder`, which is created with mode 0700, as are the folders above it, where it does not exist.
  /// Throws Error(io) if it cannot
  /// be, belongs to another user, or can be written by others.
  explicit DiskCache(const std::filesystem::path &folder);
  ~DiskCache();
  DiskCache(const DiskCache &) = delete;
  DiskCache &operator=(const DiskCache &) = delete;

  /// The content of `name`, or nothing if there is no such entry or it cannot be read.
  std::optional<std::vector<std::byte>> read(const std::string &name) const;

  /// Publishes `content` as `name` at once and whole: a reader sees the old entry, none, or this one. False
  /// if the file system refuses; nothing is left behind then.
  bool write(const std::string &name, std::span<const std::byte> content) const;

private:
  int folder_ = -1;
};

} // namespace linmu::jit
