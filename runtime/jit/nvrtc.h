// NVRTC, NVIDIA's compiler from CUDA C++ to machine code, from a library that is loaded at run time.
#pragma once
#include "runtime/core/cuda/architecture.h"
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace linmu::jit {

/// Where it is looked for, in this order: Settings::nvrtc alone where it is set; $CUDA_HOME and $CUDA_PATH;
/// the packages nvidia/*/lib in the caller's folders of Python packages, beside those packages that this
/// process has loaded (torch brings it) and in $VIRTUAL_ENV; /usr/local/cuda; and what the system's loader
/// finds as libnvrtc.so.13 or .12.
class Nvrtc {
public:
  /// Finds the library; loads it only to compile. `package_folders` is what Python calls sys.path. Throws
  /// Error(unsupported) that says in one sentence what is missing.
  static Nvrtc find(std::span<const std::filesystem::path> package_folders = {});

  /// The library.
  const std::filesystem::path &file() const { return file_; }

  /// A string that differs between libraries which could generate different code: file, size and time.
  const std::string &identity() const { return identity_; }

  struct Result {
    std::vector<std::byte> cubin;
    std::string log; ///< warnings
  };
  /// Compiles `source`, which messages call `name`; `options` are added to those of every compilation. Throws
  /// Error(internal) with NVRTC's log if it does not compile.
  Result compile(const std::string &source, const std::string &name, const cuda::Architecture &architecture,
                 const std::vector<std::string> &options = {}) const;

  /// What every compilation gets, without the architecture.
  static const std::vector<std::string> &fixedOptions();

private:
  struct Api;
  explicit Nvrtc(std::filesystem::path file);
  static const Api &load(const std::filesystem::path &file);

  std::filesystem::path file_;
  std::string identity_;
};

} // namespace linmu::jit
