// A conversation whose state is kept from turn to turn.
#pragma once
#include "models/generate/generate.h"

namespace linmu::models {

/// Turns of a user and the model in the model's chat template. What has been said is in the state: a turn
/// prefills its own message only, with the tokens that close the answer before it.
class Conversation {
public:
  /// `system`: a message of that role before the first turn, in place of the template's own; empty: none.
  /// Control tokens in messages are text; with `special` they become their ids. Throws Error(unsupported) for
  /// a model without a chat template. `model` must outlive this.
  explicit Conversation(const LanguageModel &model, std::string system = {}, bool special = false);

  /// Answers `message`. After an error the conversation is as it was before the call if the options or the
  /// message were refused; after any other error it must not go on.
  Generation say(std::string_view message, const GenerateOptions &options, const TextCallback &onText = {});

  /// How many tokens the state has been through.
  std::int64_t tokens() const { return state_.tokens; }

private:
  const LanguageModel &model_;
  ChatTemplate template_;
  std::string system_;
  bool special_;
  DecoderState state_;
  std::vector<std::int64_t> pending_; ///< generated, but not in the state yet
};

} // namespace linmu::models
