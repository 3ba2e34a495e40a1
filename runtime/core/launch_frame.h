// The operands of one call as the descriptors that kernels read, and the memory of its temporaries.
#pragma once
#include "runtime/core/operand_check.h"
#include "runtime/core/scratch_buffer.h"
#include <array>
#include <cstdint>
#include <vector>

namespace linmu {

/// Whether a launch of `variant` has a temporary among its operands.
bool usesTemporaries(const Variant &variant);

/// One per thread, kept between calls: a repeated launch neither allocates nor frees.
class LaunchFrame {
public:
  static LaunchFrame &ofThisThread();

  /// Evaluates the expressions of `package` and lays out descriptors of the inputs, the results and the
  /// temporaries, which get memory afterwards: from placeTemporaries() or useOwnMemory(). An input whose
  /// batch is 1 gets the call's batch with stride 0. Throws Error(io) if no memory could hold the
  /// temporaries.
  void fill(const Package &package, const Symbols &symbols, std::span<const TensorView> inputs,
            std::span<const TensorView> results);

  /// What all temporaries take together; each begins at a multiple of `temporary_alignment` bytes.
  std::int64_t temporaryBytes() const { return temporary_bytes_; }
  static constexpr std::int64_t temporary_alignment = 64;

  /// Temporaries lie in `memory`, of temporaryBytes() bytes.
  void placeTemporaries(std::byte *memory);

  /// Temporaries lie in host memory that this thread keeps. Throws Error(io) if there is not that much.
  void useOwnMemory(const Package &package, const Symbols &symbols);

  /// The value of an expression of the package in this call.
  std::int64_t valueOf(ExpressionId expression) const { return values_[expression]; }

  /// The blocks of `launch`.
  std::int64_t blocksOf(const Launch &launch) const;

  /// What kernels take for the operands of `launch` and its grid (package.h), valid until the next call.
  void *const *arguments(const Package &package, const Launch &launch);

  /// The same as the words of a CUDA kernel, valid until the next call.
  std::span<std::int64_t> words(const Package &package, const Launch &launch);

private:
  void append(void *data, int rank, const std::int64_t *sizes, const std::int64_t *strides);
  void appendTemporaries(const Package &package, const Symbols &symbols);
  std::span<std::int64_t> descriptorOf(const Package &package, const Binding &binding);
  void fillGrid(const Launch &launch);

  std::vector<std::int64_t> values_; // of the package's expressions
  std::array<std::int64_t, 3> grid_;
  std::vector<std::int64_t> words_;      // descriptors, one after the other
  std::vector<std::size_t> descriptors_; // where each begins: inputs, results, temporaries
  std::vector<void *> arguments_;
  std::vector<std::int64_t> offsets_; // of the temporaries in their memory
  std::size_t first_temporary_ = 0;   // in descriptors_
  std::int64_t temporary_bytes_ = 0;
  ScratchBuffer memory_;
  std::vector<std::int64_t> launch_words_;
};

} // namespace linmu
