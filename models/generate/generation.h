// How an answer is generated, and what it is.
#pragma once
#include "models/generate/sampler.h"
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::models {

struct GenerateOptions {
  std::int64_t max_tokens = 256;
  SamplingOptions sampling{};
};

/// Throws Error(invalidArgument) naming the option that is out of range, which generating would do later.
void checkOptions(const GenerateOptions &options);

struct Generation {
  std::vector<std::int64_t> ids; ///< without the stop token
  std::string text;
  std::int64_t prompt_tokens = 0; ///< that were prefilled
  bool stopped = false;           ///< by a stop token, not by `max_tokens`
  double prefill_seconds = 0;     ///< time to the first token's logits
  double decode_seconds = 0;      ///< of all tokens after the first
};

/// Called with each piece of text, which never ends inside a character.
using TextCallback = std::function<void(std::string_view)>;

} // namespace linmu::models
