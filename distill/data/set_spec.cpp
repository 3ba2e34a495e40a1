#include "distill/data/set_spec.h"
#include "distill/data/easy_vqa.h"
#include "distill/data/generated_set.h"
#include "distill/data/jsonl_set.h"
#include "models/io/json_integer.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace linmu::distill {
namespace {

/// Of a set; as often as `mostRepeats`, those of thousands of sets are counted in 64 bits.
constexpr std::int64_t mostSamples = INT32_MAX, mostRepeats = 1000000;

class SpecReader {
public:
  explicit SpecReader(const nlohmann::json &spec) : spec_(spec) {
    if (!spec.is_object())
      refuse("must be a JSON object");
  }

  bool has(const char *key) const { return spec_.contains(key); }
  std::string text(const char *key) {
    if (!has(key) || !spec_[key].is_string())
      refuse(fmt::format("must have the key '{}', a text", key));
    read_.insert(key);
    return spec_[key].get<std::string>();
  }
  std::string text(const char *key, const char *otherwise) { return has(key) ? text(key) : otherwise; }
  std::string path(const char *key) {
    if (!has(key) || !models::isPath(spec_[key]))
      refuse(fmt::format("must have the key '{}', a path", key));
    return text(key);
  }
  std::int64_t integer(const char *key, std::int64_t most) {
    const auto value = has(key) ? models::integerIn(spec_[key], 0, most) : std::nullopt;
    if (!value)
      refuse(fmt::format("must have the key '{}', an integer from 0 to {}", key, most));
    read_.insert(key);
    return *value;
  }
  std::int64_t integer(const char *key, std::int64_t most, std::int64_t otherwise) {
    return has(key) ? integer(key, most) : otherwise;
  }

  std::vector<std::string> texts(const char *key) {
    const nlohmann::json list = has(key) ? spec_[key] : nlohmann::json();
    if (!list.is_array() || list.empty() ||
        !std::ranges::all_of(list, [](const auto &entry) { return entry.is_string(); }))
      refuse(fmt::format("must have the key '{}', a list of texts", key));
    read_.insert(key);
    return list;
  }

  bool flag(const char *key) {
    if (!has(key) || !spec_[key].is_boolean())
      refuse(fmt::format("must have the key '{}', true or false", key));
    read_.insert(key);
    return spec_[key].get<bool>();
  }

  /// After everything was read.
  void finish() const {
    for (const auto &[key, value] : spec_.items())
      if (!read_.contains(key))
        refuse(fmt::format("must not have the key '{}'", key));
  }
  [[noreturn]] void refuse(const std::string &message) const {
    throw Error(ErrorCode::invalidArgument,
                fmt::format("a set of samples {}, got {}", message, spec_.dump()));
  }

private:
  const nlohmann::json &spec_;
  std::set<std::string, std::less<>> read_;
};

/// The first samples of a set.
class FirstOf final : public SampleSet {
public:
  FirstOf(std::shared_ptr<const SampleSet> set, std::int64_t count) : set_(std::move(set)), count_(count) {}

  std::int64_t size() const override { return count_; }
  Sample load(std::int64_t index) const override { return set_->load(index); }
  Question question(std::int64_t index) const override { return set_->question(index); }
  std::string fingerprint() const override {
    return fmt::format("first {} of {}", count_, set_->fingerprint());
  }

private:
  std::shared_ptr<const SampleSet> set_;
  std::int64_t count_;
};

} // namespace

Split splitNamed(std::string_view text) {
  for (Split split : {Split::train, Split::heldOut})
    if (name(split) == text)
      return split;
  throw Error(ErrorCode::invalidArgument, fmt::format("a split is 'train' or 'held-out', got '{}'", text));
}

std::shared_ptr<const SampleSet> openSet(const nlohmann::json &spec, const std::filesystem::path &folder,
                                         const SampleEncoder &encoder) {
  SpecReader reader(spec);
  std::shared_ptr<const SampleSet> set;
  if (reader.has("jsonl")) {
    set = std::make_shared<JsonlSet>(folder / reader.path("jsonl"), encoder);
  } else if (reader.has("easy-vqa")) {
    const Split split = splitNamed(reader.text("split", "train"));
    set = std::make_shared<EasyVqaSet>(folder / reader.path("easy-vqa"), split, encoder);
  } else if (reader.has("generator")) {
    const std::string generator = reader.text("generator");
    const models::PreprocessorConfig &model = encoder.preprocessor();
    const bool video = generator == "moving-shapes";
    GeneratorOptions options;
    options.side =
        int(reader.integer("side", INT32_MAX, video ? model.video_size.width : model.picture_size.width));
    options.frames = int(reader.integer("frames", INT32_MAX, model.video_frames));
    const Split split = splitNamed(reader.text("split", "train"));
    const std::int64_t seed = reader.integer("seed", INT64_MAX), count = reader.integer("count", mostSamples);
    const bool described = reader.has("describe") && reader.flag("describe");
    const std::vector<std::string> kinds =
        reader.has("kinds") ? reader.texts("kinds") : std::vector<std::string>();
    set = std::make_shared<GeneratedSet>(generator, std::uint64_t(seed), split, count, options, encoder,
                                         described, kinds);
  } else {
    reader.refuse("must have the key 'jsonl', 'easy-vqa' or 'generator'");
  }
  if (!reader.has("generator") && reader.has("count")) {
    const std::int64_t count = reader.integer("count", mostSamples);
    if (count < 1)
      reader.refuse("must have a 'count' of 1 or more");
    if (count < set->size())
      set = std::make_shared<FirstOf>(std::move(set), count);
  }
  reader.finish();
  return set;
}

std::vector<WeightedSet> openSets(const nlohmann::json &list, const std::filesystem::path &folder,
                                  const SampleEncoder &encoder) {
  if (!list.is_array() || list.empty())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("sets of samples must be a list of objects, got {}", list.dump()));
  std::vector<WeightedSet> sets;
  for (nlohmann::json spec : list) {
    const nlohmann::json given =
        spec.is_object() && spec.contains("repeat") ? spec["repeat"] : nlohmann::json(1);
    const auto repeat = models::integerIn(given, 1, mostRepeats);
    if (!repeat)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("'repeat' of a set of samples must be an integer from 1 to {}, got {}",
                              mostRepeats, given.dump()));
    if (spec.is_object())
      spec.erase("repeat");
    sets.push_back({openSet(spec, folder, encoder), *repeat});
  }
  return sets;
}

} // namespace linmu::distill
