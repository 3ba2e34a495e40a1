// linmu generate: text from a prompt.
#include "models/decoder/threads.h"
#include "models/tools/commands.h"
#include "models/tools/model_arguments.h"
#include "runtime/core/settings.h"
#include "runtime/io/standard_streams.h"
#include <cstdio>
#include <fmt/format.h>

namespace linmu::tools {
namespace {

struct Arguments : ModelArguments {
  NamedPositionals positionals;
  std::string prompt;
  bool raw = false;
};

void run(const Arguments &arguments) {
  arguments.positionals.resolve();
  std::string prompt = textOrStandardInput(arguments.prompt);
  models::setTorchThreads(Settings::current().threads);
  auto model = arguments.open();
  auto ids = models::encodePrompt(model, prompt, arguments.raw, arguments.special);
  models::DecoderState state = model.decoder.initialState();
  Patience patience(fmt::format("answering a prompt of {} tokens", ids.size()));
  auto result = models::generateAfter(model, state, ids, arguments.options, arguments.streamAfter(patience));
  if (arguments.json) {
    writeStandardOutput(answerAsJson(result, state.tokens));
    return;
  }
  writeStandardOutput("\n");
  double decode_rate = result.decode_seconds > 0 ? double(result.ids.size()) / result.decode_seconds : 0;
  std::fputs(fmt::format("prompt: {} tokens in {:.2f} s; generated: {} tokens, {:.1f} tokens/s\n",
                         result.prompt_tokens, result.prefill_seconds, result.ids.size(), decode_rate)
                 .c_str(),
             stderr);
}

} // namespace

void addGenerate(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("generate", "Generate text from a prompt");
  arguments->positionals.add(*command, "model", "A GGUF file or a Hugging Face folder", &arguments->model);
  arguments->positionals.add(*command, "prompt", "The user's message; - reads the standard input",
                             &arguments->prompt);
  arguments->addOptionsTo(*command);
  arguments->addWeightsTo(*command);
  command->add_flag("--raw", arguments->raw, "Take the prompt as it is, without the model's chat template");
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
