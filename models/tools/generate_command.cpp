// linmu generate: text from a prompt.
#include "models/decoder/threads.h"
#include "models/generate/generate.h"
#include "models/tools/commands.h"
#include "runtime/core/settings.h"
#include <cstdio>
#include <fmt/format.h>

namespace linmu::tools {
namespace {

struct Arguments {
  std::string model, prompt;
  models::GenerateOptions options;
  bool raw = false;
};

void run(const Arguments &arguments) {
  models::setTorchThreads(Settings::current().threads);
  auto model = models::LanguageModel::open(arguments.model);
  auto ids = models::encodePrompt(model, arguments.prompt, arguments.raw);
  auto result = models::generate(model, ids, arguments.options, [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  });
  fmt::print("\n");
  double decode_rate = result.decode_seconds > 0 ? result.ids.size() / result.decode_seconds : 0;
  fmt::print(stderr, "prompt: {} tokens in {:.2f} s; generated: {} tokens, {:.1f} tokens/s\n",
             result.prompt_tokens, result.prefill_seconds, result.ids.size(), decode_rate);
}

} // namespace

void addGenerate(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("generate", "Generate text from a prompt");
  command->add_option("--model", arguments->model, "A GGUF file or a Hugging Face folder")->required();
  command->add_option("--prompt", arguments->prompt, "The user's message")->required();
  command->add_option("--max-tokens", arguments->options.max_tokens, "Tokens to generate at most (256)");
  command->add_option("--temperature", arguments->options.sampling.temperature,
                      "0, the default, always takes the most likely token");
  command->add_option("--top-p", arguments->options.sampling.top_p,
                      "Sample from the likeliest tokens that reach this probability (1)");
  command->add_option("--seed", arguments->options.sampling.seed, "Seed of the sampling (0)");
  command->add_flag("--raw", arguments->raw, "Take the prompt as it is, without the model's chat template");
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
