// The generation loop.
#pragma once
#include "models/generate/generation.h"
#include "models/generate/language_model.h"
#include <cstdint>
#include <span>
#include <string_view>

namespace linmu::models {

/// Continues `prompt_ids`. Throws Error(invalidArgument) for an empty prompt or an option out of range.
Generation generate(const LanguageModel &model, std::span<const std::int64_t> prompt_ids,
                    const GenerateOptions &options, const TextCallback &onText = {});

/// The same after what `state` has been through, which goes on by `prompt_ids` and the answer. The last of
/// `ids` is not in it yet where `stopped` is false.
Generation generateAfter(const LanguageModel &model, DecoderState &state,
                         std::span<const std::int64_t> prompt_ids, const GenerateOptions &options,
                         const TextCallback &onText = {});

/// The same from logits [1, 1, vocabulary] and the state they left, for prompts that are not only text.
Generation continueFrom(const LanguageModel &model, torch::Tensor logits, DecoderState &state,
                        const GenerateOptions &options, const TextCallback &onText = {});

/// Token ids of a prompt: `raw` as it is, between what the tokenizer puts around a text, otherwise as the
/// user's message in the model's chat template. Control tokens in it are text; with `special` they become
/// their ids, also inside the template.
std::vector<std::int64_t> encodePrompt(const LanguageModel &model, std::string_view prompt, bool raw,
                                       bool special = false);

/// Token ids of a chat template's parts. Control tokens in the messages among them are text; with `special`
/// they become their ids.
std::vector<std::int64_t> encodeParts(const LanguageModel &model, std::vector<TextPart> parts, bool special);

/// Token ids of a conversation in the model's chat template, up to where the assistant's answer begins.
/// Control tokens in its messages are text; with `special` they become their ids.
std::vector<std::int64_t> encodeChat(const LanguageModel &model, std::span<const ChatMessage> messages,
                                     bool special = false);

} // namespace linmu::models
