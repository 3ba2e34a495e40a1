// The options that the commands which talk to a model share.
#pragma once
#include "models/generate/generate.h"
#include "models/tools/patience.h"
#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linmu::tools {

struct ModelArguments {
  std::string model;
  models::GenerateOptions options;
  bool json = false;
  std::optional<models::WeightForm> weights; ///< as LanguageModel::open takes it
  bool special = false;                      ///< control tokens in what the user says are taken as such

  /// --max-tokens, --temperature, --top-p, --seed, --special and --json.
  void addOptionsTo(CLI::App &command);
  /// --weights, for models that open() opens.
  void addWeightsTo(CLI::App &command);

  /// Opens the model once the options are known to be in range.
  models::LanguageModel open() const;

  /// What is done with each piece of an answer's text: nothing with --json; `patience` ends with the first.
  models::TextCallback streamAfter(Patience &patience) const;
};

/// Values that are given by position or by option: MODEL or --model, then what else the command takes. An
/// option leaves its place free, so that `generate --model FILE "Hello"` and `generate FILE "Hello"` mean the
/// same.
class NamedPositionals {
public:
  /// Adds the positional NAME and the option --name; both set `*value`.
  void add(CLI::App &command, const std::string &name, const std::string &description, std::string *value);

  /// After parsing. Throws CLI::RequiredError naming what is missing and CLI::ExtrasError for what is left.
  void resolve() const;

private:
  struct Entry {
    std::string name;
    CLI::Option *option;
    CLI::Option *positional;
    std::string *value;
  };
  std::vector<Entry> entries_;
};

/// What the user says: `given`, or the standard input without its last line break where that is "-".
std::string textOrStandardInput(const std::string &given);

/// One JSON object in one line: the text and the figures of one answer. `context_tokens`: all that the
/// model's state has been through.
std::string answerAsJson(const models::Generation &answer, std::int64_t context_tokens);

} // namespace linmu::tools
