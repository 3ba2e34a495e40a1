#include "models/generate/language_model.h"
#include "models/io/json_file.h"
#include "models/io/json_integer.h"
#include "models/mmate/mmate_tensors.h"
#include "runtime/core/error.h"
#include "runtime/io/mapped_file.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::models {
namespace {

void addStop(std::vector<std::int64_t> &stops, std::optional<std::int64_t> id) {
  if (id && !std::ranges::count(stops, *id))
    stops.push_back(*id);
}

[[noreturn]] void failUnpacked(const std::filesystem::path &path) {
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: holds no weights that are packed as Q4_0, Q4_1 or Q8_0", path.string()),
              "leave out --weights, or write --weights=f32");
}

LanguageModel openGguf(const std::filesystem::path &path, std::optional<WeightForm> form) {
  auto file = std::make_shared<const GgufFile>(GgufFile::open(path));
  DecoderConfig config = readGgufConfig(*file);
  Tokenizer tokenizer = Tokenizer::fromGguf(*file);
  WeightReader weights = WeightReader::fromGguf(file, config, form.value_or(WeightForm::packed));
  if (form == WeightForm::packed && !weights.hasPacked())
    failUnpacked(path);
  LanguageModel model{Decoder::load(config, weights), std::move(tokenizer), {}, path.string(), {}};
  if (file->has("tokenizer.chat_template"))
    model.chat_template_text = file->string("tokenizer.chat_template");
  for (const char *key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"})
    if (file->has(key))
      addStop(model.stop_tokens, file->integer(key));
  return model;
}

/// `eos_token_id` is a number or a list of numbers.
void addStops(const nlohmann::json &object, const std::filesystem::path &path,
              std::vector<std::int64_t> &stops) {
  if (!object.contains("eos_token_id") || object["eos_token_id"].is_null())
    return;
  const nlohmann::json &ids = object["eos_token_id"];
  for (const nlohmann::json &id : ids.is_array() ? ids : nlohmann::json::array({ids})) {
    const auto stop = integerIn(id, 0, mostTokenId);
    if (!stop)
      throw Error(ErrorCode::corruptFile, fmt::format("{}: 'eos_token_id' must be an integer or a list of "
                                                      "integers from 0 to {}, got {}",
                                                      path.string(), mostTokenId, ids.dump()));
    addStop(stops, stop);
  }
}

/// `eos_token` of tokenizer_config.json, a token or an object with its `content`; null is none.
void addStopText(const std::filesystem::path &path, const Tokenizer &tokenizer,
                 std::vector<std::int64_t> &stops) {
  if (!std::filesystem::exists(path))
    return;
  nlohmann::json object = readJsonObject(path);
  if (!object.contains("eos_token") || object["eos_token"].is_null())
    return;
  const nlohmann::json &token = object["eos_token"];
  const nlohmann::json &text = token.is_object() && token.contains("content") ? token["content"] : token;
  if (!text.is_string())
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: 'eos_token' must be a string or an object with a 'content', "
                            "got {}",
                            path.string(), token.dump()));
  addStop(stops, tokenizer.idOf(text.get<std::string>()));
}

std::string readChatTemplate(const std::filesystem::path &folder) {
  if (std::filesystem::path path = folder / "chat_template.jinja"; std::filesystem::exists(path)) {
    MappedFile file(path);
    return {reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size()};
  }
  std::filesystem::path path = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(path))
    return {};
  nlohmann::json object = readJsonObject(path);
  if (!object.contains("chat_template") || !object["chat_template"].is_string())
    return {};
  return object["chat_template"].get<std::string>();
}

} // namespace

Decoder loadDecoder(const nlohmann::json &object, const std::string &origin, const DecoderConfig &config,
                    WeightReader &weights) {
  if (!config.mmate)
    return Decoder::load(config, weights);
  if (!object.contains("linmu"))
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: requires the key 'linmu', M-MATE's configuration", origin));
  return loadMMateDecoder(config, MMateConfig::fromJson(object["linmu"].dump()), weights);
}

/// What every source has in common.
static LanguageModel completed(LanguageModel model) {
  addStop(model.stop_tokens, model.tokenizer.idOf("<|im_end|>"));
  if (model.tokenizer.size() > model.decoder.config().vocab_size)
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: the tokenizer has {} tokens, the embedding has {} rows", model.origin,
                            model.tokenizer.size(), model.decoder.config().vocab_size));
  return model;
}

LanguageModel LanguageModel::fromFolder(const std::filesystem::path &folder, Tokenizer tokenizer,
                                        Decoder decoder) {
  LanguageModel model{
      std::move(decoder), std::move(tokenizer), readChatTemplate(folder), folder.string(), {}};
  for (const char *name : {"config.json", "generation_config.json"})
    if (std::filesystem::exists(folder / name))
      addStops(readJsonObject(folder / name), folder / name, model.stop_tokens);
  addStopText(folder / "tokenizer_config.json", model.tokenizer, model.stop_tokens);
  return completed(std::move(model));
}

LanguageModel LanguageModel::open(const std::filesystem::path &path, std::optional<WeightForm> form) {
  if (!std::filesystem::exists(path))
    throw Error(ErrorCode::io, fmt::format("no such file or folder: {}", path.string()));
  if (!std::filesystem::is_directory(path))
    return completed(openGguf(path, form));
  if (form == WeightForm::packed)
    failUnpacked(path);
  const std::filesystem::path config_path = path / "config.json";
  const nlohmann::json object = readJsonObject(config_path);
  DecoderConfig config = readConfigJson(object, config_path.string());
  Tokenizer tokenizer = Tokenizer::fromJson(path / "tokenizer.json");
  WeightReader weights = WeightReader::fromSafetensors(path);
  return fromFolder(path, std::move(tokenizer), loadDecoder(object, config_path.string(), config, weights));
}

ChatTemplate LanguageModel::chatTemplate() const {
  if (chat_template_text.empty())
    throw Error(ErrorCode::unsupported, fmt::format("{} has no chat template", origin),
                "give the whole text yourself with --raw --special");
  return ChatTemplate::parse(chat_template_text, origin);
}

} // namespace linmu::models
