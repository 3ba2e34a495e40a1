#include "models/text/byte_level.h"
#include "models/text/chat_template.h"
#include "models/text/stream_decoder.h"
#include "models/text/utf8.h"
#include "tests/unit/models_file_fixture.h"

namespace linmu::models {
namespace {

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

TEST(Utf8, TextMustBeValid) {
  expectError(ErrorCode::invalidArgument, "text must be UTF-8; byte 2 (0xff) is not",
              [] { requireUtf8("ab\xff"); });
  expectError(ErrorCode::invalidArgument, "byte 0 (0xed)", [] { requireUtf8("\xed\xa0\x80"); });
}

TEST(Utf8, MoreBytesThanUnicodesLibraryCountsAreRefusedUnread) {
  char letter = 'a';
  expectError(ErrorCode::invalidArgument, "a text must be at most 2^31 - 1 bytes, got 2147483648",
              [&] { requireUtf8({&letter, std::size_t(1) << 31}); });
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
  for (const TextPart &part : kind.parts({&user, 1}))
    EXPECT_EQ(part.control_tokens, part.text != "Hi") << part.text;
  std::string expected =
      "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(kind.apply({&user, 1}), expected);
  EXPECT_EQ(ChatTemplate::parse(escaped, "x").apply({&user, 1}), expected);
  std::string next;
  for (const TextPart &part : kind.followUp("Hi")) {
    EXPECT_EQ(part.control_tokens, part.text != "Hi") << part.text;
    next += part.text;
  }
  EXPECT_EQ(next, "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
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
  expectError(ErrorCode::unsupported, "[INST]\ngive the whole text yourself with --raw --special",
              [] { ChatTemplate::parse("[INST]", "m.gguf"); });
}

} // namespace
} // namespace linmu::models
