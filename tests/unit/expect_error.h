// Pins an error: its code and what its message must hold.
#pragma once
#include "runtime/core/error.h"
#include <gtest/gtest.h>
#include <initializer_list>
#include <string>

namespace linmu::test {

/// Expects `action` to throw linmu::Error with `code` and every one of `parts` in its message or
/// hint.
template <typename Action>
void expectError(ErrorCode code, std::initializer_list<std::string> parts, Action &&action) {
  try {
    action();
  } catch (const Error &error) {
    EXPECT_EQ(error.code(), code) << error.what();
    const std::string said = std::string(error.what()) + "\n" + error.hint();
    for (const std::string &part : parts)
      EXPECT_NE(said.find(part), std::string::npos) << "expected \"" << part << "\" in: " << said;
    return;
  }
  ADD_FAILURE() << "expected an error, and none was thrown";
}

} // namespace linmu::test
