#include "runtime/io/safetensors_file.h"
#include "runtime/io/safetensors_writer.h"
#include "tests/unit/models_file_fixture.h"
#include <array>
#include <vector>

namespace linmu {
namespace {

using test::bytesOfValue;
using test::expectError;

class SafetensorsTest : public test::FileTest {
protected:
  std::filesystem::path file(const std::string &header, std::size_t data_bytes) const {
    return write("x.safetensors",
                 bytesOfValue<std::uint64_t>(header.size()) + header + std::string(data_bytes, 'd'));
  }
  void expectCorrupt(const std::string &header, std::size_t data_bytes, std::string_view text) const {
    auto path = file(header, data_bytes);
    expectError(ErrorCode::corruptFile, text, [&] { SafetensorsFile::open(path); });
  }
};

std::span<const std::byte> bytesOf(const auto &values) { return std::as_bytes(std::span(values)); }

TEST_F(SafetensorsTest, WhatIsWrittenIsReadBack) {
  std::vector<float> numbers{1.5f, -2.0f, 3.25f, 0, 5, 6};
  std::vector<std::uint8_t> flags{1, 0, 1};
  std::vector<std::int64_t> none;
  TensorToStore tensors[] = {{"flags", StoredType::boolean, {3}, bytesOf(flags)},
                             {"a \"quoted\" name", StoredType::f32, {2, 3}, bytesOf(numbers)},
                             {"empty", StoredType::i64, {0, 7}, bytesOf(none)}};
  writeSafetensors(folder_ / "y.safetensors", tensors, {{"made by", "a test"}});
  auto read = SafetensorsFile::open(folder_ / "y.safetensors");
  ASSERT_EQ(read.tensors().size(), 3u);
  EXPECT_EQ(read.metadata().at("made by"), "a test");
  const StoredTensor &stored = read.at("a \"quoted\" name");
  EXPECT_EQ(stored.type, StoredType::f32);
  EXPECT_EQ(stored.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(std::ranges::equal(stored.bytes, std::as_bytes(std::span(numbers))));
  EXPECT_EQ(read.at("empty").bytes.size(), 0u);
  EXPECT_EQ(read.at("flags").bytes.size(), 3u);
  expectError(ErrorCode::invalidArgument, "has no tensor 'other'", [&] { read.at("other"); });
}

TEST_F(SafetensorsTest, EveryTruncationIsRefused) {
  std::vector<float> numbers(10, 1.0f);
  TensorToStore tensors[] = {{"x", StoredType::f32, {10}, bytesOf(numbers)}};
  writeSafetensors(folder_ / "whole.safetensors", tensors);
  std::ifstream stream(folder_ / "whole.safetensors", std::ios::binary);
  std::string whole((std::istreambuf_iterator<char>(stream)), {});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto path = write("cut.safetensors", whole.substr(0, length));
    expectError(ErrorCode::corruptFile, "cut.safetensors", [&] { SafetensorsFile::open(path); });
  }
  auto path = write("long.safetensors", whole + "x");
  expectError(ErrorCode::corruptFile, "the tensors end at byte 40 of the data, which has 41",
              [&] { SafetensorsFile::open(path); });
}

TEST_F(SafetensorsTest, LyingHeadersAreRefused) {
  auto path = write("x.safetensors", bytesOfValue<std::uint64_t>(UINT64_MAX) + "{}");
  expectError(ErrorCode::corruptFile, "the header claims 18446744073709551615 bytes",
              [&] { SafetensorsFile::open(path); });
  path = write("x.safetensors", "short");
  expectError(ErrorCode::corruptFile, "a safetensors file requires at least 8 bytes, got 5",
              [&] { SafetensorsFile::open(path); });
  expectCorrupt("{", 0, "x.safetensors: the header is not valid JSON: ");
  expectCorrupt("[]", 0, "the header must be a JSON object");
  expectCorrupt(R"({"__metadata__":[]})", 0, "__metadata__ must be an object of strings");
  expectCorrupt(R"({"__metadata__":{"a":1}})", 0, "'a' must be a string");
  expectCorrupt(R"({"x":3})", 0, "tensor 'x' requires a 'dtype', a 'shape' and 'data_offsets'");
  expectCorrupt(R"({"x":{"dtype":"F32","data_offsets":[0,4]}})", 4, "requires a list 'shape'");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4,
                "tensor 'x': 'shape' must hold integers from 0, got -1");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "integers from 0, got 1.5");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
                "require 8 bytes, data_offsets give 4");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 3,
                "tensor 'x': data_offsets [0, 4] are outside the data of 3 bytes");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "outside the data");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4,
                "tensor 'x': the product of its shape overflows at extent 4294967296");
  expectCorrupt(
      R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
      4, "the header names 'x' twice");
  expectCorrupt(
      R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
      6, "tensor 'y' starts at byte 2 of the data, the tensor before it ends at 4");
  expectCorrupt(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "starts at byte 4");
  auto other = file(R"({"x":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}})", 4);
  expectError(ErrorCode::unsupported, "tensor 'x' has the dtype 'F4', which is not supported",
              [&] { SafetensorsFile::open(other); });
  expectError(ErrorCode::io, "No such file", [&] { SafetensorsFile::open(folder_ / "none"); });
  expectError(ErrorCode::io, "it is a folder", [&] { SafetensorsFile::open(folder_); });
}

TEST_F(SafetensorsTest, ShardsMustAgreeWithTheirIndex) {
  float one = 1;
  TensorToStore x[] = {{"x", StoredType::f32, {}, bytesOf(std::span(&one, 1))}};
  TensorToStore y[] = {{"y", StoredType::f32, {}, bytesOf(std::span(&one, 1))}};
  writeSafetensors(folder_ / "a.safetensors", x);
  writeSafetensors(folder_ / "b.safetensors", y);
  auto openWith = [&](const std::string &weight_map) {
    write("model.safetensors.index.json", "{\"weight_map\":" + weight_map + "}");
    return openSafetensorsModel(folder_);
  };
  EXPECT_EQ(openWith(R"({"x":"a.safetensors","y":"b.safetensors"})").size(), 2u);
  auto refuse = [&](ErrorCode code, const std::string &weight_map, std::string_view text) {
    expectError(code, text, [&] { openWith(weight_map); });
  };
  refuse(ErrorCode::corruptFile, R"({"x":"b.safetensors"})", "places tensor 'x' in b.safetensors");
  refuse(ErrorCode::corruptFile, R"({"x":"a.safetensors","z":"a.safetensors"})",
         "places tensor 'z' in a.safetensors, which does not hold it");
  refuse(ErrorCode::corruptFile, R"({"x":"../a.safetensors"})",
         "tensor 'x' must name a file in the same folder");
  TensorToStore both[] = {x[0], y[0]};
  writeSafetensors(folder_ / "both.safetensors", both);
  refuse(ErrorCode::corruptFile, R"({"x":"both.safetensors"})",
         "does not place tensor 'y' in both.safetensors, which holds it");
  refuse(ErrorCode::corruptFile, R"([])", "requires an object 'weight_map'");
  refuse(ErrorCode::io, R"({"x":"c.safetensors"})", "c.safetensors");
}

TEST_F(SafetensorsTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  float one = 1;
  auto path = write("kept.safetensors", "old");
  TensorToStore twice[] = {{"x", StoredType::f32, {}, bytesOf(std::span(&one, 1))},
                           {"x", StoredType::f32, {}, bytesOf(std::span(&one, 1))}};
  expectError(ErrorCode::invalidArgument, "'x' is reserved or repeated",
              [&] { writeSafetensors(path, twice); });
  TensorToStore small[] = {{"x", StoredType::f32, {2}, bytesOf(std::span(&one, 1))}};
  expectError(ErrorCode::invalidArgument, "'x': dtype F32 and shape [2] require 8 bytes, got 4",
              [&] { writeSafetensors(path, small); });
  TensorToStore negative[] = {{"x", StoredType::f32, {-2}, bytesOf(std::span(&one, 1))}};
  expectError(ErrorCode::invalidArgument, "'x': shape [-2] is not valid",
              [&] { writeSafetensors(path, negative); });
  TensorToStore good[] = {{"x", StoredType::f32, {}, bytesOf(std::span(&one, 1))}};
  expectError(ErrorCode::invalidArgument, "a tensor name or metadata value: ", [&] {
    writeSafetensors(path, good, {{"not UTF-8", "\xff"}});
  });
  std::filesystem::create_directory(folder_ / "taken");
  std::filesystem::create_directory(folder_ / "taken" / "inside");
  expectError(ErrorCode::io, "cannot write", [&] { writeSafetensors(folder_ / "taken", good); });
  expectError(ErrorCode::io, "cannot write", [&] { writeSafetensors(folder_ / "no" / "x", good); });
  EXPECT_EQ(std::filesystem::file_size(path), 3u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 2);
}

} // namespace
} // namespace linmu
