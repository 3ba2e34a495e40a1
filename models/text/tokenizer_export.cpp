#include "models/text/tokenizer_export.h"
#include "models/text/pre_tokenizer.h"
#include "models/text/tokenizer.h"
#include <string>

namespace linmu::models {

using nlohmann::json;

static json isolated(const std::string &pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

json tokenizerJson(const GgufFile &file) {
  Tokenizer::fromGguf(file); // refuses what is not byte-level byte-pair encoding, or damaged
  std::string_view pre = file.string("tokenizer.ggml.pre");
  json steps = json::array();
  if (pre == "smollm")
    steps.push_back(isolated(R"(\p{N})"));
  steps.push_back(isolated(pre == "qwen2" ? qwen2Pattern : gpt2Pattern));
  steps.push_back(
      {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});

  json vocabulary = json::object(), added = json::array();
  auto tokens = file.strings("tokenizer.ggml.tokens");
  std::vector<std::int64_t> types(tokens.size(), 1);
  if (file.has("tokenizer.ggml.token_type"))
    types = file.integers("tokenizer.ggml.token_type");
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty())
      continue;
    vocabulary[std::string(tokens[id])] = id;
    // llama.cpp's llama_token_type: 2 unknown, 3 control, 4 user-defined.
    if (types[id] >= 2 && types[id] <= 4)
      added.push_back({{"id", id},
                       {"content", tokens[id]},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", types[id] != 4}});
  }
  json result = {
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", pre == "qwen2" ? json{{"type", "NFC"}} : json()},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", steps}}},
      {"post_processor", nullptr},
      {"decoder",
       {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", false},
        {"vocab", vocabulary},
        {"merges", file.strings("tokenizer.ggml.merges")}}}};
  if (file.has("tokenizer.ggml.add_bos_token") && file.boolean("tokenizer.ggml.add_bos_token")) {
    std::size_t id = std::size_t(file.integer("tokenizer.ggml.bos_token_id"));
    std::string token(tokens.at(id));
    json first = {{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
    auto text = [](const char *name, int type) {
      return json{{"Sequence", {{"id", name}, {"type_id", type}}}};
    };
    result["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", {first, text("A", 0)}},
        {"pair", {first, text("A", 0), text("B", 1)}},
        {"special_tokens", {{token, {{"id", token}, {"ids", {id}}, {"tokens", {token}}}}}}};
  }
  return result;
}

} // namespace linmu::models
