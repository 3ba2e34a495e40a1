// A text of which some parts may hold control tokens and others, which users gave, may not.
#pragma once
#include <string>

namespace linmu::models {

struct TextPart {
  std::string text;
  bool control_tokens = false; ///< whether control tokens in it become their ids, or stay text
};

} // namespace linmu::models
