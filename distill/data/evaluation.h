// Questions put to a model, and how many it answers as the data do.
#pragma once
#include "distill/data/sample_set.h"
#include "models/vlm/vision_language_model.h"
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace linmu::distill {

struct Judged {
  std::string name, kind, question, expected, answer;
  bool right = false; ///< the same text, white space around it aside
};

struct Tally {
  std::int64_t right = 0, asked = 0;
  double accuracy() const { return asked ? double(right) / double(asked) : 0; }
};

struct Evaluation {
  Tally all;
  std::map<std::string, Tally> kinds;
  std::vector<std::string> damaged; ///< "data.jsonl:7: ...", which were not asked
};

/// Asks every question of `set`, the likeliest token each time, at most `max_tokens` of them. `done` is told
/// of each answer, damaged ones aside. Throws what is a defect and not damage as it came.
Evaluation evaluate(const models::VisionLanguageModel &model, const SampleSet &set, std::int64_t max_tokens,
                    const std::function<void(const Judged &)> &done = {});

} // namespace linmu::distill
