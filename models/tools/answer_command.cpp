// linmu answer: one question about pictures and videos.
#include "models/decoder/threads.h"
#include "models/tools/commands.h"
#include "models/tools/media_arguments.h"
#include "models/tools/model_arguments.h"
#include "models/vlm/vision_conversation.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/standard_streams.h"
#include <fmt/format.h>

namespace linmu::tools {
namespace {

struct Arguments : ModelArguments {
  NamedPositionals positionals;
  std::string question;
  MediaArguments media;
};

void run(const Arguments &arguments) {
  arguments.positionals.resolve();
  if (arguments.special)
    throw Error(ErrorCode::unsupported, "linmu answer takes control tokens in a question as text",
                "leave out --special");
  models::checkOptions(arguments.options);
  const std::string question = textOrStandardInput(arguments.question);
  models::setTorchThreads(Settings::current().threads);
  Patience patience("opening " + arguments.model + " and answering");
  const auto model = models::VisionLanguageModel::open(arguments.model);
  SeenMedia seen = arguments.media.load(model);
  seen.parts.emplace_back().text = question;
  models::VisionConversation conversation(model);
  const models::Generation answer =
      conversation.say(seen.parts, seen.patches, arguments.options, arguments.streamAfter(patience));
  writeStandardOutput(arguments.json ? answerAsJson(answer, conversation.tokens()) : "\n");
}

} // namespace

void addAnswer(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("answer", "Answer a question about pictures and videos");
  arguments->positionals.add(*command, "model", "A folder of a vision-language model", &arguments->model);
  arguments->positionals.add(*command, "question", "What is asked; - reads the standard input",
                             &arguments->question);
  arguments->media.addOptionsTo(*command);
  arguments->addOptionsTo(*command);
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
