#include "models/io/dequantize.h"
#include "models/io/gguf_file.h"
#include "tests/unit/models_gguf_fixture.h"

namespace linmu::models {
namespace {

using namespace test::gguf;
using test::bytesOfValue;
using test::expectError;

class GgufTest : public test::FileTest {
protected:
  GgufFile open(const std::string &bytes) const { return GgufFile::open(write("x.gguf", bytes)); }
  void expectCorrupt(const std::string &bytes, std::string_view message) const {
    expectError(ErrorCode::corruptFile, message, [&] { open(bytes); });
  }
};

/// Every value type, an array of each kind, and two tensors.
std::string wholeFile() {
  return padded(head(2, 14) + text("u8") + type(GgufType::u8) + bytesOfValue<std::uint8_t>(200) + text("i8") +
                type(GgufType::i8) + bytesOfValue<std::int8_t>(-3) + text("u16") + type(GgufType::u16) +
                bytesOfValue<std::uint16_t>(60000) + text("i16") + type(GgufType::i16) +
                bytesOfValue<std::int16_t>(-300) + text("u32") + type(GgufType::u32) +
                bytesOfValue<std::uint32_t>(4000000000u) + text("i32") + type(GgufType::i32) +
                bytesOfValue<std::int32_t>(-70000) + text("f32") + type(GgufType::f32) + bytesOfValue(1.5f) +
                text("bool") + type(GgufType::boolean) + bytesOfValue<std::uint8_t>(1) + text("string") +
                type(GgufType::string) + text("words") + text("u64") + type(GgufType::u64) +
                bytesOfValue<std::uint64_t>(UINT64_MAX) + text("i64") + type(GgufType::i64) +
                bytesOfValue<std::int64_t>(INT64_MIN) + text("strings") + type(GgufType::array) +
                type(GgufType::string) + bytesOfValue<std::uint64_t>(2) + text("a") + text("") +
                text("integers") + type(GgufType::array) + type(GgufType::i32) +
                bytesOfValue<std::uint64_t>(2) + bytesOfValue<std::int32_t>(-1) +
                bytesOfValue<std::int32_t>(7) + text("nested") + type(GgufType::array) +
                type(GgufType::array) + bytesOfValue<std::uint64_t>(1) + type(GgufType::u8) +
                bytesOfValue<std::uint64_t>(1) + "x" + entry("first", {3, 2}, 0, 0) +
                entry("second", {32}, 8, 32)) +
         padded(bytesOfValue(1.0f) + bytesOfValue(2.0f) + bytesOfValue(3.0f) + bytesOfValue(4.0f) +
                bytesOfValue(5.0f) + bytesOfValue(6.0f)) +
         bytesOfValue<std::uint16_t>(0x3800) + std::string(32, '\x02'); // scale 0.5, all twos
}

TEST_F(GgufTest, EveryValueTypeIsRead) {
  GgufFile file = open(wholeFile());
  EXPECT_EQ(file.integer("u8"), 200);
  EXPECT_EQ(file.integer("i8"), -3);
  EXPECT_EQ(file.integer("u16"), 60000);
  EXPECT_EQ(file.integer("i16"), -300);
  EXPECT_EQ(file.integer("u32"), 4000000000);
  EXPECT_EQ(file.integer("i32"), -70000);
  EXPECT_EQ(file.integer("i64"), INT64_MIN);
  EXPECT_EQ(file.number("f32"), 1.5);
  EXPECT_EQ(file.number("u8"), 200.0);
  EXPECT_TRUE(file.boolean("bool"));
  EXPECT_EQ(file.string("string"), "words");
  EXPECT_EQ(file.strings("strings"), (std::vector<std::string_view>{"a", ""}));
  EXPECT_EQ(file.integers("integers"), (std::vector<std::int64_t>{-1, 7}));
  expectError(ErrorCode::corruptFile, "'u64' must be an integer below 2^63", [&] { file.integer("u64"); });
  expectError(ErrorCode::corruptFile, "'string' must be an integer below 2^63, got a string",
              [&] { file.integer("string"); });
  expectError(ErrorCode::corruptFile, "'u8' must be a string, got an integer", [&] { file.string("u8"); });
  expectError(ErrorCode::corruptFile, "'u8' must be a boolean", [&] { file.boolean("u8"); });
  expectError(ErrorCode::corruptFile, "'u8' must be an array", [&] { file.strings("u8"); });
  expectError(ErrorCode::corruptFile, "must be an array of strings", [&] { file.strings("integers"); });
  expectError(ErrorCode::corruptFile, "must be an array of integers", [&] { file.integers("strings"); });
  expectError(ErrorCode::corruptFile, "requires the metadata 'absent'", [&] { file.string("absent"); });

  const GgufTensor &first = file.tensors().find("first")->second;
  EXPECT_EQ(first.shape, (std::vector<std::int64_t>{2, 3}));
  std::vector<float> values(6), eights(32);
  dequantize(first, values);
  EXPECT_EQ(values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  dequantize(file.tensors().find("second")->second, eights);
  EXPECT_EQ(eights, std::vector<float>(32, 1.0f));
  expectError(ErrorCode::invalidArgument, "dequantize requires room for 6 values, got 32",
              [&] { dequantize(first, eights); });
}

TEST_F(GgufTest, EveryTruncationIsRefused) {
  std::string whole = wholeFile();
  for (std::size_t length = 0; length < whole.size(); ++length)
    expectCorrupt(whole.substr(0, length), "x.gguf");
}

TEST_F(GgufTest, NoSingleWrongByteCrashesTheReader) {
  std::string whole = wholeFile();
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (char wrong : {'\xff', '\x7f', '\x00', '\x01'}) {
      std::string changed = whole;
      changed[at] = wrong;
      try {
        open(changed); // a changed weight or character is still a file
      } catch (const Error &error) {
        EXPECT_TRUE(error.code() == ErrorCode::corruptFile || error.code() == ErrorCode::unsupported);
        ++refused;
      }
    }
  EXPECT_GT(refused, 500);
}

TEST_F(GgufTest, LyingCountsAndSizesAreRefusedWithoutAllocatingThem) {
  constexpr std::uint64_t huge = UINT64_MAX;
  expectCorrupt("GGML", "x.gguf: not a GGUF file: it must start with the letters GGUF");
  expectError(ErrorCode::unsupported, "GGUF version 1, supported are 2 and 3", [&] { open(head(0, 0, 1)); });
  expectCorrupt(head(0, huge), "metadata key 0 of 18446744073709551615 requires 8 bytes");
  expectCorrupt(head(huge, 0), "tensor entry 0 requires 8 bytes");
  expectCorrupt(head(0, 1) + bytesOfValue(huge), "requires 18446744073709551615 bytes");
  expectCorrupt(head(0, 1) + text("k") + bytesOfValue<std::uint32_t>(13),
                "metadata 'k' has the value type 13, the format has 0 to 12");
  for (GgufType element : {GgufType::u8, GgufType::f64, GgufType::string, GgufType::array})
    expectCorrupt(head(0, 1) + text("k") + type(GgufType::array) + type(element) + bytesOfValue(huge),
                  "metadata 'k'");
  expectCorrupt(head(0, 1) + text("k") + type(GgufType::array) + type(GgufType::f64) + bytesOfValue(huge),
                "'k' claims 18446744073709551615 elements of 8 bytes, the file has 0 bytes left");
  std::string deep = head(0, 1) + text("k") + type(GgufType::array);
  for (int i = 0; i < 100000; ++i)
    deep += type(GgufType::array) + bytesOfValue<std::uint64_t>(1);
  expectCorrupt(deep, "nests arrays more than 8 deep");
  std::string pair = text("k") + type(GgufType::u8) + "x";
  expectCorrupt(head(0, 2) + pair + pair, "'k' is given twice");
  std::string alignment = text("general.alignment") + type(GgufType::u32);
  for (std::uint32_t wrong : {0u, 24u, 1u << 30})
    expectCorrupt(head(0, 1) + alignment + bytesOfValue(wrong),
                  "general.alignment must be a power of two up to 2^20, got ");
}

TEST_F(GgufTest, LyingTensorsAreRefused) {
  constexpr std::uint64_t big = 1ull << 62;
  auto file = [](std::string entries, std::uint64_t count = 1) {
    return padded(head(count, 0) + entries) + std::string(128, '\0');
  };
  expectCorrupt(file(entry("t", {}, 0, 0)), "'t' has 0 dimensions, the format has 1 to 4");
  expectCorrupt(file(entry("t", {1, 1, 1, 1, 1}, 0, 0)), "has 5 dimensions");
  expectCorrupt(file(entry("t", {0}, 0, 0)), "'t' has the extent 0 in dimension 0");
  expectCorrupt(file(entry("t", {big, big}, 0, 0)), "extent 4611686018427387904 in dimension 1");
  expectCorrupt(file(entry("t", {big}, 0, 0)), "has 4611686018427387904 elements");
  expectCorrupt(file(entry("t", {big, 1}, 8, 0)), "requires 4899916394579099648 bytes at offset 0");
  expectCorrupt(file(entry("t", {33}, 8, 0)),
                "'t' has rows of 33 elements, its type requires a multiple of 32");
  expectCorrupt(file(entry("t", {33}, 0, 0)), "requires 132 bytes at offset 0, the data has 128");
  expectCorrupt(file(entry("t", {1}, 0, 128)), "requires 4 bytes at offset 128");
  expectCorrupt(file(entry("t", {1}, 0, UINT64_MAX - 31)), "at offset 18446744073709551584");
  expectCorrupt(file(entry("t", {1}, 0, 4)), "'t' starts at offset 4, which must be a multiple of 32");
  expectCorrupt(file(entry("t", {16}, 0, 0) + entry("u", {1}, 0, 32), 2),
                "'u' starts at offset 32, inside the tensor before it, which ends at 64");
  expectCorrupt(file(entry("t", {8}, 0, 0) + entry("t", {1}, 0, 32), 2), "tensor 't' is given twice");
  expectError(ErrorCode::unsupported,
              "tensor 't' has the GGUF type 12, supported are F32 (0), F16 (1), Q4_0 (2), Q4_1 (3), Q8_0 "
              "(8), Q6_K (14) and BF16 (30)",
              [&] { open(file(entry("t", {256}, 12, 0))); });
}

} // namespace
} // namespace linmu::models
