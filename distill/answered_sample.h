// Questions of the data with what models answer to them, to look at.
#pragma once
#include "distill/model.h"
#include "models/generate/language_model.h"
#include <string>
#include <vector>

namespace linmu::distill {

/// A question of the data with what models answer to it. `teacher` is empty where there is none.
struct AnsweredSample {
  std::string name, question, expected, teacher, student;
};

/// Who answers.
struct Answerer {
  const Model &model;
  const models::Decoder &decoder; ///< with what is beside `model`'s merged in
};

/// At most `most` rows of `batches`, spread evenly. `language` has the tokenizer and the tokens that end an
/// answer, `teacher` may be null, and answers have at most `max_tokens`.
std::vector<AnsweredSample> answerSamples(const std::vector<Batch> &batches, std::size_t most,
                                          const models::LanguageModel &language, const Answerer *teacher,
                                          const Answerer &student, std::int64_t max_tokens);

} // namespace linmu::distill
