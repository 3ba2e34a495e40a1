// The code of a package on the devices where it has run.
#pragma once
#include "runtime/core/cuda/devices.h"
#include "runtime/core/package.h"
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace linmu::cuda {

/// The code of a package in one context.
struct LoadedPackage {
  Context context = nullptr;
  std::vector<Function> functions; ///< one a launch, in the order of the variants
  std::unique_ptr<const LoadedPackage> next;
};

/// Loads a package once in each context, each kernel as a module of its own. The modules stay loaded for
/// good: a graph that was captured may launch them after the package has been closed.
class LoadedPackages {
public:
  /// `package` must outlive it.
  explicit LoadedPackages(const Package &package) : package_(package) {}

  /// The code in `context`, which is current and of device `ordinal`. Safe from several threads, and while a
  /// stream captures. Throws Error(unsupported) if no image runs on that device; nothing stays loaded where
  /// it throws.
  const LoadedPackage &in(Context context, std::int32_t ordinal);

private:
  std::unique_ptr<LoadedPackage> load(Context context, std::int32_t ordinal) const;
  /// The kernel of a module, ready for what its launches need.
  Function prepare(Module module, const std::string &kernel, const DeviceInfo &device) const;
  void requireArguments(const Launch &launch, Function function) const;
  std::string named(const std::string &kernel) const;

  const Package &package_;
  std::mutex loading_;
  std::unique_ptr<const LoadedPackage> owned_;
  std::atomic<const LoadedPackage *> first_{nullptr};
};

} // namespace linmu::cuda
