// Choosing the next token from logits.
#pragma once
#include <cstdint>
#include <random>
#include <span>

namespace linmu::models {

struct SamplingOptions {
  double temperature = 0; ///< 0: always the most likely token
  double top_p = 1;       ///< in (0, 1]: the smallest set of tokens whose probability reaches it
  std::uint64_t seed = 0;
};

/// The same options and logits give the same tokens on every run.
class Sampler {
public:
  /// Throws Error(invalidArgument) naming the option that is out of range.
  explicit Sampler(const SamplingOptions &options);

  /// The index of one of `logits` (finite or minus infinity; at least one finite). Ties go to the lower
  /// index. Throws Error(invalidArgument) for NaN, which a broken checkpoint leads to.
  std::int64_t next(std::span<const float> logits);

private:
  SamplingOptions options_;
  std::mt19937_64 random_;
};

} // namespace linmu::models
