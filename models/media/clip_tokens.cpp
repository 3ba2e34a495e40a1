#include "models/media/clip_tokens.h"
#include "runtime/core/error.h"
#include <fmt/format.h>

namespace linmu::media {

VideoTokens tokenizeClip(const std::filesystem::path &path, int tokens, const PatchTokenizer &tokenizer,
                         double rms) {
  const int available = countFrames(path);
  const double aspect = VideoReader(path).info().aspect;
  ClipPlan plan;
  try {
    plan = planClip(tokens, available, aspect, tokenizer.patch());
  } catch (const Error &error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.what()), error.hint());
  }
  return tokenizer.tokenize(sampleFrames(path, {.frames = plan.frames, .size = plan.size}, available), rms);
}

} // namespace linmu::media
