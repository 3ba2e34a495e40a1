// A question about a picture or video whose answer is known, and what generators of such have in common.
#pragma once
#include "models/media/frames.h"
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::distill {

/// No picture, video or combination of what is in it is in both.
enum class Split { train, heldOut };

std::string_view name(Split split);

struct Example {
  std::string kind; ///< of question: "order", "line", ...
  std::string question, answer;
  media::Frames frames; ///< one of a picture, several of a video
  bool video = false;
  nlohmann::json facts; ///< what was drawn, from which the answer can be worked out again
};

/// What a generator draws.
struct GeneratorOptions {
  int side = 64;   ///< pixels of a frame's side; 32 or more
  int frames = 32; ///< of a video; a multiple of 8, 16 or more
};

/// Number `number` of the `count` answers of a question: each block of `count` numbers has each answer once,
/// in an order of its own, so that no answer is more likely than another.
std::int64_t balancedAnswer(std::uint64_t seed, Split split, std::uint64_t question, std::int64_t number,
                            std::int64_t count);

} // namespace linmu::distill
