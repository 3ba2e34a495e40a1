#include "distill/data/easy_vqa.h"
#include "distill/data/media_file.h"
#include "models/io/json_integer.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include "runtime/io/mapped_file.h"
#include <fmt/format.h>

namespace linmu::distill {

EasyVqaSet::EasyVqaSet(const std::filesystem::path &folder, Split split, const SampleEncoder &encoder)
    : folder_(folder / (split == Split::train ? "train" : "test")), encoder_(encoder) {
  const std::filesystem::path path = folder_ / "questions.json";
  MappedFile file(path);
  const char *text = reinterpret_cast<const char *>(file.bytes().data());
  const nlohmann::json list = models::parseJson({text, file.bytes().size()});
  if (!list.is_array() || list.empty())
    throw Error(ErrorCode::corruptFile, fmt::format("{} must be a JSON list of questions", path.string()));
  for (const nlohmann::json &entry : list) {
    const bool fits = entry.is_array() && entry.size() == 3 && entry[0].is_string() && entry[1].is_string();
    const auto picture = fits ? models::integerIn(entry[2], 0, INT64_MAX) : std::nullopt;
    if (!picture)
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: question {} must be [question, answer, picture], got {}", path.string(),
                              questions_.size(), entry.dump()));
    questions_.push_back({entry[0].get<std::string>(), entry[1].get<std::string>(), *picture});
  }
}

std::string EasyVqaSet::nameOf(std::int64_t index) const {
  return fmt::format("{}:{}", (folder_ / "questions.json").string(), index);
}

std::vector<media::Frames> EasyVqaSet::framesOf(const Entry &entry) const {
  std::vector<media::Frames> frames;
  frames.push_back(
      loadPicture(folder_ / "images" / fmt::format("{}.png", entry.picture), encoder_.preprocessor()));
  return frames;
}

Sample EasyVqaSet::load(std::int64_t index) const {
  const Entry &entry = questions_.at(std::size_t(index));
  return encoder_.encode(nameOf(index), questionAndAnswer(false, entry.text, entry.answer), framesOf(entry));
}

Question EasyVqaSet::question(std::int64_t index) const {
  const Entry &entry = questions_.at(std::size_t(index));
  const bool whether = entry.answer == "yes" || entry.answer == "no";
  const bool colour = entry.text.find("color") != std::string::npos;
  return {encoder_.encode(nameOf(index), questionAndAnswer(false, entry.text), framesOf(entry), true),
          entry.text, entry.answer,
          whether  ? "yes-no"
          : colour ? "colour"
                   : "shape"};
}

std::string EasyVqaSet::fingerprint() const {
  return fmt::format("easy-vqa {} count {}", folder_.filename().string(), questions_.size());
}

} // namespace linmu::distill
