// The samples of a generator, made when they are asked for.
#pragma once
#include "distill/data/generators.h"
#include "distill/data/sample_encoder.h"
#include "distill/data/sample_set.h"

namespace linmu::distill {

class GeneratedSet final : public SampleSet {
public:
  /// Numbers 0 to count - 1 of a generator. With `described` each sample goes on, after its answer, with a
  /// description of all that is shown. Throws Error(invalidArgument) for a name that there is none of, or
  /// options that it refuses. `encoder` must outlive this.
  GeneratedSet(std::string generator, std::uint64_t seed, Split split, std::int64_t count,
               const GeneratorOptions &options, const SampleEncoder &encoder, bool described = false);

  std::int64_t size() const override { return count_; }
  Sample load(std::int64_t index) const override;
  Question question(std::int64_t index) const override;
  std::string fingerprint() const override;

private:
  std::string nameOf(std::int64_t index) const;

  std::string name_;
  Generator generator_;
  std::uint64_t seed_;
  Split split_;
  std::int64_t count_;
  GeneratorOptions options_;
  const SampleEncoder &encoder_;
  bool described_;
};

} // namespace linmu::distill
