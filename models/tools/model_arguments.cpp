#include "models/tools/model_arguments.h"
#include "models/tools/whole_number.h"
#include "runtime/io/input_text.h"
#include "runtime/io/standard_streams.h"
#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

namespace linmu::tools {

void ModelArguments::addOptionsTo(CLI::App &command) {
  addWholeNumber(command, "--max-tokens", options.max_tokens, "Tokens to generate at most (256)");
  command.add_option("--temperature", options.sampling.temperature,
                     "0, the default, always takes the most likely token");
  command.add_option("--top-p", options.sampling.top_p,
                     "Sample from the likeliest tokens that reach this probability (1)");
  addWholeNumber(command, "--seed", options.sampling.seed, "Seed of the sampling (0)");
  command.add_flag("--special", special,
                   "Take control tokens in what you say, such as <|im_end|>, as such and not as text");
  command.add_flag("--json", json, "Print each answer and its figures as one line of JSON");
}

void ModelArguments::addWeightsTo(CLI::App &command) {
  command
      .add_option(
          "--weights", weights,
          "packed, the default where the file packs them: weights stay as few bits as the file has, in a "
          "fraction of the memory; f32: they are unpacked. Both compute with the same weights in f32")
      ->transform(CLI::CheckedTransformer(std::map<std::string, models::WeightForm>{
          {"packed", models::WeightForm::packed}, {"f32", models::WeightForm::f32}}));
}

models::LanguageModel ModelArguments::open() const {
  models::checkOptions(options);
  const Patience patience("opening " + model);
  return models::LanguageModel::open(model, weights);
}

models::TextCallback ModelArguments::streamAfter(Patience &patience) const {
  if (json)
    return {};
  return [&patience](std::string_view text) {
    patience.end();
    writeStandardOutput(text);
  };
}

void NamedPositionals::add(CLI::App &command, const std::string &name, const std::string &description,
                           std::string *value) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return char(std::toupper(c)); });
  CLI::Option *positional = command.add_option(upper, description);
  CLI::Option *option = command.add_option("--" + name, *value, "The same by name");
  positional->type_size(1)->expected(1);
  entries_.push_back({upper, option, positional, value});
}

void NamedPositionals::resolve() const {
  std::vector<std::string> given;
  for (const Entry &entry : entries_)
    for (const std::string &value : entry.positional->results())
      given.push_back(value);
  auto next = given.begin();
  for (const Entry &entry : entries_) {
    if (entry.option->count() > 0)
      continue;
    if (next == given.end())
      throw CLI::RequiredError(entry.name);
    *entry.value = *next++;
  }
  if (next != given.end())
    throw CLI::ExtrasError(std::vector<std::string>(next, given.end()));
}

std::string textOrStandardInput(const std::string &given) {
  if (given != "-")
    return given;
  std::string text = readInputText("-", noticeOnErrorStream("linmu"));
  if (text.ends_with('\n'))
    text.pop_back();
  if (text.ends_with('\r'))
    text.pop_back();
  return text;
}

std::string answerAsJson(const models::Generation &answer, std::int64_t context_tokens) {
  double rate = answer.decode_seconds > 0 ? double(answer.ids.size()) / answer.decode_seconds : 0;
  nlohmann::ordered_json object = {{"text", answer.text},
                                   {"prompt_tokens", answer.prompt_tokens},
                                   {"context_tokens", context_tokens},
                                   {"generated_tokens", answer.ids.size()},
                                   {"stopped", answer.stopped},
                                   {"prefill_seconds", answer.prefill_seconds},
                                   {"decode_seconds", answer.decode_seconds},
                                   {"tokens_per_second", rate}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace linmu::tools
