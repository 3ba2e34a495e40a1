// linmu chat: a conversation, one message of the user a line.
#include "models/decoder/threads.h"
#include "models/generate/conversation.h"
#include "models/tools/commands.h"
#include "models/tools/media_arguments.h"
#include "models/tools/model_arguments.h"
#include "models/vlm/vision_conversation.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/input_text.h"
#include "runtime/io/standard_streams.h"
#include <cerrno>
#include <cstdio>
#include <functional>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace linmu::tools {
namespace {

struct Arguments : ModelArguments {
  NamedPositionals positionals;
  std::string system;
  MediaArguments media;
};

/// Lines of the standard input, each as soon as it is there.
class LineReader {
public:
  /// The next line without its end; nothing after the last one. Throws Error(io).
  std::optional<std::string> next() {
    for (;;) {
      if (std::size_t end = pending_.find('\n'); end != std::string::npos || (ended_ && !pending_.empty())) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end == std::string::npos ? end : end + 1);
        if (line.ends_with('\r'))
          line.pop_back();
        return line;
      }
      if (ended_)
        return std::nullopt;
      if (!told_)
        waitForData(STDIN_FILENO, "the standard input", [this](const std::string &) {
          std::fputs("linmu: waiting for a message, one a line; Ctrl-D ends the conversation\n", stderr);
          told_ = true;
        });
      read();
    }
  }

private:
  void read() {
    char block[4096];
    ssize_t got = ::read(STDIN_FILENO, block, sizeof block);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
      return;
    if (got < 0)
      throw Error(ErrorCode::io, "cannot read the standard input: " + std::generic_category().message(errno));
    ended_ = got == 0;
    pending_.append(block, std::size_t(got));
    if (pending_.size() > longest_input_text)
      throw Error(ErrorCode::io, "a message on the standard input has more than 64 MiB");
  }

  std::string pending_;
  bool ended_ = false, told_ = false;
};

/// What answers one message, and the number of tokens that its state has been through.
struct Partner {
  std::function<models::Generation(const std::string &, const models::GenerateOptions &,
                                   const models::TextCallback &)>
      say;
  std::function<std::int64_t()> tokens;
};

void talk(const Partner &partner, const Arguments &arguments) {
  models::GenerateOptions options = arguments.options;
  const bool prompted = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO) && !arguments.json;
  LineReader lines;
  for (;;) {
    if (prompted)
      writeStandardOutput("> ");
    std::optional<std::string> message = lines.next();
    if (!message)
      break;
    if (message->find_first_not_of(" \t") == std::string::npos)
      continue;
    Patience patience("answering a message of " + std::to_string(message->size()) + " bytes");
    models::Generation answer = partner.say(*message, options, arguments.streamAfter(patience));
    ++options.sampling.seed; // turns draw different numbers
    writeStandardOutput(arguments.json ? answerAsJson(answer, partner.tokens()) : "\n");
  }
  if (prompted)
    writeStandardOutput("\n");
}

void talkAboutText(const Arguments &arguments) {
  if (!arguments.media.empty())
    throw Error(ErrorCode::unsupported,
                arguments.model + " is a model of text, which takes no --image and no --video",
                "give the folder of a vision-language model");
  const models::LanguageModel model = arguments.open();
  models::Conversation conversation(model, arguments.system, arguments.special);
  talk({[&](const std::string &message, const models::GenerateOptions &options,
            const models::TextCallback &stream) { return conversation.say(message, options, stream); },
        [&] { return conversation.tokens(); }},
       arguments);
}

void talkAboutMedia(const Arguments &arguments) {
  if (arguments.special || arguments.weights)
    throw Error(ErrorCode::unsupported,
                arguments.model + " is a vision-language model, which takes no --special and no --weights",
                "leave them out");
  models::checkOptions(arguments.options);
  std::optional<Patience> patience("opening " + arguments.model);
  const auto model = models::VisionLanguageModel::open(arguments.model);
  // What is seen comes before the first message.
  SeenMedia seen = arguments.media.load(model);
  patience.reset();
  models::VisionConversation conversation(model, arguments.system);
  talk({[&](const std::string &message, const models::GenerateOptions &options,
            const models::TextCallback &stream) {
          seen.parts.emplace_back().text = message;
          const SeenMedia said = std::exchange(seen, {});
          return conversation.say(said.parts, said.patches, options, stream);
        },
        [&] { return conversation.tokens(); }},
       arguments);
}

void run(const Arguments &arguments) {
  arguments.positionals.resolve();
  models::setTorchThreads(Settings::current().threads);
  if (models::isVisionLanguageModel(arguments.model))
    talkAboutMedia(arguments);
  else
    talkAboutText(arguments);
}

} // namespace

void addChat(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command =
      app.add_subcommand("chat", "Talk to a model: each line of the standard input is a message");
  arguments->positionals.add(*command, "model", "A GGUF file or a folder of a model", &arguments->model);
  command->add_option("--system", arguments->system, "A system message before the conversation");
  arguments->media.addOptionsTo(*command);
  arguments->addOptionsTo(*command);
  arguments->addWeightsTo(*command);
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
