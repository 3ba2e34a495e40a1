// Tokenizers made token by token; tests/python compares whole files with the reference.
#include "models/text/byte_level.h"
#include "models/text/text_stream.h"
#include "models/text/tokenizer.h"
#include "models/text/tokenizer_export.h"
#include "tests/unit/models_gguf_fixture.h"
#include <chrono>
#include <nlohmann/json.hpp>

namespace linmu::models {
namespace {

using namespace test::gguf;
using nlohmann::json;
using test::expectError;
using Ids = std::vector<std::int64_t>;

TEST(Regex, PatternsMustCompile) {
  expectError(ErrorCode::unsupported,
              "the regular expression '(' does not compile: end pattern with unmatched paren",
              [] { Regex("("); });
}

TEST(Regex, ASearchThatTakesTooManyStepsIsAnError) {
  Regex pattern("(x+x+)+y");
  expectError(ErrorCode::invalidArgument,
              "searching for the regular expression '(x+x+)+y' in 40 bytes failed: "
              "retry-limit-in-match over",
              [&] { pattern.findAll(std::string(40, 'x')); });
}

TEST(PreTokenizer, AMegabyteOfOneWordIsSplitWithoutRunningOutOfStack) {
  std::vector<PreTokenizer> steps{splitPreTokenizer(Regex(gpt2Pattern), SplitBehavior::isolated)};
  EXPECT_EQ(preTokenize(steps, {std::string(1 << 20, 'a')}).size(), 1u);
  EXPECT_EQ(preTokenize(steps, {std::string(1 << 20, ' ') + "a"}).size(), 2u);
}

class TokenizerJsonTest : public test::FileTest {
protected:
  /// 256 bytes, then the merges "a b" and "ab c", an added special token and an added plain one.
  static json whole() {
    json vocabulary;
    for (int byte = 0; byte < 256; ++byte)
      vocabulary[byteCharacter(byte)] = byte;
    vocabulary["ab"] = 256;
    vocabulary["abc"] = 257;
    return {{"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", {"a b", {"ab", "c"}}}}},
            {"normalizer", nullptr},
            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
            {"added_tokens",
             {{{"id", 258}, {"content", "<s>"}, {"special", true}},
              {{"id", 259}, {"content", "<s>x"}, {"special", false}}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"post_processor", nullptr}};
  }
  Tokenizer open(const json &object) const {
    return Tokenizer::fromJson(write("tokenizer.json", object.dump()));
  }
  void expectRefused(ErrorCode code, const char *pointer, const json &value, std::string_view text) const {
    json object = whole();
    object[json::json_pointer(pointer)] = value;
    expectError(code, text, [&] { open(object); });
  }
};

TEST_F(TokenizerJsonTest, MergesAndAddedTokensApply) {
  Tokenizer tokenizer = open(whole());
  EXPECT_EQ(tokenizer.encode("abcab"), (Ids{257, 256}));
  EXPECT_EQ(tokenizer.encode("ab<s>c<s>xa", true), (Ids{256, 258, 'c', 259, 'a'}));
  EXPECT_EQ(tokenizer.decode(Ids{257, 258, 259, 300}), "abc<s>x");
  EXPECT_EQ(tokenizer.idOf("<s>"), 258);
  EXPECT_EQ(tokenizer.idOf("ab"), 256);
  EXPECT_EQ(tokenizer.idOf("</s>"), std::nullopt);
  EXPECT_EQ(tokenizer.size(), 260);
  expectError(ErrorCode::invalidArgument, "a token id must not be negative, got -1",
              [&] { tokenizer.decode(Ids{-1}); });
}

TEST_F(TokenizerJsonTest, ControlTokensAreTextUnlessAskedFor) {
  Tokenizer tokenizer = open(whole());
  EXPECT_EQ(tokenizer.encode("a<s>"), (Ids{'a', '<', 's', '>'}));
  EXPECT_EQ(tokenizer.encode("a<s>x"), (Ids{'a', 259})) << "a token that is not special is always taken";
}

TEST_F(TokenizerJsonTest, ControlTokensOfATemplateAreTakenAroundTextOfUsers) {
  Tokenizer tokenizer = open(whole());
  auto ids = [&](std::vector<TextPart> parts) { return tokenizer.encode(parts); };
  EXPECT_EQ(ids({{"<s>", true}, {"<s>", false}, {"<s>", true}}), (Ids{258, '<', 's', '>', 258}));
  // Parts are one text: words and tokens cross from one to the next, control tokens into a user's do not.
  EXPECT_EQ(ids({{"a", true}, {"b", false}, {"c", true}}), (Ids{257}));
  EXPECT_EQ(ids({{"<s", true}, {">", true}}), (Ids{258}));
  EXPECT_EQ(ids({{"<", true}, {"s>", false}}), (Ids{'<', 's', '>'}));
  EXPECT_EQ(ids({{"<s", false}, {">", true}}), (Ids{'<', 's', '>'}));
  EXPECT_EQ(ids({{"<s", false}, {"<s>", true}}), (Ids{'<', 's', 258}));
}

TEST_F(TokenizerJsonTest, ControlTokensOfUsersStayTextBehindANormalizer) {
  json object = whole();
  object["normalizer"] = {
      {"type", "Sequence"},
      {"normalizers", {{{"type", "Prepend"}, {"prepend", "__"}}, {{"type", "Lowercase"}}}}};
  object["added_tokens"][0]["normalized"] = true;
  object["added_tokens"][0]["content"] = "SS";
  object["added_tokens"].erase(1);
  Tokenizer tokenizer = open(object);
  auto ids = [&](std::vector<TextPart> parts) { return tokenizer.encode(parts); };
  // The token is looked for as "__ss", and found where a template begins with it.
  EXPECT_EQ(ids({{"SS", true}, {"SS", false}}), (Ids{258, 's', 's'}));
  EXPECT_EQ(ids({{"SS", false}, {"SS", true}}), (Ids{'_', '_', 's', 's', 's', 's'}));
  EXPECT_EQ(tokenizer.encode("SS"), (Ids{'_', '_', 's', 's'}));
  EXPECT_EQ(tokenizer.encode("SS", true), (Ids{258}));
}

TEST_F(TokenizerJsonTest, TextIsGivenWithItsTokenUnlessTheNextMayChangeIt) {
  json object = whole();
  object["model"]["vocab"]["<0xC3>"] = 258;
  object["model"]["vocab"]["<0xA9>"] = 259;
  object["model"]["vocab"]["\u2581a"] = 260;
  object["added_tokens"] = json::array();
  object["decoder"] = {{"type", "Sequence"},
                       {"decoders",
                        {{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
                         {{"type", "ByteFallback"}},
                         {{"type", "Fuse"}},
                         {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  Tokenizer tokenizer = open(object);
  TextStream stream(tokenizer);
  for (int round = 0; round < 2; ++round) { // finish() begins anew
    EXPECT_EQ(stream.push(260), "a") << "the first space of a text is not shown";
    EXPECT_EQ(stream.push(260), " a");
    EXPECT_EQ(stream.push(258), "");
    EXPECT_EQ(stream.push(259), "") << "with one more byte both would be U+FFFD";
    EXPECT_EQ(stream.push(256), "\u00E9ab");
    EXPECT_EQ(stream.push(259), "");
    EXPECT_EQ(stream.finish(), "\uFFFD");
  }
  EXPECT_EQ(tokenizer.decode(Ids{260, 260, 258, 259, 256, 259}), "a a\u00E9ab\uFFFD");
}

TEST_F(TokenizerJsonTest, TokensAroundTheTextAreKeptApart) {
  json object = whole();
  json start = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
       text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  object["post_processor"] = {{"type", "TemplateProcessing"},
                              {"single", {start, text}},
                              {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {258}}}}}}};
  EXPECT_EQ(open(object).prefix(), (Ids{258}));
  EXPECT_EQ(open(object).suffix(), (Ids{}));
  object["post_processor"]["single"] = {text, start};
  EXPECT_EQ(open(object).prefix(), (Ids{}));
  EXPECT_EQ(open(object).suffix(), (Ids{258}));
  object["post_processor"]["single"] = {text, start, text};
  expectError(ErrorCode::unsupported,
              "the post-processor's template must hold the text once, it holds it 2 times",
              [&] { open(object); });
  json around = {{"type", "RobertaProcessing"}, {"cls", {"a", 1}}, {"sep", {"b", 2}}};
  object["post_processor"] = {{"type", "Sequence"},
                              {"processors", {around, {{"type", "ByteLevel"}}, around}}};
  EXPECT_EQ(open(object).prefix(), (Ids{1, 1}));
  EXPECT_EQ(open(object).suffix(), (Ids{2, 2}));
}

TEST_F(TokenizerJsonTest, WhatIsNotKnownIsRefusedByName) {
  constexpr auto unsupported = ErrorCode::unsupported;
  expectRefused(unsupported, "/model/type", "Unigram",
                "the model's type is 'Unigram'; supported is byte-pair encoding (type 'BPE')");
  expectRefused(unsupported, "/model/dropout", 0.1, "the model's 'dropout' is 0.1");
  expectRefused(unsupported, "/normalizer", {{"type", "Precompiled"}},
                "tokenizer.json: the normalizer 'Precompiled' is not supported");
  expectRefused(unsupported, "/pre_tokenizer",
                {{"type", "Sequence"}, {"pretokenizers", {{{"type", "UnicodeScripts"}}}}},
                "the pre-tokenizer 'UnicodeScripts' is not supported");
  expectRefused(unsupported, "/pre_tokenizer", {{"x", 1}}, R"(the pre-tokenizer {"x":1} has no type)");
  expectRefused(unsupported, "/decoder", {{"type", "CTC"}}, "the decoder 'CTC' is not supported");
  expectRefused(unsupported, "/post_processor", {{"type", "X"}}, "the post-processor 'X' is not supported");
  json split = {{"type", "Split"}, {"pattern", {{"Regex", "("}}}, {"behavior", "Isolated"}};
  expectRefused(unsupported, "/pre_tokenizer", split,
                "tokenizer.json: the regular expression '(' does not compile");
  split["pattern"] = {{"String", "("}};
  split["behavior"] = "Kept";
  expectRefused(unsupported, "/pre_tokenizer", split, "the split behavior 'Kept' is not supported");
  json strip = {{"type", "Sequence"},
                {"normalizers", {{{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}}}}};
  json object = whole();
  object["normalizer"] = strip;
  object["added_tokens"][0] = {{"id", 258}, {"content", " "}, {"normalized", true}};
  expectError(unsupported, "the added token ' ' (258) is empty after normalisation", [&] { open(object); });
}

TEST_F(TokenizerJsonTest, DamagedFilesAreRefused) {
  constexpr auto corrupt = ErrorCode::corruptFile;
  expectRefused(corrupt, "/model/vocab/abc", 256, "the id 256 belongs to 'ab' and to 'abc'");
  for (const char *merge : {"ab", "a b c"})
    expectRefused(corrupt, "/model/merges", json::array({merge}),
                  "the merge '" + std::string(merge) + "' must be two tokens with a space between");
  expectRefused(corrupt, "/model/merges", json::array({json::array({"a"})}),
                R"(the merge ["a"] must be two tokens)");
  expectRefused(corrupt, "/model/merges", {"a c"}, "the result of a merge 'ac' is not in the vocabulary");
  expectRefused(corrupt, "/model/merges", json::array({json::array({"", "ab"})}),
                "the part of a merge '' is not in the vocabulary");
  expectRefused(corrupt, "/added_tokens/0/content", "", "the added token 258 is empty");
  expectRefused(corrupt, "/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "__"}},
                "'replacement' of Metaspace must be one character, got '__'");
  expectRefused(corrupt, "/pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}},
                "'length' of FixedLength must be an integer of 1 or more, got 0");
  json object = whole();
  object["model"]["vocab"].erase("a");
  object["model"]["merges"] = json::array();
  object["model"]["unk_token"] = "<unk>";
  Tokenizer tokenizer = open(object);
  expectError(corrupt, "'a' has no token, and the unknown token '<unk>' is not in the vocabulary",
              [&] { tokenizer.encode("a"); });
}

TEST_F(TokenizerJsonTest, NumbersThatAreNoTokenIdsAreRefusedByName) {
  constexpr auto corrupt = ErrorCode::corruptFile;
  for (const char *number : {"8.6e+77", "-1", "1.0", "16777217", "1152921504606846976",
                             "18446744073709551615", "\"1\"", "[1]", "null"}) {
    const json value = json::parse(number);
    const std::string rest = "must be an integer from 0 to 16777216, got " + value.dump();
    expectRefused(corrupt, "/model/vocab/abc", value, "the id of the token 'abc' " + rest);
    expectRefused(corrupt, "/added_tokens/0/id", value, "'id' of the added token '<s>' " + rest);
    for (const char *side : {"cls", "sep"}) {
      json step = {{"type", "RobertaProcessing"}, {"cls", {"<s>", 258}}, {"sep", {"<s>", 258}}};
      step[side][1] = value;
      expectRefused(corrupt, "/post_processor", step,
                    "the id in '" + std::string(side) + "' of RobertaProcessing " + rest);
    }
    for (const json &ids : {value, json::array({258, value})}) {
      if (ids == json::array({1}))
        continue;
      expectRefused(corrupt, "/post_processor",
                    {{"type", "TemplateProcessing"},
                     {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}},
                     {"special_tokens", {{"<s>", {{"ids", ids}}}}}},
                    "'ids' of the special token '<s>' must be a list of integers from 0 to 16777216, got " +
                        ids.dump());
    }
  }
  for (const char *number : {"8.6e+77", "-1", "2.0", "18446744073709551615"}) {
    const json value = json::parse(number);
    expectRefused(corrupt, "/decoder", {{"type", "Strip"}, {"content", " "}, {"start", value}, {"stop", 0}},
                  "'start' of Strip must be an integer of 0 or more, got " + value.dump());
  }
}

TEST_F(TokenizerJsonTest, AMegabyteOfOneWordTakesTimeInProportion) {
  json object = whole();
  object["pre_tokenizer"]["use_regex"] = false;
  object["model"]["merges"] = {"a a", {"aa", "aa"}};
  object["model"]["vocab"]["aa"] = 258;
  object["model"]["vocab"]["aaaa"] = 259;
  Tokenizer tokenizer = open(object);
  auto seconds = [&](std::size_t length) {
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(tokenizer.encode(std::string(length, 'a')).size(), length / 4);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  // 16 times the text takes 16 log-times the time, 256 times if it were quadratic; the rest is for a busy
  // machine.
  double short_text = std::min(seconds(1 << 16), seconds(1 << 16));
  EXPECT_LT(seconds(1 << 20), 80 * short_text);
}

class TokenizerGgufTest : public test::FileTest {
protected:
  Tokenizer open(const Metadata &changes) const {
    Metadata metadata{{"tokenizer.ggml.model", string("gpt2")},
                      {"tokenizer.ggml.pre", string("gpt-2")},
                      {"tokenizer.ggml.tokens", strings({"a", "b", "ab", "<s>"})},
                      {"tokenizer.ggml.token_type", integers({1, 1, 1, 3})},
                      {"tokenizer.ggml.merges", strings({"a b"})}};
    for (const auto &[key, value] : changes)
      metadata[key] = value;
    return Tokenizer::fromGguf(GgufFile::open(write("x.gguf", file(metadata))));
  }
  void expectRefused(ErrorCode code, const Metadata &changes, std::string_view text) const {
    expectError(code, text, [&] { open(changes); });
  }
};

TEST_F(TokenizerGgufTest, MergesAndControlTokensApply) {
  Tokenizer tokenizer = open({});
  EXPECT_EQ(tokenizer.encode("ab<s>a", true), (Ids{2, 3, 0}));
  EXPECT_EQ(tokenizer.encode("ab<s>a"), (Ids{2, 0})) << "characters without a token are left out";
  EXPECT_EQ(tokenizer.decode(Ids{2, 3, 0}), "aba");
}

// llama.cpp: llama_vocab::impl::tokenizer_st_partition and token_to_piece.
TEST_F(TokenizerGgufTest, TypesOfTokensCountAsInLlamaCpp) {
  Tokenizer tokenizer =
      open({{"tokenizer.ggml.tokens", strings({"a", "b", "ab", "<u>", "<c>", "<d>", "<x>", "Ġ"})},
            {"tokenizer.ggml.token_type", integers({1, 1, 1, 2, 3, 4, 5, 1})}});
  EXPECT_EQ(tokenizer.encode("a<u><c><d><x>b", true), (Ids{0, 3, 4, 5, 1}));
  EXPECT_EQ(tokenizer.encode("a<u><c><d><x>b"), (Ids{0, 5, 1}))
      << "only the user-defined one is always taken";
  EXPECT_EQ(tokenizer.decode(Ids{7, 0, 3, 4, 5, 6, 1}), " a<d>b")
      << "unknown, control and unused ones show nothing";
}

TEST_F(TokenizerGgufTest, AddedTokensAreTakenTheLongestOfTheTextFirst) {
  Tokenizer tokenizer = open({{"tokenizer.ggml.tokens", strings({"a", "b", "c", "abc", "bcbc"})},
                              {"tokenizer.ggml.token_type", integers({1, 1, 1, 4, 4})},
                              {"tokenizer.ggml.merges", strings({})}});
  EXPECT_EQ(tokenizer.encode("abcbcabc"), (Ids{0, 4, 3}));
}

TEST_F(TokenizerGgufTest, WithoutTypesEveryTokenIsNormal) {
  Metadata metadata{{"tokenizer.ggml.model", string("gpt2")},
                    {"tokenizer.ggml.pre", string("gpt-2")},
                    {"tokenizer.ggml.tokens", strings({"a", "<", "b"})},
                    {"tokenizer.ggml.merges", strings({})}};
  Tokenizer tokenizer = Tokenizer::fromGguf(GgufFile::open(write("x.gguf", file(metadata))));
  EXPECT_EQ(tokenizer.encode("<ab"), (Ids{1, 0, 2}));
}

TEST_F(TokenizerGgufTest, WrittenAsTokenizerJsonItGivesTheSame) {
  for (const char *pre : {"smollm", "gpt-2", "qwen2"}) {
    Metadata metadata{{"tokenizer.ggml.model", string("gpt2")},
                      {"tokenizer.ggml.pre", string(pre)},
                      {"tokenizer.ggml.tokens", strings({"a", "b", "ab", "<c>", "<d>", "1", "2", "12", "Ġ",
                                                         "Ġa", "ba", "Ã", "©", "Ã©"})},
                      {"tokenizer.ggml.token_type", integers({1, 1, 1, 3, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1})},
                      {"tokenizer.ggml.merges", strings({"a b", "1 2", "Ġ a", "b a", "Ã ©"})},
                      {"tokenizer.ggml.add_bos_token", type(GgufType::boolean) + std::string(1, '\1')},
                      {"tokenizer.ggml.bos_token_id", integer(3)}};
    GgufFile source = GgufFile::open(write("x.gguf", file(metadata)));
    Tokenizer expected = Tokenizer::fromGguf(source);
    Tokenizer actual = Tokenizer::fromJson(write("tokenizer.json", tokenizerJson(source).dump()));
    EXPECT_EQ(actual.prefix(), (Ids{3}));
    EXPECT_EQ(actual.prefix(), expected.prefix());
    EXPECT_EQ(actual.size(), expected.size());
    for (const char *given : {"ab12 ab", "<c>ab<d>ba", "e\u0301 \u00e9 a  b", "112ba12"})
      for (bool control : {false, true}) {
        EXPECT_EQ(actual.encode(given, control), expected.encode(given, control)) << pre << ": " << given;
        Ids ids = expected.encode(given, control);
        EXPECT_EQ(actual.decode(ids), expected.decode(ids)) << pre << ": " << given;
      }
    EXPECT_EQ(expected.encode("12"), pre == std::string("gpt-2") ? Ids{7} : (Ids{5, 6})) << pre;
  }
}

TEST_F(TokenizerGgufTest, OtherTokenizersAndDamagedListsAreRefused) {
  constexpr auto unsupported = ErrorCode::unsupported, corrupt = ErrorCode::corruptFile;
  expectRefused(unsupported, {{"tokenizer.ggml.model", string("llama")}},
                "x.gguf: tokenizer.ggml.model is 'llama', supported is 'gpt2'");
  expectRefused(unsupported, {{"tokenizer.ggml.pre", string("tekken")}},
                "x.gguf: tokenizer.ggml.pre is 'tekken', supported are 'smollm', 'gpt-2' and 'qwen2'");
  expectRefused(corrupt, {{"tokenizer.ggml.token_type", integers({1, 1})}},
                "x.gguf: tokenizer.ggml.token_type has 2 elements, the 4 tokens require as many");
  expectRefused(corrupt, {{"tokenizer.ggml.tokens", strings({"a", "b", "ab", "a"})}},
                "x.gguf: the token 'a' is given twice, as 0 and 3");
  for (const char *merge : {"ab", " b", "a "})
    expectRefused(corrupt, {{"tokenizer.ggml.merges", strings({merge})}},
                  "x.gguf: the merge '" + std::string(merge) + "' must be two tokens with a space between");
}

} // namespace
} // namespace linmu::models
