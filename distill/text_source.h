// Questions and answers in text: a file of lines {"prompt": "...", "answer": "..."}.
#pragma once
#include "distill/data/sample.h"
#include "models/generate/language_model.h"
#include <filesystem>

namespace linmu::distill {

struct TextSourceOptions {
  std::int64_t batch = 8;      ///< samples of a batch
  std::int64_t max_tokens = 0; ///< longer samples lose their end; 0: none do
  std::uint64_t seed = 0;      ///< of the order
  bool evaluation = false;     ///< once, in the order of the file, the last batch as it comes
};

class TextSource final : public BatchSource {
public:
  /// Prompts become the user's message of `model`'s chat template or, where it has none, stand as they are;
  /// answers end with the first of its stop tokens. Blank lines are passed over. Throws Error(corruptFile)
  /// naming file and line for a line that is not such an object or a sample without an answer within
  /// `max_tokens`, Error(invalidArgument) for a file of fewer samples than a batch.
  TextSource(const std::filesystem::path &file, const models::LanguageModel &model,
             const TextSourceOptions &options);

  std::optional<Batch> next() override;
  nlohmann::json position() const override;
  void seek(const nlohmann::json &position) override;

private:
  void read(const std::filesystem::path &file, const models::LanguageModel &model);
  void shuffle();
  Batch batchOf(std::size_t first, std::size_t count) const;

  TextSourceOptions options_;
  std::vector<Sample> samples_;
  std::vector<std::size_t> order_;
  std::uint64_t pass_ = 0;
  std::size_t taken_ = 0; ///< of this pass
};

} // namespace linmu::distill
