// The operands of one call as the descriptors that kernels read, and the memory of its temporaries.
#pragma once
#include "runtime/core/operand_check.h"
#include "runtime/core/scratch_buffer.h"
#include <array>
#include <cstdint>
#include <vector>

namespace linmu {

/// One per thread, kept between calls: a repeated launch neither allocates nor frees.
class LaunchFrame {
public:
  static LaunchFrame &ofThisThread();

  /// Evaluates the expressions of `package` and lays out descriptors of the inputs, the
  /// results and the temporaries. An input whose batch is 1 gets the call's batch with stride 0. Throws
  /// Error(io) if the temporaries do not fit into memory.
  void fill(const Package &package, const Symbols &symbols, std::span<const TensorView> inputs,
            std::span<const TensorView> results);

  /// The value of an expression of the package in this call.
  std::int64_t valueOf(ExpressionId expression) const { return values_[expression]; }

  /// The blocks of `launch`.
  std::int64_t blocksOf(const Launch &launch) const;

  /// What kernels take for the operands of `launch` and its grid (package.h), valid until the next call.
  void *const *arguments(const Package &package, const Launch &launch);

private:
  void append(void *data, int rank, const std::int64_t *sizes, const std::int64_t *strides);
  void appendTemporaries(const Package &package, const Symbols &symbols);

  std::vector<std::int64_t> values_; // of the package's expressions
  std::array<std::int64_t, 3> grid_;
  std::vector<std::int64_t> words_;      // descriptors, one after the other
  std::vector<std::size_t> descriptors_; // where each begins: inputs, results, temporaries
  std::vector<void *> arguments_;
  std::vector<std::int64_t> offsets_; // of the temporaries in memory_
  ScratchBuffer memory_;
};

} // namespace linmu
