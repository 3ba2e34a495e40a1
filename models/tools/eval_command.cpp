// linmu eval: how many questions of a set models answer.
#include "distill/data/evaluation.h"
#include "distill/data/set_spec.h"
#include "models/decoder/threads.h"
#include "models/io/json_text.h"
#include "models/report/progress_bar.h"
#include "models/report/table.h"
#include "models/tools/commands.h"
#include "models/tools/device_option.h"
#include "models/tools/output_option.h"
#include "models/tools/patience.h"
#include "models/tools/whole_number.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/atomic_file.h"
#include <cstdio>
#include <fmt/format.h>
#include <optional>

namespace linmu::tools {
namespace {

struct Arguments {
  std::vector<std::string> models;
  std::string data, out, media = "none", device = "cpu";
  std::int64_t max_tokens = 16;
};

/// A file of lines, or the JSON object of a recipe.
nlohmann::json specOf(const std::string &data) {
  if (!data.starts_with('{'))
    return {{"jsonl", data}};
  nlohmann::json spec = models::parseJson(data);
  if (spec.is_discarded())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("--data begins like a JSON object and is none: {}", data));
  return spec;
}

/// A slip on the command line must not cost the user a data set, nor half an hour for the first model where
/// the second is none.
void check(const Arguments &arguments, const nlohmann::json &spec) {
  const auto lines = spec.find("jsonl");
  std::error_code status;
  if (lines != spec.end() && lines->is_string() && std::filesystem::is_regular_file(arguments.out, status) &&
      std::filesystem::equivalent(arguments.out, lines->get<std::string>(), status))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("--out {} holds the questions, and would be overwritten", arguments.out));
  for (const std::string &folder : arguments.models)
    static_cast<void>(models::readVlmConfig(std::filesystem::path(folder) / "config.json"));
}

std::string share(const distill::Tally &tally) {
  return fmt::format("{:.1f}% of {}", 100 * tally.accuracy(), tally.asked);
}

void run(const Arguments &arguments) {
  models::setTorchThreads(Settings::current().threads);
  const nlohmann::json spec = specOf(arguments.data);
  check(arguments, spec);
  const distill::MediaChange change = distill::mediaChangeNamed(arguments.media);
  std::optional<AtomicFile> out;
  if (!arguments.out.empty())
    out.emplace(arguments.out, AtomicFile::Folders::create);
  std::vector<distill::Evaluation> results;
  const torch::DeviceType device = deviceOf(arguments.device);
  for (const std::string &folder : arguments.models) {
    std::optional<Patience> patience("opening " + folder);
    auto model = models::VisionLanguageModel::open(folder);
    model.moveTo(device);
    const distill::SampleEncoder encoder(model, change);
    const auto set = distill::openSet(spec, "", encoder);
    patience.reset();
    report::ProgressBar bar(folder, double(set->size()));
    bar.update(0);
    std::int64_t asked = 0, right = 0;
    results.push_back(
        distill::evaluate(model, *set, arguments.max_tokens, [&](const distill::Judged &judged) {
          right += judged.right;
          bar.update(double(++asked), fmt::format("{} of {} right", right, asked));
          if (!out)
            return;
          const nlohmann::ordered_json line = {{"model", folder},
                                               {"name", judged.name},
                                               {"kind", judged.kind},
                                               {"question", judged.question},
                                               {"expected", judged.expected},
                                               {"answer", judged.answer},
                                               {"right", judged.right}};
          const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
          out->write(text.data(), text.size());
        }));
    bar.finish();
  }
  // The same set for each model: what is damaged for one is for all.
  const distill::Evaluation &first = results.front();
  for (const std::string &damaged : first.damaged)
    std::fputs(("skipped " + damaged + "\n").c_str(), stderr);
  if (!first.damaged.empty())
    std::fputs(fmt::format("{} of {} questions were skipped as damaged\n", first.damaged.size(),
                           std::int64_t(first.damaged.size()) + first.all.asked)
                   .c_str(),
               stderr);
  if (first.all.asked == 0)
    throw Error(ErrorCode::corruptFile, fmt::format("{}: no question could be asked", arguments.data));
  report::Table table{{"questions"}, {}};
  for (const std::string &folder : arguments.models)
    table.header.push_back(folder);
  auto addRow = [&](const std::string &kind, auto &&tallyOf) {
    std::vector<std::string> row = {kind};
    for (const distill::Evaluation &result : results)
      row.push_back(share(tallyOf(result)));
    table.rows.push_back(row);
  };
  for (const auto &[kind, tally] : first.kinds)
    if (!kind.empty())
      addRow(kind, [&](const distill::Evaluation &result) {
        auto found = result.kinds.find(kind);
        return found == result.kinds.end() ? distill::Tally{} : found->second;
      });
  addRow("all", [](const distill::Evaluation &result) { return result.all; });
  fmt::print("{}", report::formatTable(table));
  if (out) {
    out->commit();
    fmt::print("Saved {}\n", arguments.out);
  }
}

} // namespace

void addEval(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command =
      app.add_subcommand("eval", "Put the questions of a data set to models, and count right answers");
  command->add_option("MODEL", arguments->models, "Folders of vision-language models")->required();
  command
      ->add_option(
          "--data", arguments->data,
          "A JSONL file in LLaVA's form, or an object as in recipes: "
          "'{\"generator\": \"moving-shapes\", \"split\": \"held-out\", \"seed\": 1, \"count\": 200}'")
      ->required();
  addOut(*command, arguments->out, "Each question with its answer, one line of JSON each");
  command->add_option(
      "--media", arguments->media,
      "none (default); shuffled: the frames of videos; blank: grey in place of pictures and videos");
  addWholeNumber(*command, "--max-tokens", arguments->max_tokens, "Of an answer at most (16)");
  addDevice(*command, arguments->device);
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
