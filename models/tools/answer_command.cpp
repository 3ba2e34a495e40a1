// linmu answer: one question about pictures and videos.
#include "distill/data/media_file.h"
#include "distill/data/sample_encoder.h"
#include "models/decoder/threads.h"
#include "models/tools/commands.h"
#include "models/tools/model_arguments.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/standard_streams.h"
#include <fmt/format.h>

namespace linmu::tools {
namespace {

struct Arguments : ModelArguments {
  NamedPositionals positionals;
  std::string question;
  std::vector<std::string> images, videos;
};

void run(const Arguments &arguments) {
  arguments.positionals.resolve();
  if (arguments.special)
    throw Error(ErrorCode::unsupported, "linmu answer takes control tokens in a question as text",
                "leave out --special");
  models::checkOptions(arguments.options);
  models::setTorchThreads(Settings::current().threads);
  const auto model = models::VisionLanguageModel::open(arguments.model);
  const distill::SampleEncoder encoder(model);
  models::VisionMessage message{"user", {}};
  std::vector<media::Frames> frames;
  auto add = [&](models::VisionPart::Kind kind, media::Frames item) {
    message.parts.emplace_back().kind = kind;
    frames.push_back(std::move(item));
  };
  for (const std::string &path : arguments.images)
    add(models::VisionPart::Kind::picture, distill::loadPicture(path, model.preprocessor));
  for (const std::string &path : arguments.videos)
    add(models::VisionPart::Kind::video, distill::loadVideo(path, model.preprocessor));
  message.parts.emplace_back().text = arguments.question;
  const distill::Sample prompt = encoder.encode("the question", {message}, std::move(frames), true);
  models::TextCallback stream;
  if (!arguments.json)
    stream = writeStandardOutput;
  const models::Generation answer =
      model.answer({prompt.ids, {}, prompt.media}, prompt.patches, arguments.options, stream);
  // What is in the state: all but the last token where no stop token came after it.
  const auto generated = std::int64_t(answer.ids.size());
  const std::int64_t context = answer.prompt_tokens + generated - (answer.stopped || generated == 0 ? 0 : 1);
  writeStandardOutput(arguments.json ? answerAsJson(answer, context) : "\n");
}

} // namespace

void addAnswer(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("answer", "Answer a question about pictures and videos");
  arguments->positionals.add(*command, "model", "A folder of a vision-language model", &arguments->model);
  arguments->positionals.add(*command, "question", "What is asked", &arguments->question);
  command->add_option("--image", arguments->images, "A picture file; several come in order")
      ->type_size(1)
      ->expected(1, 64)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--video", arguments->videos, "A video file; several come after the pictures")
      ->type_size(1)
      ->expected(1, 64)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  arguments->addOptionsTo(*command);
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
