#include "models/text/byte_level.h"
#include "models/text/tokenizer.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>
#include <unordered_set>

namespace linmu::models {
namespace {

// `tokenizer.ggml.token_type`, after llama.cpp's llama_token_type.
enum TokenType : std::int64_t { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5 };

void readTokens(const GgufFile &file, Tokenizer::Definition &definition) {
  auto tokens = file.strings("tokenizer.ggml.tokens");
  std::vector<std::int64_t> types(tokens.size(), normal); // as llama.cpp takes a file without types
  if (file.has("tokenizer.ggml.token_type"))
    types = file.integers("tokenizer.ggml.token_type");
  if (types.size() != tokens.size())
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: tokenizer.ggml.token_type has {} elements, the {} tokens "
                            "require as many",
                            definition.origin, types.size(), tokens.size()));
  std::unordered_set<std::string> without_text;
  for (std::size_t id = 0; id < types.size(); ++id) {
    std::string token(tokens[id]);
    if (token.empty())
      continue;
    auto [owner, is_new] = definition.vocabulary.emplace(token, static_cast<std::int32_t>(id));
    if (!is_new)
      throw Error(ErrorCode::corruptFile, fmt::format("{}: the token '{}' is given twice, as {} and {}",
                                                      definition.origin, token, owner->second, id));
    if (types[id] == unused)
      without_text.insert(token);
    if (types[id] != control && types[id] != userDefined && types[id] != unknown)
      continue;
    AddedToken &added = definition.added.emplace_back();
    added.content = std::move(token);
    added.special = types[id] != userDefined;
  }
  definition.added_order = AddedTokenOrder::longestFirst;
  definition.token_bytes = [without_text = std::move(without_text)](const std::string &token, bool added) {
    if (added)
      return token;
    return without_text.contains(token) ? std::string() : bytesOfCharacters(token);
  };
}

} // namespace

Tokenizer Tokenizer::fromGguf(const GgufFile &file) {
  std::string origin = file.path().string();
  if (std::string_view model = file.string("tokenizer.ggml.model"); model != "gpt2")
    throw Error(ErrorCode::unsupported, fmt::format("{}: tokenizer.ggml.model is '{}', supported is 'gpt2' "
                                                    "(byte-level byte-pair encoding)",
                                                    origin, model));
  Definition definition;
  definition.origin = origin;
  std::string_view pre = file.string("tokenizer.ggml.pre");
  auto isolate = [&](const char *pattern) {
    definition.pre_tokenizers.push_back(splitPreTokenizer(Regex(pattern), SplitBehavior::isolated));
  };
  if (pre == "smollm") {
    isolate(R"(\p{N})"); // each digit is a word of its own
    isolate(gpt2Pattern);
  } else if (pre == "gpt-2") {
    isolate(gpt2Pattern);
  } else if (pre == "qwen2") {
    isolate(qwen2Pattern);
    definition.normalizers.push_back(unicodeFormNormalizer(UnicodeForm::nfc));
  } else {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: tokenizer.ggml.pre is '{}', supported are 'smollm', 'gpt-2' and 'qwen2'",
                            origin, pre));
  }
  definition.pre_tokenizers.push_back(byteLevelPreTokenizer(false, false));
  readTokens(file, definition);
  for (std::string_view merge : file.strings("tokenizer.ggml.merges")) {
    std::size_t space = merge.find(' ');
    if (space == merge.npos || space == 0 || space + 1 == merge.size())
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}: the merge '{}' must be two tokens with a space between", origin, merge));
    definition.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }
  if (file.has("tokenizer.ggml.add_bos_token") && file.boolean("tokenizer.ggml.add_bos_token"))
    definition.prefix.push_back(file.integer("tokenizer.ggml.bos_token_id"));
  return Tokenizer(std::move(definition));
}

} // namespace linmu::models
