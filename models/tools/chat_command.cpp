// linmu chat: a conversation, one message of the user a line.
#include "models/decoder/threads.h"
#include "models/generate/conversation.h"
#include "models/tools/commands.h"
#include "models/tools/model_arguments.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/input_text.h"
#include "runtime/io/standard_streams.h"
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>
#include <unistd.h>

namespace linmu::tools {
namespace {

struct Arguments : ModelArguments {
  NamedPositionals positionals;
  std::string system;
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

void run(const Arguments &arguments) {
  arguments.positionals.resolve();
  models::setTorchThreads(Settings::current().threads);
  auto model = arguments.open();
  models::Conversation conversation(model, arguments.system, arguments.special);
  models::GenerateOptions options = arguments.options;
  const bool prompted = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO) && !arguments.json;
  models::TextCallback stream;
  if (!arguments.json)
    stream = writeStandardOutput;
  LineReader lines;
  for (;;) {
    if (prompted)
      writeStandardOutput("> ");
    std::optional<std::string> message = lines.next();
    if (!message)
      break;
    if (message->find_first_not_of(" \t") == std::string::npos)
      continue;
    models::Generation answer = conversation.say(*message, options, stream);
    ++options.sampling.seed; // turns draw different numbers
    writeStandardOutput(arguments.json ? answerAsJson(answer, conversation.tokens()) : "\n");
  }
  if (prompted)
    writeStandardOutput("\n");
}

} // namespace

void addChat(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command =
      app.add_subcommand("chat", "Talk to a model: each line of the standard input is a message");
  arguments->positionals.add(*command, "model", "A GGUF file or a Hugging Face folder", &arguments->model);
  command->add_option("--system", arguments->system, "A system message before the conversation");
  arguments->addOptionsTo(*command);
  arguments->addWeightsTo(*command);
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
