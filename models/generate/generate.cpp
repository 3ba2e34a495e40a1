#include "models/generate/generate.h"
#include "models/text/stream_decoder.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace linmu::models {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void checkOptions(const GenerateOptions &options) {
  if (options.max_tokens < 0)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("the number of tokens to generate must be 0 or more, got {}", options.max_tokens));
  Sampler{options.sampling};
}

} // namespace

Generation continueFrom(const LanguageModel &model, torch::Tensor logits, DecoderState &state,
                        const GenerateOptions &options, const TextCallback &onText) {
  c10::InferenceMode inference;
  checkOptions(options);
  Sampler sampler(options.sampling);
  StreamDecoder stream;
  Generation result;
  auto emit = [&](const std::string &text) {
    result.text += text;
    if (onText && !text.empty())
      onText(text);
  };
  auto begin = Clock::now();
  for (std::int64_t step = 0; step < options.max_tokens; ++step) {
    auto row = logits.reshape({-1}).contiguous();
    std::int64_t id = sampler.next({row.data_ptr<float>(), static_cast<std::size_t>(row.numel())});
    if (std::ranges::count(model.stop_tokens, id)) {
      result.stopped = true;
      break;
    }
    result.ids.push_back(id);
    emit(stream.push(model.tokenizer.bytesOf(id)));
    if (step + 1 < options.max_tokens)
      logits = model.decoder.forward(torch::full({1, 1}, id, torch::kInt64), state);
  }
  emit(stream.finish());
  result.decode_seconds = secondsSince(begin);
  return result;
}

Generation generate(const LanguageModel &model, std::span<const std::int64_t> prompt_ids,
                    const GenerateOptions &options, const TextCallback &onText) {
  c10::InferenceMode inference;
  checkOptions(options);
  if (prompt_ids.empty())
    throw Error(ErrorCode::invalidArgument, "the prompt must have at least one token, got none");
  auto begin = Clock::now();
  auto ids = torch::tensor(at::ArrayRef<std::int64_t>(prompt_ids.data(), prompt_ids.size()), torch::kInt64);
  DecoderState state = model.decoder.initialState();
  torch::Tensor logits = model.decoder.forward(ids.unsqueeze(0), state);
  double prefill_seconds = secondsSince(begin);
  Generation result = continueFrom(model, logits, state, options, onText);
  result.prompt_tokens = static_cast<std::int64_t>(prompt_ids.size());
  result.prefill_seconds = prefill_seconds;
  return result;
}

std::vector<std::int64_t> encodePrompt(const LanguageModel &model, std::string_view prompt, bool raw) {
  if (!raw) {
    ChatMessage message{"user", std::string(prompt)};
    return model.tokenizer.encode(model.chatTemplate().apply({&message, 1}));
  }
  std::vector<std::int64_t> ids = model.tokenizer.prefix();
  auto text = model.tokenizer.encode(prompt);
  ids.insert(ids.end(), text.begin(), text.end());
  return ids;
}

} // namespace linmu::models
