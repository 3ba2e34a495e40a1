// Sets of samples from files and generators.
#include "distill/data/easy_vqa.h"
#include "distill/data/example_writer.h"
#include "distill/data/generated_set.h"
#include "distill/data/jsonl_set.h"
#include "distill/data/set_spec.h"
#include "distill/data/shapes.h"
#include "distill/data/written_words.h"
#include "models/media/picture_writer.h"
#include "tests/unit/data_fixture.h"
#include "tests/unit/expect_error.h"
#include <fmt/format.h>
#include <regex>

namespace linmu::distill {
namespace {

using test::expectError;

class DataSets : public testing::Test {
protected:
  static void SetUpTestSuite() {
    model_folder = new test::TemporaryFolder;
    test::writeTinyVlm(model_folder->path());
    model = new models::VisionLanguageModel(models::VisionLanguageModel::open(model_folder->path()));
  }
  static void TearDownTestSuite() {
    delete model;
    delete model_folder;
  }
  std::string textOf(const Sample &sample, bool labels = false) const {
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < sample.ids.size(); ++i)
      if (!labels || sample.labels[i] != noLabel)
        ids.push_back(sample.ids[i]);
    return model->language.tokenizer.decode(ids);
  }
  std::filesystem::path write(const std::string &lines) const {
    test::writeBytes(folder / "data.jsonl", lines);
    return folder / "data.jsonl";
  }

  static test::TemporaryFolder *model_folder;
  static models::VisionLanguageModel *model;
  test::TemporaryFolder folder;
  SampleEncoder encoder{*model};
};
test::TemporaryFolder *DataSets::model_folder = nullptr;
models::VisionLanguageModel *DataSets::model = nullptr;

TEST_F(DataSets, WrittenExamplesAreReadAsTheGeneratorMadeThem) {
  for (const std::string &name : generatorNames()) {
    const GeneratorOptions options{.side = 32, .frames = 16};
    writeExamples(name, 4, Split::heldOut, 5, options, folder / name);
    JsonlSet files(folder / name / "data.jsonl", encoder);
    GeneratedSet made(name, 4, Split::heldOut, 5, options, encoder);
    ASSERT_EQ(files.size(), 5);
    for (std::int64_t i = 0; i < 5; ++i) {
      const Sample one = files.load(i), other = made.load(i);
      EXPECT_EQ(one.ids, other.ids);
      EXPECT_EQ(one.labels, other.labels);
      ASSERT_EQ(one.patches.size(), 1u);
      EXPECT_TRUE(torch::equal(one.patches[0], other.patches[0])) << name << " " << i;
      const Question asked = files.question(i), expected = made.question(i);
      EXPECT_EQ(asked.text, expected.text);
      EXPECT_EQ(asked.answer, expected.answer);
      EXPECT_EQ(asked.kind, expected.kind);
      EXPECT_EQ(asked.prompt.ids, expected.prompt.ids);
    }
  }
}

TEST_F(DataSets, LabelsAreOnAnswersAndWhatEndsThem) {
  GeneratedSet set("moving-shapes", 1, Split::train, 3, {.side = 32, .frames = 16}, encoder);
  const Sample sample = set.load(2);
  ASSERT_EQ(sample.media.size(), 1u);
  const models::MediaItem &video = sample.media[0];
  EXPECT_EQ(video.t * video.h * video.w, 8 * 4 * 4);
  EXPECT_EQ(sample.patches[0].sizes(), (std::vector<std::int64_t>{128, 384}));
  const auto &tokenizer = model->language.tokenizer;
  for (std::int64_t i = 0; i < 128; ++i)
    EXPECT_EQ(sample.ids[std::size_t(video.first_token + i)], *tokenizer.idOf("<|video_pad|>"));
  EXPECT_EQ(sample.ids[std::size_t(video.first_token - 1)], *tokenizer.idOf("<|vision_start|>"));
  EXPECT_EQ(sample.ids[std::size_t(video.first_token + 128)], *tokenizer.idOf("<|vision_end|>"));
  const std::string answer = set.question(2).answer;
  EXPECT_EQ(textOf(sample, true), answer);
  std::vector<std::int64_t> labels;
  for (std::int64_t label : sample.labels)
    if (label != noLabel)
      labels.push_back(label);
  EXPECT_EQ(labels.back(), *tokenizer.idOf("<|im_end|>"));
  EXPECT_EQ(textOf(sample), "user\n" + set.question(2).text + "\nassistant\n" + answer + "\n");
}

TEST_F(DataSets, ADescriptionFollowsTheAnswer) {
  const std::map<std::string, std::string> expected = {
      {"order", "(\\w+ \\w+, ){3}\\w+ \\w+"},
      {"count", "\\w+ \\w+ [1-4], \\w+ \\w+ [1-4]"},
      {"direction", "\\w+ \\w+ (left|right|up|down), \\w+ \\w+ (left|right|up|down)"},
      {"colour", "\\w+ \\w+ (left|right|up|down), \\w+ \\w+ (left|right|up|down)"},
      {"position", "\\w+ \\w+( (top|bottom) (left|right),?){4}; \\w+ \\w+( (top|bottom) (left|right),?){4}"}};
  const GeneratorOptions options{.side = 32, .frames = 16};
  GeneratedSet plain("moving-shapes", 1, Split::train, 10, options, encoder);
  GeneratedSet set("moving-shapes", 1, Split::train, 10, options, encoder, /*described=*/true);
  EXPECT_NE(plain.fingerprint(), set.fingerprint());
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::string short_text = textOf(plain.load(i)), text = textOf(set.load(i));
    const std::string asked = short_text + "user\ndescribe the video\nassistant\n";
    ASSERT_EQ(text.substr(0, asked.size()), asked);
    const std::string description = text.substr(asked.size());
    const std::string kind = set.question(i).kind;
    EXPECT_TRUE(std::regex_match(description, std::regex(expected.at(kind) + "\n"))) << kind << description;
    EXPECT_EQ(textOf(set.load(i), true),
              set.question(i).answer + description.substr(0, description.size() - 1));
  }
  GeneratedSet words("written-words", 1, Split::train, 5, options, encoder, true);
  for (std::int64_t i = 0; i < 5; ++i) {
    std::string lines;
    const Example example = writtenWords(1, Split::train, i, options);
    for (const auto &line : example.facts.at("lines"))
      lines += (lines.empty() ? "" : ", ") + line.at("colour").get<std::string>() + " " +
               line.at("text").get<std::string>();
    const std::string short_text =
        textOf(GeneratedSet("written-words", 1, Split::train, 5, options, encoder).load(i));
    EXPECT_EQ(textOf(words.load(i)), short_text + "user\ndescribe the picture\nassistant\n" + lines + "\n");
  }
}

TEST_F(DataSets, KindsAreThoseAskedFor) {
  const GeneratorOptions options{.side = 32, .frames = 16};
  const GeneratedSet all("written-words", 1, Split::train, 20, options, encoder);
  const GeneratedSet some("written-words", 1, Split::train, 6, options, encoder, false,
                          {"contains", "colour"});
  EXPECT_EQ(some.size(), 6);
  for (std::int64_t i = 0; i < 6; ++i) {
    const std::int64_t number = i / 2 * 5 + (i % 2 ? 4 : 1);
    EXPECT_EQ(some.question(i).kind, i % 2 ? "contains" : "colour");
    EXPECT_EQ(some.load(i).ids, all.load(number).ids);
    EXPECT_EQ(some.load(i).name, all.load(number).name);
  }
  EXPECT_NE(some.fingerprint(),
            GeneratedSet("written-words", 1, Split::train, 6, options, encoder).fingerprint());
  expectError(ErrorCode::invalidArgument, {"'size'", "line, colour, letter, larger, contains"},
              [&] { GeneratedSet("written-words", 1, Split::train, 6, options, encoder, false, {"size"}); });
  expectError(ErrorCode::invalidArgument, {"'kinds', a list of texts"}, [&] {
    openSet({{"generator", "written-words"}, {"seed", 1}, {"count", 2}, {"kinds", "line"}}, "", encoder);
  });
}

TEST_F(DataSets, AConversationHasTurnsAndMediaInTheirPlaces) {
  media::writePng(folder / "a.png", blankFrames(1, 32, 32, {255, 0, 0}));
  media::writePng(folder / "b.png", blankFrames(1, 32, 32, {0, 0, 255}));
  JsonlSet set(
      write(R"({"image": ["a.png", "b.png"], "conversations": [{"from": "system", "value": "be short"}, )"
            R"({"from": "human", "value": "one <image>\ntwo\n<image>"}, {"from": "gpt", "value": "yes"}, )"
            R"({"from": "human", "value": "is it red?"}, {"from": "gpt", "value": "no"}]})"),
      encoder);
  const Sample sample = set.load(0);
  EXPECT_EQ(textOf(sample),
            "system\nbe short\nuser\nonetwo\nassistant\nyes\nuser\nis it red?\nassistant\nno\n");
  EXPECT_EQ(textOf(sample, true), "yesno");
  ASSERT_EQ(sample.media.size(), 2u);
  // Red, then blue: (v / 255 - 0.5) / 0.5 of the first channel.
  EXPECT_EQ(model->preprocessor.valuesOf(sample.patches[0])[0][0].item<float>(), 1.0f);
  EXPECT_EQ(model->preprocessor.valuesOf(sample.patches[1])[0][0].item<float>(), -1.0f);
  const Question question = set.question(0);
  EXPECT_EQ(question.answer, "yes");
  EXPECT_EQ(question.text, "one\ntwo");
  EXPECT_EQ(textOf(question.prompt), "system\nbe short\nuser\nonetwo\nassistant\n");
}

TEST_F(DataSets, MediaWithoutAPlaceholderComeFirst) {
  media::writePng(folder / "a.png", blankFrames(1, 32, 32, {255, 0, 0}));
  JsonlSet set(write("{\"image\": \"a.png\", \"conversations\": [{\"from\": \"human\", \"value\": \"red?\"}, "
                     "{\"from\": \"gpt\", \"value\": \"yes\"}]}\n\n  \n"),
               encoder);
  EXPECT_EQ(set.size(), 1);
  const Sample sample = set.load(0);
  ASSERT_EQ(sample.media.size(), 1u);
  EXPECT_LT(sample.media[0].first_token, 8);
  EXPECT_EQ(textOf(sample), "user\nred?\nassistant\nyes\n");
}

TEST_F(DataSets, ALineThatLiesIsNamedWithItsNumber) {
  const std::string tail =
      R"("conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "a"}]})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{\"conversations\": ", "is not valid JSON"},
      {"[1]", "a list 'conversations'"},
      {R"({"conversations": []})", "a list 'conversations'"},
      {R"({"conversations": [{"from": "human"}]})", "must have the text 'value'"},
      {R"({"conversations": [{"from": "cat", "value": "x"}]})", "got 'cat'"},
      {R"({"conversations": [{"from": "human", "value": "x"}]})", "a message of 'gpt'"},
      {R"({"image": 7, )" + tail, "'image' must be a path"},
      {R"({"image": "", )" + tail, "'image' must be a path"},
      {R"({"image": "a.png\u0000b", )" + tail, "'image' must be a path"},
      {"{" + tail, "a <image> more than 'image' has paths, which are 0"},
      {R"({"image": "none.png", )" + tail, "none.png: expected a picture file, found no such file"},
      {R"({"image": "data.jsonl", )" + tail, "data.jsonl: expected a picture file, found none"},
  };
  std::string lines;
  for (const auto &[line, message] : cases)
    lines += line + "\n";
  JsonlSet set(write(lines), encoder);
  ASSERT_EQ(set.size(), std::int64_t(cases.size()));
  for (std::size_t i = 0; i < cases.size(); ++i)
    try {
      set.load(std::int64_t(i));
      ADD_FAILURE() << cases[i].first;
    } catch (const Error &error) {
      EXPECT_NE(std::string(error.what()).find(cases[i].second), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("data.jsonl:" + std::to_string(i + 1) + ": "),
                std::string::npos)
          << error.what();
      EXPECT_NE(error.code(), ErrorCode::internal);
    }
  expectError(ErrorCode::corruptFile, {"no line"}, [&] { JsonlSet(write("\n"), encoder); });
  expectError(ErrorCode::io, {"none.jsonl"}, [&] { JsonlSet(folder / "none.jsonl", encoder); });
}

TEST_F(DataSets, ChangedMediaKeepTheQuestion) {
  const GeneratorOptions options{.side = 32, .frames = 16};
  SampleEncoder shuffled(*model, MediaChange::shuffledFrames), blank(*model, MediaChange::blank);
  const Sample plain = GeneratedSet("moving-shapes", 1, Split::train, 9, options, encoder).load(2);
  const Sample one = GeneratedSet("moving-shapes", 1, Split::train, 9, options, shuffled).load(2);
  const Sample two = GeneratedSet("moving-shapes", 1, Split::train, 9, options, blank).load(2);
  EXPECT_EQ(one.ids, plain.ids);
  EXPECT_EQ(two.ids, plain.ids);
  EXPECT_FALSE(torch::equal(one.patches[0], plain.patches[0]));
  // The same frames in another order.
  EXPECT_TRUE(torch::equal(one.patches[0].sum(), plain.patches[0].sum()));
  EXPECT_TRUE((two.patches[0] == 128).all().item<bool>());
  expectError(ErrorCode::invalidArgument, {"'grey'"}, [] { mediaChangeNamed("grey"); });
}

TEST_F(DataSets, NumbersOfASpecThatDoNotFitAreRefusedByName) {
  const nlohmann::json good = {{"generator", "written-words"}, {"seed", 1}, {"count", 3}, {"side", 32}};
  EXPECT_EQ(openSets(nlohmann::json::array({good}), folder.path(), encoder).front().set->size(), 3);
  // 4294967328 is 32 where 32 bits are kept of it.
  for (const char *number : {"8.6e+77", "-1", "3.0", "18446744073709551615", "4294967328"})
    for (const char *key : {"seed", "count", "side", "frames", "repeat"}) {
      nlohmann::json spec = good;
      spec[key] = nlohmann::json::parse(number);
      if (spec["seed"] == 4294967328)
        continue;
      expectError(ErrorCode::invalidArgument, {"a set of samples", key, "an integer from", number},
                  [&] { openSets(nlohmann::json::array({spec}), folder.path(), encoder); });
    }
}

TEST_F(DataSets, PathsOfASpecAreWhole) {
  for (const char *key : {"jsonl", "easy-vqa"})
    for (const std::string &path : {std::string(), std::string("data.jsonl\0x", 12)})
      expectError(ErrorCode::invalidArgument, {"a set of samples must have the key", key, "a path"},
                  [&] { openSet({{key, path}}, folder.path(), encoder); });
}

TEST_F(DataSets, EasyVqaListsAreReadAndDamageIsNamed) {
  std::filesystem::create_directories(folder / "test/images");
  media::writePng(folder / "test/images/0.png", blankFrames(1, 32, 32, {255, 0, 0}));
  test::writeBytes(folder / "test/questions.json",
                   R"([["what is the color of the shape?", "red", 0], ["is there a circle?", "no", 5]])");
  EasyVqaSet set(folder.path(), Split::heldOut, encoder);
  EXPECT_EQ(set.size(), 2);
  EXPECT_EQ(textOf(set.load(0)), "user\nwhat is the color of the shape?\nassistant\nred\n");
  EXPECT_EQ(set.question(0).kind, "colour");
  EXPECT_EQ(set.question(0).answer, "red");
  expectError(ErrorCode::io, {"5.png"}, [&] { set.load(1); });
  for (const char *question : {R"(["what?","red"])", R"(["what?","red",8.6e+77])", R"(["what?","red",-1])",
                               R"(["what?","red",18446744073709551615])"}) {
    test::writeBytes(folder / "test/questions.json", fmt::format("[{}]", question));
    expectError(ErrorCode::corruptFile, {"questions.json", "question 0", question},
                [&] { EasyVqaSet(folder.path(), Split::heldOut, encoder); });
  }
  expectError(ErrorCode::io, {"questions.json"}, [&] { EasyVqaSet(folder.path(), Split::train, encoder); });
}

TEST_F(DataSets, ACountTakesTheFirstSamplesOfAFile) {
  media::writePng(folder / "a.png", blankFrames(1, 32, 32, {255, 0, 0}));
  const std::string line =
      R"({"image": "a.png", "conversations": [{"from": "human", "value": "?"}, {"from": "gpt", "value": "a"}]})";
  write(line + "\n" + line + "\n" + line + "\n");
  const auto open = [&](nlohmann::json spec) { return openSet(spec, folder.path(), encoder); };
  const auto whole = open({{"jsonl", "data.jsonl"}}), two = open({{"jsonl", "data.jsonl"}, {"count", 2u}});
  EXPECT_EQ(whole->size(), 3);
  EXPECT_EQ(two->size(), 2);
  EXPECT_EQ(two->load(1).ids, whole->load(1).ids);
  EXPECT_EQ(two->question(1).answer, "a");
  EXPECT_NE(two->fingerprint(), whole->fingerprint());
  EXPECT_EQ(open({{"jsonl", "data.jsonl"}, {"count", 9u}})->size(), 3);
  expectError(ErrorCode::invalidArgument, {"'count' of 1 or more"},
              [&] { open({{"jsonl", "data.jsonl"}, {"count", 0u}}); });
}

} // namespace
} // namespace linmu::distill
