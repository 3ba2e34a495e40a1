// An output folder that appears complete or not at all.
#pragma once
#include <filesystem>

namespace linmu {

/// Files are written into path(), a folder beside `target` under another name; commit() brings it to the disk
/// and gives it its name. A folder that is at `target` then is replaced, in one step where the file system
/// can exchange two names. Without commit() nothing is left behind; a process that is killed leaves a folder
/// that sweep() removes.
///
/// With Existing::refuse nothing is replaced: `target` must be new or empty, links to it are followed, and an
/// empty folder stays the one that it is, with its mode and owner.
///
/// Each function throws Error(io) naming the target or the file if the file system refuses.
class AtomicFolder {
public:
  enum class Existing { replace, refuse };

  /// Folders above `target` are made where they are missing.
  explicit AtomicFolder(const std::filesystem::path &target, Existing existing = Existing::replace);
  ~AtomicFolder();
  AtomicFolder(const AtomicFolder &) = delete;
  AtomicFolder &operator=(const AtomicFolder &) = delete;

  const std::filesystem::path &path() const { return made_; }
  void commit();

  /// Takes the folder's name away in one step, then removes it.
  static void remove(const std::filesystem::path &folder);
  /// Removes from `parent` what processes that are no more have left half-written or half-removed.
  static void sweep(const std::filesystem::path &parent);

private:
  void fill();

  std::filesystem::path target_, made_;
  bool fills_ = false; ///< made_ is in target_, and what is in it is moved one level up
  bool committed_ = false;
};

} // namespace linmu
