// Compile on demand, through the disk cache.
#pragma once
#include "runtime/core/error.h"
#include "runtime/core/kernel.h"
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace linmu {

/// Which gradients of a pattern; see compiler::Gradient.
struct Gradient {
  std::vector<std::string> wrt, of;
};

struct CompileOptions {
  std::string filename = "<pattern>";
  std::string function;
  std::map<std::string, std::string> aliases;  ///< see compiler::Options
  std::map<std::string, std::string> schedule; ///< see compiler::Options
  /// "cpu"; "cuda" for the GPUs of this machine; "cuda:sm_90a,sm_80" for named architectures; "emulate" for
  /// CUDA's kernels on this machine's CPU, by its C++ compiler, every access checked: slow, for tests
  std::string target = "cpu";
  std::vector<std::filesystem::path> package_folders{}; ///< Python's sys.path, for jit::Nvrtc::find()
  bool use_disk_cache = true;                           ///< Settings::cache_dir says where
  /// The kernel of the gradients in place of the pattern's; see compiler::Options.
  std::optional<Gradient> gradient{};
};

/// Compiles pattern text for the machine at hand or the target named, or takes the code from memory or disk.
/// Throws Error(invalidPattern) whose text is "file:line:column: error: ...", and for CUDA Error(unsupported)
/// where there is no NVRTC. Any number of threads may compile at once, and each text is compiled once. A fork
/// meanwhile waits for the compilations under way; its child compiles and launches like the parent and keeps
/// the parent's kernels.
Kernel compile(std::string_view source, const CompileOptions &options = {});

/// The same for a file; `options.filename` is replaced by the path.
Kernel compileFile(const std::filesystem::path &path, CompileOptions options = {});

/// The report of `linmuc --explain`.
std::string explain(std::string_view source, const CompileOptions &options = {}, bool json = false);

/// Counts since the start of the process; in a forked child since that of its parent.
struct CompileStatistics {
  std::int64_t compiled = 0;
  std::int64_t disk_hits = 0;
  std::int64_t memory_hits = 0;
  std::int64_t corrupt_entries = 0;   ///< files in the cache that were damaged; each was compiled again
  std::int64_t unwritten_entries = 0; ///< compiled, but the file system refused to keep it
  std::int64_t memory_bytes = 0;      ///< of texts and code in memory now; see Settings::memory_cache_mib
  std::int64_t images_compiled = 0;   ///< by NVRTC, one for each CUDA kernel and architecture
  std::int64_t image_disk_hits = 0;
};
CompileStatistics compileStatistics();

} // namespace linmu
