// Tokenizer from Hugging Face's tokenizer.json.
#include "models/io/json_file.h"
#include "models/io/json_integer.h"
#include "models/text/tokenizer.h"
#include "models/text/tokenizer_json_steps.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>
#include <unordered_map>

namespace linmu::models {
namespace {

using nlohmann::json;

class TokenizerJson {
public:
  TokenizerJson(const std::filesystem::path &path, Tokenizer::Definition &definition)
      : origin_(path.string()), root_(readJsonObject(path)), definition_(definition) {
    definition_.origin = origin_;
  }

  void read() {
    try {
      readModel(root_.at("model"));
      appendNormalizers(valueOf(root_, "normalizer"), origin_, definition_.normalizers);
      appendPreTokenizers(valueOf(root_, "pre_tokenizer"), origin_, definition_.pre_tokenizers);
      readDecoder(valueOf(root_, "decoder"));
      readAddedTokens(valueOf(root_, "added_tokens"));
      readPostProcessor(valueOf(root_, "post_processor"));
    } catch (const json::exception &error) {
      throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin_, error.what()));
    }
  }

private:
  static json valueOf(const json &object, const char *key) {
    return object.contains(key) ? object.at(key) : json();
  }
  [[noreturn]] void unsupported(const std::string &message) const {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: {}; supported is byte-pair encoding (type 'BPE')", origin_, message));
  }
  [[noreturn]] void corrupt(const std::string &message) const {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin_, message));
  }

  std::int64_t idOf(const json &value, const std::string &what) const {
    const auto id = integerIn(value, 0, mostTokenId);
    if (!id)
      corrupt(fmt::format("{} must be an integer from 0 to {}, got {}", what, mostTokenId, value.dump()));
    return *id;
  }

  void readModel(const json &model) {
    if (std::string type = model.value("type", "BPE"); type != "BPE")
      unsupported(fmt::format("the model's type is '{}'", type));
    if (json dropout = valueOf(model, "dropout"); !dropout.is_null() && dropout != 0)
      unsupported(fmt::format("the model's 'dropout' is {}", dropout.dump()));
    auto textOr = [&](const char *field) {
      json value = valueOf(model, field);
      return value.is_null() ? std::string() : value.get<std::string>();
    };
    auto flag = [&](const char *field) {
      json value = valueOf(model, field);
      return !value.is_null() && value.get<bool>();
    };
    BytePairOptions &options = definition_.options;
    if (json unknown = valueOf(model, "unk_token"); !unknown.is_null())
      options.unknown = unknown.get<std::string>();
    options.continuing_prefix = textOr("continuing_subword_prefix");
    options.end_suffix = textOr("end_of_word_suffix");
    options.fuse_unknown = flag("fuse_unk");
    options.byte_fallback = flag("byte_fallback");
    options.whole_words = flag("ignore_merges");
    std::unordered_map<std::int64_t, std::string> owners;
    for (const auto &[token, id] : model.at("vocab").items())
      place(token, idOf(id, fmt::format("the id of the token '{}'", token)), owners);
    for (const json &merge : model.at("merges"))
      readMerge(merge);
  }

  void place(const std::string &token, std::int64_t id,
             std::unordered_map<std::int64_t, std::string> &owners) {
    if (auto [owner, is_new] = owners.emplace(id, token); !is_new)
      corrupt(fmt::format("the id {} belongs to '{}' and to '{}'", id, owner->second, token));
    definition_.vocabulary.emplace(token, static_cast<std::int32_t>(id));
  }

  void readMerge(const json &merge) {
    if (merge.is_array()) {
      if (merge.size() != 2)
        corrupt(fmt::format("the merge {} must be two tokens", merge.dump()));
      definition_.merges.emplace_back(merge.at(0), merge.at(1));
      return;
    }
    auto text = merge.get<std::string>();
    if (text.starts_with("#version"))
      return;
    std::size_t space = text.find(' ');
    if (space == text.npos || text.find(' ', space + 1) != text.npos)
      corrupt(fmt::format("the merge '{}' must be two tokens with a space between", text));
    definition_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }

  void readDecoder(const json &decoder) {
    // Text is then the tokens' bytes one after the other, which can be shown token by token.
    if (decoder.is_object() && decoder.value("type", "") == "ByteLevel")
      definition_.token_bytes = [](const std::string &token, bool) { return bytesOfToken(token); };
    else if (decoder.is_null())
      definition_.decoders.push_back(spaceDecoder());
    else
      appendDecoders(decoder, origin_, definition_.decoders);
  }

  void readAddedTokens(const json &added) {
    for (const json &token : added) {
      AddedToken &result = definition_.added.emplace_back();
      result.content = token.at("content").get<std::string>();
      const std::int64_t id =
          idOf(token.at("id"), fmt::format("'id' of the added token '{}'", result.content));
      if (result.content.empty())
        corrupt(fmt::format("the added token {} is empty", id));
      result.single_word = token.value("single_word", false);
      result.left_strip = token.value("lstrip", false);
      result.right_strip = token.value("rstrip", false);
      result.normalized = token.value("normalized", false);
      result.special = token.value("special", false);
    }
  }

  std::vector<std::int64_t> idsOf(const json &special_tokens, const json &piece) const {
    const auto name = piece.at("SpecialToken").at("id").get<std::string>();
    const json &value = special_tokens.at(name).at("ids");
    auto ids = integersIn(value, 0, mostTokenId);
    if (!ids)
      corrupt(fmt::format("'ids' of the special token '{}' must be a list of integers from 0 to {}, got {}",
                          name, mostTokenId, value.dump()));
    return std::move(*ids);
  }

  /// What a step puts around the text is put around what the steps before it put there.
  void surround(std::vector<std::int64_t> before, const std::vector<std::int64_t> &after) {
    before.insert(before.end(), definition_.prefix.begin(), definition_.prefix.end());
    definition_.prefix = std::move(before);
    definition_.suffix.insert(definition_.suffix.end(), after.begin(), after.end());
  }

  /// Byte-level post-processing moves offsets only; a template may put special tokens around the text.
  void readPostProcessor(const json &step) {
    if (step.is_null())
      return;
    const auto type = step.at("type").get<std::string>();
    if (type == "Sequence") {
      for (const json &inner : step.at("processors"))
        readPostProcessor(inner);
    } else if (type == "TemplateProcessing") {
      std::vector<std::int64_t> before, after;
      int texts = 0;
      for (const json &piece : step.at("single")) {
        if (piece.contains("Sequence")) {
          ++texts;
          continue;
        }
        std::vector<std::int64_t> ids = idsOf(step.at("special_tokens"), piece);
        std::vector<std::int64_t> &side = texts ? after : before;
        side.insert(side.end(), ids.begin(), ids.end());
      }
      if (texts != 1)
        throw Error(
            ErrorCode::unsupported,
            fmt::format("{}: the post-processor's template must hold the text once, it holds it {} times",
                        origin_, texts));
      surround(std::move(before), after);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      surround({idOf(step.at("cls").at(1), fmt::format("the id in 'cls' of {}", type))},
               {idOf(step.at("sep").at(1), fmt::format("the id in 'sep' of {}", type))});
    } else if (type != "ByteLevel") {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: the post-processor '{}' is not supported", origin_, type));
    }
  }

  std::string origin_;
  json root_;
  Tokenizer::Definition &definition_;
};

} // namespace

Tokenizer Tokenizer::fromJson(const std::filesystem::path &path) {
  Definition definition;
  TokenizerJson(path, definition).read();
  return Tokenizer(std::move(definition));
}

} // namespace linmu::models
