// Tokenizer from Hugging Face's tokenizer.json.
#include "models/io/json_file.h"
#include "models/text/tokenizer.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>

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
      readNormalizer(valueOf(root_, "normalizer"));
      readPreTokenizer(valueOf(root_, "pre_tokenizer"));
      readAddedTokens(valueOf(root_, "added_tokens"));
      readPostProcessor(valueOf(root_, "post_processor"));
    } catch (const json::exception &error) {
      throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin_, error.what()));
    }
    if (!byte_level_)
      unsupported("the pre-tokenizer is not byte-level");
  }

private:
  static json valueOf(const json &object, const char *key) {
    return object.contains(key) ? object.at(key) : json();
  }
  [[noreturn]] void unsupported(const std::string &message) const {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: {}; supported is byte-level byte-pair encoding", origin_, message));
  }

  void readModel(const json &model) {
    if (std::string type = model.value("type", "BPE"); type != "BPE")
      unsupported(fmt::format("the model's type is '{}'", type));
    for (const char *field : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
      if (json value = valueOf(model, field); !value.is_null() && value != "")
        unsupported(fmt::format("the model's '{}' is {}", field, value.dump()));
    if (model.value("byte_fallback", false))
      unsupported("the model's 'byte_fallback' is true");
    definition_.whole_words = model.value("ignore_merges", false);
    const json &vocabulary = model.at("vocab");
    for (const auto &[token, id] : vocabulary.items())
      place(token, id.get<std::int64_t>());
    for (const json &merge : model.at("merges")) {
      if (merge.is_array()) {
        definition_.merges.emplace_back(merge.at(0), merge.at(1));
        continue;
      }
      auto text = merge.get<std::string>();
      std::size_t space = text.find(' ');
      if (space == text.npos)
        throw Error(ErrorCode::corruptFile,
                    fmt::format("{}: the merge '{}' must be two tokens with a space between", origin_, text));
      definition_.merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
  }

  void place(const std::string &token, std::int64_t id) {
    if (id < 0 || id > (1 << 24))
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: the token '{}' has the id {}", origin_, token, id));
    if (static_cast<std::size_t>(id) >= definition_.tokens.size())
      definition_.tokens.resize(id + 1);
    if (!definition_.tokens[id].empty())
      throw Error(ErrorCode::corruptFile, fmt::format("{}: the id {} belongs to '{}' and to '{}'", origin_,
                                                      id, definition_.tokens[id], token));
    definition_.tokens[id] = token;
  }

  void readNormalizer(const json &normalizer) {
    if (normalizer.is_null())
      return;
    if (std::string type = normalizer.at("type"); type != "NFC")
      unsupported(fmt::format("the normalizer's type is '{}'", type));
    definition_.normalize = true;
  }

  void readPreTokenizer(const json &step) {
    if (step.is_null())
      unsupported("there is no pre-tokenizer");
    std::string type = step.at("type");
    if (type == "Sequence") {
      for (const json &inner : step.at("pretokenizers"))
        readPreTokenizer(inner);
    } else if (byte_level_) {
      unsupported(fmt::format("the pre-tokenizer '{}' follows the byte-level one", type));
    } else if (type == "ByteLevel") {
      if (step.value("add_prefix_space", true))
        unsupported("the pre-tokenizer's 'add_prefix_space' is true");
      if (step.value("use_regex", true))
        definition_.patterns.push_back(gpt2Pattern);
      byte_level_ = true;
    } else if (type == "Digits") {
      definition_.patterns.push_back(step.value("individual_digits", false) ? R"(\p{N})" : R"(\p{N}+)");
    } else if (type == "Split" && step.at("behavior") == "Isolated" && !step.value("invert", false) &&
               step.at("pattern").contains("Regex")) {
      definition_.patterns.push_back(step.at("pattern").at("Regex"));
    } else {
      unsupported(fmt::format("the pre-tokenizer {}", step.dump()));
    }
  }

  void readAddedTokens(const json &added) {
    for (const json &token : added) {
      std::string text = token.at("content");
      for (const char *field : {"single_word", "lstrip", "rstrip"})
        if (token.value(field, false))
          unsupported(fmt::format("the added token '{}' has '{}'", text, field));
      if (token.value("normalized", false) && definition_.normalize)
        unsupported(fmt::format("the added token '{}' has 'normalized'", text));
      auto id = token.at("id").get<std::int64_t>();
      definition_.added.emplace(text, id);
      if (token.value("special", false))
        definition_.special.push_back(id);
    }
  }

  /// Byte-level post-processing moves offsets only; a template may put special tokens before the text.
  void readPostProcessor(const json &step) {
    if (step.is_null())
      return;
    std::string type = step.at("type");
    if (type == "Sequence") {
      for (const json &inner : step.at("processors"))
        readPostProcessor(inner);
    } else if (type == "TemplateProcessing") {
      bool after_text = false;
      for (const json &piece : step.at("single")) {
        if (piece.contains("Sequence"))
          after_text = true;
        else if (after_text)
          unsupported("the post-processor adds tokens after the text");
        else
          for (const json &id :
               step.at("special_tokens").at(piece.at("SpecialToken").at("id").get<std::string>()).at("ids"))
            definition_.prefix.push_back(id.get<std::int64_t>());
      }
    } else if (type != "ByteLevel") {
      unsupported(fmt::format("the post-processor's type is '{}'", type));
    }
  }

  std::string origin_;
  json root_;
  Tokenizer::Definition &definition_;
  bool byte_level_ = false;
};

} // namespace

Tokenizer Tokenizer::fromJson(const std::filesystem::path &path) {
  Definition definition;
  TokenizerJson(path, definition).read();
  return Tokenizer(std::move(definition));
}

} // namespace linmu::models
