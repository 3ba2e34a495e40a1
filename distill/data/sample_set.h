// A number of samples that can be loaded in any order.
#pragma once
#include "distill/data/sample.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace linmu::distill {

/// A question, for evaluation.
struct Question {
  Sample prompt;      ///< up to where the answer begins; without labels
  std::string text;   ///< the question
  std::string answer; ///< what is right
  std::string kind;   ///< of question; empty where the data do not say
};

/// For any number of threads at once.
class SampleSet {
public:
  virtual ~SampleSet() = default;

  virtual std::int64_t size() const = 0;

  /// Sample `index`, 0 to size() - 1. Throws Error naming what is damaged, with a code other than `internal`.
  virtual Sample load(std::int64_t index) const = 0;
  /// The same as a question: what the first user says, and the assistant's reply. Throws as `load` does.
  virtual Question question(std::int64_t index) const = 0;

  /// What makes these samples the ones they are, for positions: another set has another.
  virtual std::string fingerprint() const = 0;
};

} // namespace linmu::distill
