#include "distill/data/example_writer.h"
#include "models/media/picture_writer.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/atomic_folder.h"
#include "runtime/io/interruption.h"
#include <fmt/format.h>

namespace linmu::distill {

void writeExamples(const std::string &generator, std::uint64_t seed, Split split, std::int64_t count,
                   const GeneratorOptions &options, const std::filesystem::path &folder,
                   const std::function<void(std::int64_t)> &progress) {
  Generator make = generatorNamed(generator);
  if (count < 1)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the number of examples must be 1 or more, got {}", count));
  Example example = make(seed, split, 0, options); // before all else: options may not fit
  Uninterrupted until_the_next; // a signal ends this between two examples, and nothing is left behind
  AtomicFolder made(folder, AtomicFolder::Existing::refuse);
  std::filesystem::create_directory(made.path() / "media");
  AtomicFile lines(made.path() / "data.jsonl");
  for (std::int64_t number = 0; number < count; ++number) {
    if (interruptionWaits())
      return;
    if (number > 0)
      example = make(seed, split, number, options);
    const std::string file = fmt::format("media/{:06}.{}", number, example.video ? "gif" : "png");
    if (example.video)
      media::writeGif(made.path() / file, example.frames);
    else
      media::writePng(made.path() / file, example.frames);
    const char *key = example.video ? "video" : "image";
    const nlohmann::ordered_json line = {
        {"id", fmt::format("{}-{}-{}-{}", generator, name(split), seed, number)},
        {key, file},
        {"conversations",
         {{{"from", "human"}, {"value", fmt::format("<{}>\n{}", key, example.question)}},
          {{"from", "gpt"}, {"value", example.answer}}}},
        {"kind", example.kind},
        {"facts", example.facts}};
    const std::string text = line.dump() + "\n";
    lines.write(text.data(), text.size());
    if (progress)
      progress(number + 1);
  }
  lines.commit();
  made.commit();
}

} // namespace linmu::distill
