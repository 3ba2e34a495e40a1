// An output file that appears complete or not at all.
#pragma once
#include "runtime/io/interruption.h"
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>

namespace linmu {

/// Writes under a temporary name beside `target` and renames that at the end. Without commit() nothing is
/// left behind, nor after a signal of endOnSignals().
///
/// - A link is followed: what it leads to is written, and the link stays.
/// - A new file has the permissions of any new file. An existing one keeps its mode, owner and group; where
///   that or its other hard links, extended attributes or a folder that takes no new file forbid a rename,
///   the complete content is copied into it (see copyInto for what that can promise).
/// - Devices and FIFOs, and /dev/stdout and its like, are written as it comes.
///
/// Each function throws Error(io) naming the target if the file system refuses.
class AtomicFile {
public:
  enum class Folders { mustExist, create };

  /// Checks that `target` can be written, so that it comes before long work; writes nothing yet. A FIFO or
  /// device is opened: one that no program reads within two seconds is refused.
  explicit AtomicFile(const std::filesystem::path &target, Folders folders = Folders::mustExist);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(const void *data, std::size_t size);
  /// Puts what was written in the place of `target`.
  void commit();

private:
  enum class Way { replace, copy, stream };

  void checkExisting(const struct stat &status);
  void checkNew();
  void openStream(const struct stat &status);
  void openTemporary();
  bool replace();
  void copyInto();
  void keepTemporary();
  void discard();
  [[noreturn]] void fail(int error);
  [[noreturn]] void refuse(const std::string &why);

  std::filesystem::path target_; ///< as given, for messages
  std::filesystem::path path_;   ///< behind links
  Folders folders_;
  Way way_ = Way::replace;
  std::optional<struct stat> existing_;
  std::string temporary_; ///< empty: none, or one without a name
  std::optional<RemovedOnSignal> removed_on_signal_;
  int descriptor_ = -1;
};

} // namespace linmu
