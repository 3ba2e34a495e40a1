// Bytes of tokens, one after the other, as text that never ends inside a character.
#pragma once
#include <string>
#include <string_view>

namespace linmu::models {

class StreamDecoder {
public:
  /// The text that is complete after `bytes`. Bytes that may still become a character are kept; those that
  /// cannot become U+FFFD, one for each maximal part of a character, as Unicode recommends.
  std::string push(std::string_view bytes);

  /// What was kept, as U+FFFD, once nothing follows.
  std::string finish();

private:
  std::string kept_;
};

} // namespace linmu::models
