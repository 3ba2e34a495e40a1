#include "runtime/io/json_nesting.h"
#include <gtest/gtest.h>
#include <string>

namespace linmu {
namespace {

std::string nested(std::size_t depth, const std::string &open, const std::string &close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i)
    text += open;
  for (std::size_t i = 0; i < depth; ++i)
    text += close;
  return text;
}

TEST(JsonNesting, ListsAndObjectsCountTogether) {
  EXPECT_FALSE(nestsTooDeeply(""));
  EXPECT_FALSE(nestsTooDeeply(nested(deepest_json, "[", "]")));
  EXPECT_TRUE(nestsTooDeeply(nested(deepest_json + 1, "[", "]")));
  EXPECT_FALSE(nestsTooDeeply(nested(deepest_json / 2, R"({"a":[)", "]}")));
  EXPECT_TRUE(nestsTooDeeply(nested(deepest_json / 2 + 1, R"({"a":[)", "]}")));
  EXPECT_TRUE(nestsTooDeeply(std::string(1000000, '[')));
}

TEST(JsonNesting, WhatWasClosedAndWhatIsTextDoesNot) {
  std::string wide;
  for (int i = 0; i < 1000; ++i)
    wide += "[{}],";
  EXPECT_FALSE(nestsTooDeeply(wide));
  EXPECT_FALSE(nestsTooDeeply('"' + std::string(1000, '[') + '"'));
  // A quoted quote ends no text, a quoted backslash does not quote.
  EXPECT_FALSE(nestsTooDeeply(R"("\")" + std::string(1000, '[') + '"'));
  EXPECT_TRUE(nestsTooDeeply(R"("\\")" + std::string(1000, '[')));
  // Not JSON at all.
  EXPECT_FALSE(nestsTooDeeply(std::string(1000, ']') + std::string(deepest_json, '[')));
  EXPECT_FALSE(nestsTooDeeply("\"\\"));
}

} // namespace
} // namespace linmu
