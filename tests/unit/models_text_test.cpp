#include "models/text/byte_level.h"
#include "models/text/chat_template.h"
#include "models/text/pre_tokenizer.h"
#include "models/text/stream_decoder.h"
#include "models/text/tokenizer.h"
#include "tests/unit/models_gguf_fixture.h"
#include <nlohmann/json.hpp>

namespace linmu::models {
namespace {

using namespace test::gguf;
using nlohmann::json;
using test::expectError;

TEST(ByteLevel, EveryByteComesBack) {
  std::string characters, bytes;
  for (int byte = 0; byte < 256; ++byte) {
    characters += byteCharacter(byte);
    bytes.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(bytesOfCharacters(characters), bytes);
  EXPECT_EQ(byteCharacter(' '), "Ġ");
}

TEST(StreamDecoder, TextNeverEndsInsideACharacter) {
  StreamDecoder stream;
  std::string text;
  for (char byte : std::string("aé東🙂")) {
    std::string piece = stream.push({&byte, 1});
    EXPECT_NO_THROW(requireUtf8(piece));
    text += piece;
  }
  EXPECT_EQ(text + stream.finish(), "aé東🙂");
}

TEST(StreamDecoder, BytesThatAreNoCharacterAreReplaced) {
  StreamDecoder stream;
  EXPECT_EQ(stream.push("\xe6\x9d"), "");
  EXPECT_EQ(stream.push("x\xff"), "\uFFFDx\uFFFD");
  EXPECT_EQ(stream.push("\xf0\x9f"), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(PreTokenizer, TextMustBeUtf8AndPatternsMustCompile) {
  expectError(ErrorCode::invalidArgument, "text must be UTF-8; byte 2 (0xff) is not",
              [] { requireUtf8("ab\xff"); });
  expectError(ErrorCode::invalidArgument, "byte 0 (0xed)", [] { requireUtf8("\xed\xa0\x80"); });
  expectError(ErrorCode::unsupported,
              "the pre-tokenizer's pattern '(' does not compile: U_REGEX_MISMATCHED_PAREN at 1",
              [] { PreTokenizer({"("}, false); });
}

TEST(PreTokenizer, MoreBytesThanUnicodesLibraryCountsAreRefusedUnread) {
  char letter = 'a';
  expectError(ErrorCode::invalidArgument, "a text must be at most 2^31 - 1 bytes, got 2147483648",
              [&] { requireUtf8({&letter, std::size_t(1) << 31}); });
}

TEST(PreTokenizer, AMegabyteOfOneWordIsSplitWithoutRunningOutOfStack) {
  PreTokenizer splitter({gpt2Pattern}, false);
  EXPECT_EQ(splitter.split(std::string(1 << 20, 'a')).size(), 1u);
  EXPECT_EQ(splitter.split(std::string(1 << 20, ' ') + "a").size(), 2u);
}

constexpr std::string_view body =
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

TEST(ChatTemplate, TheFamilyIsRecognisedWithAndWithoutASystemMessage) {
  std::string loop = "{% for message in messages %}";
  std::string system =
      "{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe kind."
      "<|im_end|>\n' }}{% endif %}";
  auto plain = ChatTemplate::parse(loop + std::string(body), "x");
  auto kind = ChatTemplate::parse(loop + system + std::string(body), "x");
  std::string escaped = loop + system + std::string(body);
  for (std::size_t at; (at = escaped.find('\n')) != escaped.npos;)
    escaped.replace(at, 1, "\\n");
  ChatMessage user{"user", "Hi"};
  EXPECT_EQ(plain.apply({&user, 1}), "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(plain.apply({&user, 1}, false), "<|im_start|>user\nHi<|im_end|>\n");
  std::string expected =
      "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(kind.apply({&user, 1}), expected);
  EXPECT_EQ(ChatTemplate::parse(escaped, "x").apply({&user, 1}), expected);
  ChatMessage tool{"tool", "Hi"};
  expectError(ErrorCode::invalidArgument, "a message's role must be system, user or assistant, got 'tool'",
              [&] { plain.apply({&tool, 1}); });
}

TEST(ChatTemplate, AnyOtherTemplateIsRefusedAndQuoted) {
  for (std::string other :
       {std::string("[INST] {{ x }}"), "{% for message in messages %}" + std::string(body) + "!",
        std::string(), std::string("{% for message in messages %}{{ message }}")})
    expectError(ErrorCode::unsupported,
                "m.gguf: the chat template is not of the ChatML family; it starts with: " +
                    other.substr(0, 160),
                [&] { ChatTemplate::parse(other, "m.gguf"); });
  expectError(ErrorCode::unsupported, "[INST]\ngive the whole text yourself with --raw",
              [] { ChatTemplate::parse("[INST]", "m.gguf"); });
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

using Ids = std::vector<std::int64_t>;

TEST_F(TokenizerJsonTest, MergesAndAddedTokensApply) {
  Tokenizer tokenizer = open(whole());
  EXPECT_EQ(tokenizer.encode("abcab"), (Ids{257, 256}));
  EXPECT_EQ(tokenizer.encode("ab<s>c<s>xa"), (Ids{256, 258, 'c', 259, 'a'}));
  EXPECT_EQ(tokenizer.encode("<s>", false), (Ids{'<', 's', '>'}));
  EXPECT_EQ(tokenizer.decode(Ids{257, 258, 259, 300}), "abc<s>x");
  EXPECT_EQ(tokenizer.idOf("<s>"), 258);
  EXPECT_EQ(tokenizer.idOf("</s>"), std::nullopt);
  EXPECT_EQ(tokenizer.size(), 260);
  expectError(ErrorCode::invalidArgument, "a token id must not be negative, got -1",
              [&] { tokenizer.decode(Ids{-1}); });
}

TEST_F(TokenizerJsonTest, ATemplateMayPutTokensBeforeTheTextOnly) {
  json object = whole();
  json start = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
       text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  object["post_processor"] = {{"type", "TemplateProcessing"},
                              {"single", {start, text}},
                              {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {258}}}}}}};
  EXPECT_EQ(open(object).prefix(), (Ids{258}));
  object["post_processor"]["single"] = {text, start};
  expectError(ErrorCode::unsupported, "the post-processor adds tokens after the text", [&] { open(object); });
}

TEST_F(TokenizerJsonTest, WhatIsNotByteLevelIsUnsupported) {
  constexpr auto unsupported = ErrorCode::unsupported;
  expectRefused(unsupported, "/model/type", "Unigram",
                "the model's type is 'Unigram'; supported is byte-level byte-pair encoding");
  expectRefused(unsupported, "/model/byte_fallback", true, "the model's 'byte_fallback' is true");
  expectRefused(unsupported, "/model/dropout", 0.1, "the model's 'dropout' is 0.1");
  expectRefused(unsupported, "/normalizer", {{"type", "Lowercase"}}, "the normalizer's type is 'Lowercase'");
  expectRefused(unsupported, "/pre_tokenizer", nullptr, "there is no pre-tokenizer");
  expectRefused(unsupported, "/pre_tokenizer", {{"type", "Metaspace"}},
                R"(the pre-tokenizer {"type":"Metaspace"}; supported)");
  expectRefused(unsupported, "/pre_tokenizer", {{"type", "Digits"}}, "the pre-tokenizer is not byte-level");
  expectRefused(unsupported, "/pre_tokenizer/add_prefix_space", true,
                "the pre-tokenizer's 'add_prefix_space' is true");
  json sequence = {{"type", "Sequence"}, {"pretokenizers", {whole()["pre_tokenizer"], {{"type", "Digits"}}}}};
  expectRefused(unsupported, "/pre_tokenizer", sequence,
                "the pre-tokenizer 'Digits' follows the byte-level one");
  expectRefused(unsupported, "/added_tokens/0/lstrip", true, "'<s>' has 'lstrip'");
  expectRefused(unsupported, "/post_processor", {{"type", "BertProcessing"}},
                "the post-processor's type is 'BertProcessing'");
  json normalized = whole();
  normalized["normalizer"] = {{"type", "NFC"}};
  normalized["added_tokens"][0]["normalized"] = true;
  expectError(unsupported, "the added token '<s>' has 'normalized'", [&] { open(normalized); });
}

TEST_F(TokenizerJsonTest, DamagedFilesAreRefused) {
  constexpr auto corrupt = ErrorCode::corruptFile;
  expectRefused(corrupt, "/model/vocab/abc", 256, "the id 256 belongs to 'ab' and to 'abc'");
  expectRefused(corrupt, "/model/vocab/abc", 1ll << 60, "the token 'abc' has the id 1152921504606846976");
  expectRefused(corrupt, "/model/vocab/abc", "x", "type must be number");
  expectRefused(corrupt, "/model/merges", {"ab"}, "the merge 'ab' must be two tokens with a space between");
  expectRefused(corrupt, "/model/merges", {"a c"}, "the result of a merge 'ac' is not in the vocabulary");
  expectRefused(corrupt, "/model/merges", json::array({json::array({"", "ab"})}),
                "the part of a merge '' is not in the vocabulary");
  expectRefused(corrupt, "/added_tokens/0/id", -1, "the token id -1 is out of range");
  expectRefused(corrupt, "/added_tokens/0/content", "", "the added token 258 is empty");
  expectRefused(corrupt, "/model", json::object(), "");
  std::string bytes = whole().dump();
  for (std::size_t length = 0; length < bytes.size(); length += 97) {
    auto path = write("cut.json", bytes.substr(0, length));
    expectError(corrupt, "cut.json", [&] { Tokenizer::fromJson(path); });
  }
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
  EXPECT_EQ(tokenizer.encode("ab<s>a"), (Ids{2, 3, 0}));
  EXPECT_EQ(tokenizer.decode(Ids{2, 3, 0}), "aba");
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
