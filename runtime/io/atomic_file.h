// A file that appears complete or not at all.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace linmu {

/// Writes under a temporary name beside `target`. Without commit(), nothing is left behind. Each function
/// throws Error(io) naming the target if the file system refuses.
class AtomicFile {
public:
  explicit AtomicFile(const std::filesystem::path &target);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(const void *data, std::size_t size);
  /// Replaces `target` by what was written.
  void commit();

private:
  [[noreturn]] void fail();
  void discard();

  std::filesystem::path target_;
  std::string name_;
  int descriptor_ = -1;
};

} // namespace linmu
