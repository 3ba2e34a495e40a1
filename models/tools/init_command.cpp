// linmu init: a new vision-language model to train.
#include "distill/data/vocabulary.h"
#include "models/tools/commands.h"
#include "models/tools/output_option.h"
#include "models/tools/whole_number.h"
#include "models/vlm/model_folder.h"
#include "runtime/io/atomic_folder.h"
#include "runtime/io/interruption.h"
#include <cstdint>
#include <fmt/format.h>

namespace linmu::tools {
namespace {

struct Arguments {
  std::string preset = "small", out;
  std::uint64_t seed = 0;
};

void run(const Arguments &arguments) {
  const models::VlmConfig config = models::VlmConfig::preset(arguments.preset);
  Uninterrupted whole; // of a second or two
  // New: a slip on the command line must not cost the user a trained model.
  AtomicFolder folder(arguments.out, AtomicFolder::Existing::refuse);
  models::writeNewModel(folder.path(), config, models::presetPreprocessor(arguments.preset),
                        distill::wordTokenizerJson(), arguments.seed);
  auto model = models::VisionLanguageModel::open(folder.path());
  std::int64_t parameters = 0;
  for (const auto &[name, tensor] : models::tensorsOf(model))
    parameters += tensor.numel();
  folder.commit();
  fmt::print("Saved {}: {:.2f}M parameters with random values\n", arguments.out, double(parameters) / 1e6);
}

} // namespace

void addInit(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command =
      app.add_subcommand("init", "Make a small vision-language model with random weights, to train");
  addOut(*command, arguments->out, "The folder for it, new or empty")->required();
  command->add_option("--preset", arguments->preset, "small (default; 1,024 tokens a video) or demo (256)");
  addWholeNumber(*command, "--seed", arguments->seed, "Of the weights (0)");
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
