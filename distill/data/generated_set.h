// The samples of a generator, made when they are asked for.
#pragma once
#include "distill/data/generators.h"
#include "distill/data/sample_encoder.h"
#include "distill/data/sample_set.h"

namespace linmu::distill {

class GeneratedSet final : public SampleSet {
public:
  /// The first `count` numbers of a generator, or of those whose questions are of `kinds`. With `described`
  /// each sample goes on, after its answer, with a description of all that is shown. Throws
  /// Error(invalidArgument) for a name or kind that there is none of, or options that it refuses. `encoder`
  /// must outlive this.
  GeneratedSet(std::string generator, std::uint64_t seed, Split split, std::int64_t count,
               const GeneratorOptions &options, const SampleEncoder &encoder, bool described = false,
               const std::vector<std::string> &kinds = {});

  std::int64_t size() const override { return count_; }
  Sample load(std::int64_t index) const override;
  Question question(std::int64_t index) const override;
  std::string fingerprint() const override;

private:
  std::string nameOf(std::int64_t number) const;
  std::int64_t numberOf(std::int64_t index) const;

  std::string name_;
  Generator generator_;
  std::uint64_t seed_;
  Split split_;
  std::int64_t count_;
  GeneratorOptions options_;
  const SampleEncoder &encoder_;
  bool described_;
  std::vector<std::int64_t> kinds_; ///< places among the generator's; of each round of numbers, those
};

} // namespace linmu::distill
