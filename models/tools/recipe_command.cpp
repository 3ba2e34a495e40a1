// What `linmu distill` and `linmu train` have in common: a recipe's run with its progress.
#include "models/tools/recipe_command.h"
#include "distill/distillation.h"
#include "distill/parallel/join.h"
#include "models/decoder/threads.h"
#include "models/report/progress_bar.h"
#include "models/tools/machine_facts.h"
#include "models/tools/output_option.h"
#include "models/tools/patience.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/interruption.h"
#include "runtime/io/standard_streams.h"
#include <fmt/format.h>
#include <optional>
#include <thread>

namespace linmu::tools {
namespace {

struct Arguments {
  std::string recipe, out, device, precision;
  bool resume = false;
};

/// "loss 0.412 (hidden 0.02, token 0.8), 1,024 tokens/s, 1.2 GiB"
std::string detailOf(const distill::StepReport &report) {
  std::string terms;
  auto add = [&](const char *name, double value) {
    if (value != 0)
      terms += fmt::format("{}{} {:.4g}", terms.empty() ? "" : ", ", name, value);
  };
  add("hidden", report.terms.hidden);
  add("token", report.terms.token);
  add("sequence", report.terms.sequence);
  add("supervised", report.terms.supervised);
  // What is worth the user's looking into.
  std::string waiting;
  auto waits = [&](const char *what, double seconds) {
    if (seconds > 0.1 * report.seconds)
      waiting += fmt::format(", {:.0f}% of the time waiting for {}", 100 * seconds / report.seconds, what);
  };
  waits("data", report.data_seconds);
  waits("other ranks", report.ranks_seconds);
  return fmt::format("loss {:.4g} ({}), {:.0f} tokens/s, {}{}", report.loss, terms,
                     double(report.tokens) / std::max(report.seconds, 1e-9), bytesText(report.peak_memory),
                     waiting);
}

/// A line of its own, also where a progress bar is being redrawn.
void say(const std::string &text) {
  static const bool in_place = report::ProgressOutput::detect().in_place;
  std::fputs(fmt::format("{}linmu: {}\n", in_place ? "\r\x1b[K" : "", text).c_str(), stderr);
}

/// Of several ranks one shows how far they are.
void train(distill::Distillation &run, bool quiet) {
  // Ctrl-C and its like wait until what it asks for is done: see `stop`.
  Uninterrupted signals_wait;
  std::optional<WaitingNotice> notice;
  if (!quiet)
    notice.emplace("\nlinmu: stopping after this step, which is saved\n");
  std::unique_ptr<report::ProgressBar> bar;
  std::int64_t before = run.trainer().stageStepsDone();
  // Of the steps that this process makes, so that the time left is theirs.
  auto show = [&](std::size_t number) {
    const auto &stages = run.recipe().stages;
    bar.reset();
    if (number < stages.size() && stages[number].steps > before) {
      bar = std::make_unique<report::ProgressBar>("Stage " + stages[number].name,
                                                  double(stages[number].steps - before));
      bar->update(0, "the first step, which may compile kernels");
    }
  };
  if (!quiet)
    show(run.trainer().stage());
  distill::TrainerEvents events;
  events.stop = interruptionWaits;
  auto runAll = [&] {
    try {
      return run.run(events);
    } catch (const Error &error) {
      // A launcher ends the ranks that are left; then nobody comes to say why.
      if (interruptionWaits())
        say(std::string("error: ") + error.what());
      throw;
    }
  };
  if (quiet) {
    runAll();
    return;
  }
  events.onStep = [&](const distill::StepReport &report) {
    const distill::Stage &stage = run.recipe().stages[report.stage];
    std::string detail = fmt::format("step {} of {}, {}", report.step, stage.steps, detailOf(report));
    bar->update(double(report.step - before), detail);
    if (!report.skipped.empty())
      say(fmt::format("step {} skipped: the gradient of {} is not finite", report.whole_step,
                      report.skipped));
    if (report.step == stage.steps)
      bar->finish(detail);
  };
  events.onValidation = [&](std::int64_t step, double divergence, double likelihood) {
    const std::string to_teacher =
        run.distills() ? fmt::format("KL to the teacher {:.4g}, ", divergence) : "";
    say(fmt::format("step {}: validation: {}-log p of the answers {:.4g}", step, to_teacher, likelihood));
  };
  events.onStageEnd = [&](std::size_t number) {
    before = 0;
    show(number + 1);
  };
  distill::Trainer::End end = runAll();
  bar.reset();
  if (std::string summary = run.dataSummary(); !summary.empty())
    say(summary);
  if (end == distill::Trainer::End::stopped)
    say(fmt::format("stopped after step {} of {}, which is saved; --resume goes on from there",
                    run.stepsDone(), run.steps()));
  else
    say(fmt::format("{} has the curves", run.reportFile().string()));
} // here a signal that waits ends the program

/// What is given beside the recipe stands in its place.
distill::Recipe recipeOf(const Arguments &arguments, distill::RecipeKind kind) {
  nlohmann::json instead = nlohmann::json::object();
  if (!arguments.device.empty())
    instead["device"] = arguments.device;
  if (!arguments.precision.empty())
    instead["precision"] = arguments.precision;
  distill::Recipe recipe = distill::Recipe::read(arguments.recipe, instead);
  if (recipe.kind != kind)
    throw Error(
        ErrorCode::invalidArgument,
        kind == distill::RecipeKind::train
            ? fmt::format("{}: kind: expected \"train\", got a recipe of a distillation", arguments.recipe)
            : fmt::format("{}: kind: expected \"distill\", got a recipe of a training", arguments.recipe),
        kind == distill::RecipeKind::train ? "linmu distill runs it" : "linmu train runs it");
  if (!arguments.out.empty())
    recipe.out = arguments.out;
  return recipe;
}

/// Ranks of one machine share its cores.
int threadsOf(const std::optional<distill::LaunchedRank> &launched) {
  const int threads = Settings::current().threads;
  if (threads > 0 || !launched)
    return threads;
  return std::max(1, int(std::thread::hardware_concurrency() / launched->local_ranks));
}

void run(const Arguments &arguments, distill::RecipeKind kind) {
  using Start = distill::Distillation::Start;
  const auto launched = distill::LaunchedRank::fromEnvironment();
  models::setTorchThreads(threadsOf(launched));
  distill::Recipe recipe = recipeOf(arguments, kind);
  if (launched && recipe.device.is_cuda())
    recipe.device = torch::Device(torch::kCUDA, c10::DeviceIndex(launched->local_rank));
  std::optional<Patience> patience;
  if (launched)
    patience.emplace(fmt::format("rank {} of {} waits for the others, who meet at {}:{}", launched->rank,
                                 launched->ranks, launched->address, launched->port));
  const auto ranks = distill::joinRanks(launched, recipe.device);
  patience.reset();
  const bool quiet = ranks->rank() != 0;
  if (!quiet)
    patience.emplace("opening the model and the data of " + arguments.recipe);
  distill::Distillation run(std::move(recipe), arguments.resume ? Start::resume : Start::fresh, *ranks);
  patience.reset();
  if (run.stepsDone() > 0 && !quiet)
    say(fmt::format("going on after step {} of {}", run.stepsDone(), run.steps()));
  train(run, quiet);
  if (!quiet)
    writeStandardOutput(run.resultFolder().string() + "\n");
}

} // namespace

void addRecipeCommand(CLI::App &app, const std::string &name, const std::string &summary,
                      distill::RecipeKind kind) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand(name, summary);
  command->add_option("recipe", arguments->recipe, "A JSON file (docs/distill.md)")->required();
  addOut(*command, arguments->out, "The folder to write to, in place of the recipe's");
  command->add_option("--device", arguments->device, "cpu or cuda, in place of the recipe's")
      ->check(CLI::IsMember({"cpu", "cuda"}));
  command->add_option("--precision", arguments->precision, "f32 or bf16, in place of the recipe's")
      ->check(CLI::IsMember({"f32", "bf16"}));
  command->add_flag("--resume", arguments->resume, "Go on from the newest checkpoint, if there is one");
  command->callback([arguments, kind] { run(*arguments, kind); });
}

} // namespace linmu::tools
