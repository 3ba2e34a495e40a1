// From a video file to a requested number of tokens.
#pragma once
#include "models/media/frame_sampler.h"
#include "models/media/patch_tokenizer.h"

namespace linmu::media {

/// The clip as exactly `tokens` tokens: a grid by planClip, its frames spread evenly over the whole clip,
/// resized to the grid's pixels and tokenized at `rms`. Errors as in planClip (naming the file), sampleFrames
/// and PatchTokenizer; a damaged clip is rejected.
VideoTokens tokenizeClip(const std::filesystem::path &path, int tokens, const PatchTokenizer &tokenizer,
                         double rms);

} // namespace linmu::media
