#include "distill/data/example_writer.h"
#include "models/media/picture_writer.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include <fmt/format.h>

namespace linmu::distill {

void writeExamples(const std::string &generator, std::uint64_t seed, Split split, std::int64_t count,
                   const GeneratorOptions &options, const std::filesystem::path &folder,
                   const std::function<void(std::int64_t)> &progress) {
  Generator make = generatorNamed(generator);
  if (count < 1)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("the number of examples must be 1 or more, got {}", count));
  std::error_code status;
  std::filesystem::create_directories(folder / "media", status);
  if (status)
    throw Error(ErrorCode::io, fmt::format("cannot create the folder {}: {}", (folder / "media").string(),
                                           status.message()));
  AtomicFile lines(folder / "data.jsonl");
  for (std::int64_t number = 0; number < count; ++number) {
    const Example example = make(seed, split, number, options);
    const std::string file = fmt::format("media/{:06}.{}", number, example.video ? "gif" : "png");
    if (example.video)
      media::writeGif(folder / file, example.frames);
    else
      media::writePng(folder / file, example.frames);
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
}

} // namespace linmu::distill
