#include "distill/data/generators.h"
#include "distill/data/moving_shapes.h"
#include "distill/data/shapes.h"
#include "distill/data/vocabulary.h"
#include "distill/data/written_words.h"
#include "tests/unit/expect_error.h"
#include <algorithm>
#include <map>
#include <set>

namespace linmu::distill {
namespace {

using test::expectError;

const GeneratorOptions small{.side = 32, .frames = 16};

TEST(Generators, AnExampleFollowsFromSeedSplitAndNumber) {
  for (const std::string &name : generatorNames()) {
    Generator make = generatorNamed(name);
    for (std::int64_t number = 0; number < 20; ++number) {
      const Example one = make(7, Split::train, number, small), again = make(7, Split::train, number, small);
      EXPECT_EQ(one.question, again.question);
      EXPECT_EQ(one.answer, again.answer);
      EXPECT_EQ(one.frames.rgb, again.frames.rgb);
      EXPECT_EQ(one.facts, again.facts);
      EXPECT_NE(one.frames.rgb, make(8, Split::train, number, small).frames.rgb);
      EXPECT_NE(one.frames.rgb, make(7, Split::heldOut, number, small).frames.rgb);
      EXPECT_NE(one.frames.rgb, make(7, Split::train, number + 5, small).frames.rgb);
    }
  }
}

TEST(Generators, EachKindOfQuestionHasEveryAnswerEquallyOften) {
  std::map<std::string, std::map<std::string, int>> answers;
  // 48 is a multiple of each number of answers.
  for (std::int64_t number = 0; number < 5 * 48; ++number) {
    const Example example = movingShapes(3, Split::heldOut, number, small);
    ++answers[example.kind][example.answer];
  }
  ASSERT_EQ(answers.size(), 5u);
  const std::map<std::string, std::size_t> expected = {
      {"order", 6}, {"count", 4}, {"direction", 4}, {"colour", 8}, {"position", 4}};
  for (const auto &[kind, counts] : answers) {
    EXPECT_EQ(counts.size(), expected.at(kind)) << kind;
    for (const auto &[answer, count] : counts)
      EXPECT_EQ(std::size_t(count) * counts.size(), 48u) << kind << " " << answer;
  }
}

TEST(Generators, NoCombinationOfFormAndColourIsInBothSplits) {
  auto shown = [](Split split) {
    std::set<std::string> names;
    for (std::int64_t number = 0; number < 200; ++number) {
      const Example example = movingShapes(1, split, number, small);
      for (const auto &shape : example.facts["shapes"])
        names.insert(shape);
    }
    return names;
  };
  const std::set<std::string> train = shown(Split::train), held_out = shown(Split::heldOut);
  EXPECT_EQ(train.size(), 36u);
  EXPECT_EQ(held_out.size(), 12u);
  for (const std::string &name : held_out)
    EXPECT_FALSE(train.contains(name)) << name;
}

TEST(Generators, NoWordAndNoNumberIsInBothSplits) {
  auto written = [](Split split) {
    std::set<std::string> texts;
    for (std::int64_t number = 0; number < 400; ++number) {
      const Example example = writtenWords(1, split, number, small);
      for (const auto &line : example.facts["lines"])
        texts.insert(line["text"]);
    }
    return texts;
  };
  const std::set<std::string> train = written(Split::train), held_out = written(Split::heldOut);
  EXPECT_GT(train.size(), 500u);
  EXPECT_GT(held_out.size(), 300u);
  for (const std::string &text : held_out)
    EXPECT_FALSE(train.contains(text)) << text;
}

/// The frames of a blinking or jumping shape say nothing once their order is lost: as many show each thing.
TEST(Generators, ShuffledFramesDoNotTellHowOftenAShapeAppears) {
  for (std::int64_t number = 1; number < 200; number += 5) {
    const Example example = movingShapes(2, Split::train, number, small);
    ASSERT_EQ(example.kind, "count");
    std::map<std::vector<std::uint8_t>, int> pictures;
    for (int k = 0; k < example.frames.count; ++k) {
      auto frame = example.frames.frame(k);
      ++pictures[{frame.begin(), frame.end()}];
    }
    // Both shapes are there in half of the frames: neither, one, other or both, in one place each.
    EXPECT_LE(pictures.size(), 4u);
    for (const auto &shape : example.facts["shapes"]) {
      const std::string text = shape, colour = text.substr(0, text.find(' '));
      const auto &rgb = std::ranges::find(colours, colour, &Colour::name)->rgb;
      int visible = 0;
      for (const auto &[picture, count] : pictures)
        for (std::size_t at = 0; at < picture.size(); at += 3)
          if (std::equal(rgb.begin(), rgb.end(), picture.begin() + std::ptrdiff_t(at))) {
            visible += count;
            break;
          }
      EXPECT_EQ(visible, 8) << text;
    }
  }
}

TEST(Generators, WordsOfQuestionsAndAnswersAreInTheVocabulary) {
  const auto &words = vocabularyWords();
  for (const std::string &name : generatorNames())
    for (std::int64_t number = 0; number < 300; ++number) {
      const Example example = generatorNamed(name)(4, Split::train, number, small);
      std::string word;
      for (char c : example.question + " " + example.answer + " ") {
        if (c >= 'a' && c <= 'z')
          word.push_back(c);
        else if (!word.empty()) {
          EXPECT_NE(std::ranges::find(words, word), words.end()) << word;
          word.clear();
        }
      }
    }
}

TEST(Generators, WhatDoesNotFitIsRefused) {
  expectError(ErrorCode::invalidArgument, {"'shapes'", "moving-shapes, written-words"},
              [] { generatorNamed("shapes"); });
  expectError(ErrorCode::invalidArgument, {"multiple of 8", "17 frames"},
              [] { movingShapes(0, Split::train, 0, {.side = 32, .frames = 17}); });
  expectError(ErrorCode::invalidArgument, {"got 31"}, [] { writtenWords(0, Split::train, 0, {.side = 31}); });
}

} // namespace
} // namespace linmu::distill
