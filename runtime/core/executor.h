// What runs the launches of an opened package on one kind of device.
#pragma once
#include "runtime/core/kernel.h"
#include "runtime/core/package.h"
#include <memory>
#include <span>

namespace linmu {

class Executor {
public:
  virtual ~Executor() = default;

  virtual Device::Kind deviceKind() const = 0; ///< where operands must lie

  /// Whether a variant may be chosen by what tables of the operands hold; otherwise one sequence of a ragged
  /// batch may be all of it.
  virtual bool readsTables() const = 0;

  /// Runs variant `variant` of the package on operands that fit its signature and lie where it runs. Threads
  /// may run it at once.
  virtual void run(std::size_t variant, const Symbols &symbols, std::span<const TensorView> inputs,
                   std::span<const TensorView> results, const LaunchOptions &options) const = 0;
};

/// Maps the image and checks that this CPU has the features it needs (Error::unsupported otherwise). The
/// package must be valid and outlive the executor.
std::unique_ptr<const Executor> openOnCpu(const Package &package);

} // namespace linmu
