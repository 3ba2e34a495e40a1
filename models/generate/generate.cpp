#include "models/generate/generate.h"
#include "models/text/text_stream.h"
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

Generation decode(const LanguageModel &model, torch::Tensor logits, DecoderState &state,
                  const GenerateOptions &options, const TextCallback &onText) {
  Sampler sampler(options.sampling);
  TextStream stream(model.tokenizer);
  Generation result;
  auto emit = [&](const std::string &text) {
    result.text += text;
    if (onText && !text.empty())
      onText(text);
  };
  auto begin = Clock::now();
  for (std::int64_t step = 0; step < options.max_tokens; ++step) {
    auto row = logits.reshape({-1}).cpu().contiguous();
    std::int64_t id = sampler.next({row.data_ptr<float>(), static_cast<std::size_t>(row.numel())});
    if (std::ranges::count(model.stop_tokens, id)) {
      result.stopped = true;
      break;
    }
    result.ids.push_back(id);
    emit(stream.push(id));
    if (step + 1 < options.max_tokens)
      logits = model.decoder.forward(torch::full({1, 1}, id, torch::kInt64), state);
  }
  emit(stream.finish());
  result.decode_seconds = secondsSince(begin);
  return result;
}

} // namespace

void checkOptions(const GenerateOptions &options) {
  if (options.max_tokens < 0)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("the number of tokens to generate must be 0 or more, got {}", options.max_tokens));
  Sampler{options.sampling};
}

Generation continueFrom(const LanguageModel &model, torch::Tensor logits, DecoderState &state,
                        const GenerateOptions &options, const TextCallback &onText) {
  c10::InferenceMode inference;
  checkOptions(options);
  return decode(model, std::move(logits), state, options, onText);
}

Generation generate(const LanguageModel &model, std::span<const std::int64_t> prompt_ids,
                    const GenerateOptions &options, const TextCallback &onText) {
  DecoderState state = model.decoder.initialState();
  return generateAfter(model, state, prompt_ids, options, onText);
}

Generation generateAfter(const LanguageModel &model, DecoderState &state,
                         std::span<const std::int64_t> prompt_ids, const GenerateOptions &options,
                         const TextCallback &onText) {
  c10::InferenceMode inference;
  checkOptions(options);
  if (prompt_ids.empty())
    throw Error(ErrorCode::invalidArgument, "the prompt must have at least one token, got none");
  auto begin = Clock::now();
  auto ids = torch::tensor(at::ArrayRef<std::int64_t>(prompt_ids.data(), prompt_ids.size()), torch::kInt64);
  torch::Tensor logits = model.decoder.forward(ids.unsqueeze(0), state);
  double prefill_seconds = secondsSince(begin);
  Generation result = decode(model, logits, state, options, onText);
  result.prompt_tokens = static_cast<std::int64_t>(prompt_ids.size());
  result.prefill_seconds = prefill_seconds;
  return result;
}

std::vector<std::int64_t> encodePrompt(const LanguageModel &model, std::string_view prompt, bool raw,
                                       bool special) {
  if (!raw) {
    ChatMessage message{"user", std::string(prompt)};
    return encodeChat(model, {&message, 1}, special);
  }
  std::vector<std::int64_t> ids = model.tokenizer.prefix();
  auto text = model.tokenizer.encode(prompt, special);
  ids.insert(ids.end(), text.begin(), text.end());
  ids.insert(ids.end(), model.tokenizer.suffix().begin(), model.tokenizer.suffix().end());
  return ids;
}

std::vector<std::int64_t> encodeParts(const LanguageModel &model, std::vector<TextPart> parts, bool special) {
  for (TextPart &part : parts)
    part.control_tokens |= special;
  return model.tokenizer.encode(parts);
}

std::vector<std::int64_t> encodeChat(const LanguageModel &model, std::span<const ChatMessage> messages,
                                     bool special) {
  return encodeParts(model, model.chatTemplate().parts(messages), special);
}

} // namespace linmu::models
