// linmu data: generated questions as files to look at.
#include "distill/data/example_writer.h"
#include "distill/data/set_spec.h"
#include "models/report/progress_bar.h"
#include "models/tools/commands.h"
#include "models/tools/output_option.h"
#include "models/tools/whole_number.h"
#include <cstdint>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::tools {
namespace {

struct Arguments {
  std::string generator, out, split = "train";
  std::uint64_t seed = 0;
  std::int64_t count = 20;
  distill::GeneratorOptions options;
};

void run(const Arguments &arguments) {
  const distill::Split split = distill::splitNamed(arguments.split);
  distill::generatorNamed(arguments.generator);
  {
    report::ProgressBar bar("Writing", std::max(1.0, double(arguments.count)));
    distill::writeExamples(arguments.generator, arguments.seed, split, arguments.count, arguments.options,
                           arguments.out, [&](std::int64_t written) { bar.update(double(written)); });
    bar.finish();
  }
  fmt::print("Saved {}/data.jsonl\n", arguments.out);
}

} // namespace

void addData(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command =
      app.add_subcommand("data", "Write questions about generated pictures or videos, with their answers");
  command
      ->add_option("GENERATOR", arguments->generator,
                   fmt::format("{}", fmt::join(distill::generatorNames(), " or ")))
      ->required();
  addOut(*command, arguments->out, "The folder for data.jsonl and media/, new or empty")->required();
  addWholeNumber(*command, "--seed", arguments->seed, "Another seed gives other questions (0)");
  addWholeNumber(*command, "--count", arguments->count, "How many (20)");
  command->add_option("--split", arguments->split, "train (default) or held-out: nothing shown is in both");
  addWholeNumber(*command, "--side", arguments->options.side, "Pixels of a side (64)");
  addWholeNumber(*command, "--frames", arguments->options.frames, "Frames of a video (32)");
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
