// An opened package that can be launched.
#pragma once
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace linmu {

struct LaunchOptions {
  int threads = 0; ///< 0 to 4096; 0: Settings::threads, whose default is the number of cores
};

/// Cheap to copy; safe to launch from several threads at once.
class Kernel {
public:
  /// Maps the image and checks that this CPU has the features it needs (Error::unsupported otherwise).
  static Kernel open(Package package);

  const Signature &signature() const;
  const Package &package() const;

  /// Runs the pattern. `inputs` and `results` are in the order of the signature; results are written in
  /// place and share no memory with inputs or each other, except that one with `in_place_of` may lie exactly
  /// where that input does. N = 0 is valid and copies initial states to final ones. Throws
  /// Error(invalidArgument) naming the operand, the expected and the actual shape, dtype, stride, memory or
  /// entry before anything is written.
  void operator()(std::span<const TensorView> inputs, std::span<const TensorView> results,
                  const LaunchOptions &options = {}) const;

  /// What a call with `tokens` tokens in each of `batch` sequences would run, e.g. "chunked(chunk=16)".
  const std::string &algorithm(std::int64_t tokens, std::int64_t batch = 1) const;

private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

} // namespace linmu
