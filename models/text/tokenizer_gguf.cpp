#include "models/text/tokenizer.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>

namespace linmu::models {
namespace {

// `tokenizer.ggml.token_type`, after llama.cpp's llama_token_type.
constexpr std::int64_t typeControl = 3, typeUserDefined = 4;

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
  if (pre == "smollm")
    definition.patterns = {R"(\p{N})", gpt2Pattern}; // each digit is a word of its own
  else if (pre == "gpt-2")
    definition.patterns = {gpt2Pattern};
  else if (pre == "qwen2") {
    definition.patterns = {qwen2Pattern};
    definition.normalize = true;
  } else
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: tokenizer.ggml.pre is '{}', supported are 'smollm', 'gpt-2' and 'qwen2'",
                            origin, pre));

  for (std::string_view token : file.strings("tokenizer.ggml.tokens"))
    definition.tokens.emplace_back(token);
  auto types = file.integers("tokenizer.ggml.token_type");
  if (types.size() != definition.tokens.size())
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: tokenizer.ggml.token_type has {} elements, the {} tokens "
                            "require as many",
                            origin, types.size(), definition.tokens.size()));
  for (std::size_t id = 0; id < types.size(); ++id) {
    if (types[id] != typeControl && types[id] != typeUserDefined)
      continue;
    definition.added.emplace(definition.tokens[id], static_cast<std::int64_t>(id));
    if (types[id] == typeControl)
      definition.special.push_back(static_cast<std::int64_t>(id));
  }
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
