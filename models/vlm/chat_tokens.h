// A conversation about pictures and videos as token ids.
#pragma once
#include "models/decoder/token_mixer.h"
#include "models/text/chat_template.h"
#include "models/text/tokenizer.h"
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace linmu::models {

/// Text, or a picture or video of t x h x w tokens.
struct VisionPart {
  enum class Kind { text, picture, video } kind = Kind::text;
  std::string text;
  std::int64_t t = 1, h = 1, w = 1;
};

struct VisionMessage {
  std::string role; ///< "system", "user" or "assistant"
  std::vector<VisionPart> parts;
};

/// The tokenizer's ids of what surrounds and stands for media, Qwen2-VL's names.
struct VisionTokenIds {
  std::int64_t start = 0, end = 0;     ///< <|vision_start|>, <|vision_end|>
  std::int64_t picture = 0, video = 0; ///< <|image_pad|>, <|video_pad|>

  /// Throws Error(corruptFile) naming `origin` and the token that is missing.
  static VisionTokenIds of(const Tokenizer &tokenizer, const std::string &origin);
};

struct ChatTokens {
  std::vector<std::int64_t> ids;
  /// Of the same length: the id where the token is said by the assistant, or ends what it says; else
  /// `otherwise`.
  std::vector<std::int64_t> labels;
  std::vector<MediaItem> media; ///< in order; their tokens are placeholders
};

/// The conversation in the model's chat template; with `add_generation_prompt` up to where the assistant's
/// answer begins. Each picture or video is <|vision_start|>, its tokens, <|vision_end|>. Control tokens in
/// texts are text. Throws Error(invalidArgument) for a role that there is none of.
ChatTokens encodeVisionChat(const Tokenizer &tokenizer, const ChatTemplate &chat,
                            const VisionTokenIds &special, std::span<const VisionMessage> messages,
                            bool add_generation_prompt, std::int64_t otherwise = -100);

/// What follows an assistant's answer, whose end it closes, when the user says `parts`; it ends where the
/// next answer begins. Media and labels as above.
ChatTokens encodeVisionFollowUp(const Tokenizer &tokenizer, const ChatTemplate &chat,
                                const VisionTokenIds &special, std::span<const VisionPart> parts,
                                std::int64_t otherwise = -100);

} // namespace linmu::models
