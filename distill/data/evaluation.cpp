#include "distill/data/evaluation.h"
#include "runtime/core/error.h"

namespace linmu::distill {

static std::string withoutSpaceAround(const std::string &text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Evaluation evaluate(const models::VisionLanguageModel &model, const SampleSet &set, std::int64_t max_tokens,
                    const std::function<void(const Judged &)> &done) {
  Evaluation result;
  models::GenerateOptions options;
  options.max_tokens = max_tokens;
  for (std::int64_t index = 0; index < set.size(); ++index) {
    Question question;
    try {
      question = set.question(index);
    } catch (const Error &error) {
      if (error.code() == ErrorCode::internal)
        throw;
      result.damaged.push_back(error.what());
      continue;
    }
    const Sample &prompt = question.prompt;
    Judged judged{prompt.name, question.kind, question.text, question.answer, {}, false};
    judged.answer = model.answer({prompt.ids, {}, prompt.media}, prompt.patches, options).text;
    judged.right = withoutSpaceAround(judged.answer) == withoutSpaceAround(judged.expected);
    for (Tally *tally : {&result.all, &result.kinds[judged.kind]}) {
      ++tally->asked;
      tally->right += judged.right;
    }
    if (done)
      done(judged);
  }
  return result;
}

} // namespace linmu::distill
