// The tokenizer of the small models.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace linmu::distill {

/// The words of the generators' and easy-vqa's questions and answers, in lower case.
const std::vector<std::string_view> &vocabularyWords();

/// A tokenizer.json: byte-level, without merges. A word of the list, at the beginning of a text or after a
/// space, is one token; of anything else, as capital letters and digits, each byte is. After these come the
/// control tokens
/// <|endoftext|>, <|im_start|>, <|im_end|>, <|vision_start|>, <|vision_end|>, <|image_pad|> and
/// <|video_pad|>.
std::string wordTokenizerJson();

} // namespace linmu::distill
