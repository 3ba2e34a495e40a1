// Compiles through two caches: this process's memory, up to Settings::memory_cache_mib, then the disk.
#pragma once
#include "runtime/jit/compile.h"
#include "runtime/jit/compiler_table.h"
#include "runtime/jit/disk_cache.h"
#include "runtime/jit/memory_cache.h"
#include "runtime/jit/target.h"
#include <atomic>
#include <cstdint>
#include <optional>

namespace linmu::jit {

/// Locks: a slot's mutex is held while its content is made, so that one text (and one canonical key) is
/// compiled once in a process, however many threads ask. A text's slot is locked before a code's slot, never
/// the other way. A slot stays empty when making its content throws, and the next caller tries again. The
/// caller keeps forks away meanwhile; see compiler/api/fork_guard.h.
class Jit {
public:
  explicit Jit(CompilerTable compiler) : compiler_(compiler) {}

  Kernel compile(std::string_view source, const CompileOptions &options);
  std::string explain(std::string_view source, const CompileOptions &options, bool json);
  CompileStatistics statistics() const;

private:
  /// Key and signature of the text, from the disk or by parsing it.
  Package describe(const std::string &identity, std::string_view source, const CompileOptions &options,
                   const Target &target, const DiskCache *disk);
  /// The code for `description`, from memory, the disk or the compiler.
  Kernel codeFor(const Package &description, std::string_view source, const CompileOptions &options,
                 const Target &target, const DiskCache *disk);
  std::optional<Kernel> readCode(const Package &description, const CompileOptions &options,
                                 const Target &target, const DiskCache &disk);
  /// The package opened; one that has sources first gets its images.
  Kernel open(Package package, const CompileOptions &options, const Target &target, const DiskCache *disk);
  void publish(const DiskCache *disk, const std::string &name, std::span<const std::byte> content);

  CompilerTable compiler_;
  MemoryCache memory_; // by text identity, and by canonical key
  std::atomic<std::int64_t> compiled_{0}, disk_hits_{0}, memory_hits_{0}, corrupt_{0}, unwritten_{0},
      images_compiled_{0}, image_disk_hits_{0};
};

} // namespace linmu::jit
