// Weight files made byte by byte, so that each byte of them can be wrong.
#pragma once
#include "runtime/core/error.h"
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace linmu::test {

/// A folder of its own for each test, removed at its end.
class FileTest : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "linmu_test.XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string &name, std::string_view bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  std::filesystem::path folder_;
};

template <typename T> std::string bytesOfValue(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// Expects that `action` throws an Error with `code` whose message, with the hint on a line of its own,
/// contains `text`.
template <typename Action> void expectError(ErrorCode code, std::string_view text, Action &&action) {
  try {
    action();
    ADD_FAILURE() << "no error, expected one with: " << text;
  } catch (const Error &error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    const std::string said = std::string(error.what()) + "\n" + error.hint();
    EXPECT_NE(said.find(text), std::string::npos) << "expected '" << text << "' in: " << said;
  }
}

} // namespace linmu::test
