// What a run reads and writes: recipes, data, checkpoints, the teacher's answers, config.json.
#include "distill/export.h"
#include "distill/greedy_answer.h"
#include "distill/run_places.h"
#include "distill/text_source.h"
#include "models/mmate/convert.h"
#include "runtime/io/atomic_folder.h"
#include "tests/unit/distill_fixture.h"
#include "tests/unit/models_gguf_fixture.h"
#include <csignal>
#include <fmt/format.h>
#include <functional>
#include <sys/resource.h>
#include <sys/stat.h>

namespace linmu::distill {
namespace {

using nlohmann::json;
using test::expectError;

class DistillFiles : public test::DistillTest {
protected:
  void expectRefused(const json &text, std::string_view message) const {
    expectError(ErrorCode::invalidArgument, message, [&] { parsed(text); });
  }
};

TEST_F(DistillFiles, RecipesHaveThePapersDefaults) {
  json text = {{"teacher", "t"}, {"out", "o"}, {"data", {{"path", "d"}}}};
  for (const char *stage : {"1", "2", "3", "all"})
    text["stages"].push_back({{"stage", stage}, {"steps", 2000}});
  Recipe read = parsed(text);
  EXPECT_EQ(read.model, folder_ / "t");
  const Stage &one = read.stages[0], &two = read.stages[1], &three = read.stages[2], &all = read.stages[3];
  using Branches = models::MMateConfig::Branches;
  EXPECT_EQ(one.branches, Branches::flex);
  EXPECT_FALSE(one.train.contains(Part::swin));
  EXPECT_TRUE(two.train.contains(Part::swin) && !two.train.contains(Part::adapters));
  EXPECT_TRUE(three.train.contains(Part::adapters) && !three.train.contains(Part::backbone));
  EXPECT_EQ(two.objective.weights, (LossTerms{0.5, 0.5, 0, 0}));
  EXPECT_EQ(three.objective.weights, (LossTerms{0, 0.5, 0.5, 0.5}));
  EXPECT_EQ(one.schedule.peak, 5e-4);
  EXPECT_EQ(three.schedule.peak, 2e-5);
  EXPECT_EQ(all.schedule.peak, 5e-4);
  EXPECT_EQ(all.train, three.train);
  EXPECT_EQ(three.schedule.warmup, 100);
  EXPECT_EQ(read.adapter_rank, 8);
  EXPECT_EQ(read.adapter_alpha, 16);
}

TEST_F(DistillFiles, EveryKeyOfARecipeIsChecked) {
  json good = recipe("out", 2);
  auto with = [&](const char *pointer, const json &value) {
    json text = good;
    text[json::json_pointer(pointer)] = value;
    return text;
  };
  expectRefused(with("/bathc", 3), "recipe.json: bathc: there is no such key; known are ");
  expectRefused(with("/stages/1/losses", json{{"hiden", 1}}),
                "recipe.json: stages[1].losses.hiden: there is no such key");
  expectRefused(with("/stages/0/steps", "ten"),
                "recipe.json: stages[0].steps: expected a whole number from 0 to ");
  for (const char *steps : {"8.6e+77", "-1", "2.0", "18446744073709551615"})
    expectRefused(
        with("/stages/0/steps", json::parse(steps)),
        fmt::format("stages[0].steps: expected a whole number from 0 to 1099511627776, got {}", steps));
  expectRefused(with("/mixer", json{{"image_window", {8.6e77, 1}}}),
                "expected 2 whole numbers from 1 to 65536, got [8.6e+77,1]");
  expectRefused(with("/stages/0/stage", "4"),
                "recipe.json: stages[0].stage: expected one of \"1\", \"2\", \"3\", \"all\", got \"4\"");
  expectRefused(with("/stages/0/train", json::array({"flexx"})),
                "stages[0].train: expected \"flex\", \"swin\", \"fusion\" or \"adapters\", got \"flexx\"");
  expectRefused(with("/stages/0/train", json::array({"flex", "backbone"})), "got \"backbone\"");
  expectRefused(with("/stages/2/losses", json{{"token", 0}, {"sequence", 0}, {"supervised", 0}}),
                "stages[2].losses: expected a weight above 0, got none");
  expectRefused(with("/mixer", json{{"scan_nrom", true}}),
                "mixer: M-MATE configuration: there is no key 'scan_nrom'");
  expectRefused(with("/precision", "f16"), "precision: expected one of \"f32\", \"bf16\", got \"f16\"");
  expectRefused(with("/data", json{{"path", 3}}), "data.path: expected a text, got 3");
  expectRefused(with("/validation/every", 3), "validation.every: there is no such key");
  expectRefused(with("/checkpoints", json::array()), "checkpoints: expected an object, got []");
  expectRefused(with("/stages", json::array()), "stages: expected a list of objects, at least one, got []");
  expectRefused(with("/stages/0/temperature", 0),
                "stages[0].temperature: expected a number from 0.01 to 100, got 0");
  for (const char *key : {"/teacher", "/out", "/data/path", "/validation/path"}) {
    expectRefused(with(key, std::string("a\0b", 3)), "expected a path, got \"a\\u0000b\"");
    expectRefused(with(key, ""), "expected a path, got \"\"");
  }
  for (const char *name : {"", "../elsewhere", "\x1b[31m", "two\nlines"})
    expectRefused(with("/stages/0/name", name),
                  "stages[0].name: expected a text without '/' and control characters, got ");
  json without = good;
  without.erase("teacher");
  expectRefused(without, "recipe.json: teacher: expected a text, got nothing");
  auto broken = write("broken.json", "{\n \"teacher\": ,\n}");
  expectError(ErrorCode::corruptFile, "line 2", [&] { Recipe::read(broken); });
}

TEST_F(DistillFiles, ARecipeThatTrainsHasTheSupervisedLossAlone) {
  json text = {{"kind", "train"},
               {"preset", "demo"},
               {"out", "o"},
               {"data", {{"kind", "vision"}, {"sets", {{{"jsonl", "d"}}}}}},
               {"stages", {{{"steps", 2000}}, {{"steps", 5}, {"train", {"vision"}}}}}};
  const Recipe read = parsed(text);
  EXPECT_EQ(read.kind, RecipeKind::train);
  EXPECT_FALSE(read.mixer);
  EXPECT_EQ(read.stages[0].objective.weights, (LossTerms{0, 0, 0, 1}));
  EXPECT_TRUE(read.stages[0].train.contains(Part::backbone) && read.stages[0].train.contains(Part::vision));
  EXPECT_EQ(read.stages[1].train, std::set<Part>{Part::vision});
  EXPECT_EQ(read.stages[1].name, "2");
  json other = text;
  other["device"] = "cuda";
  other["data"]["workers"] = 9;
  EXPECT_EQ(read.firstDifference(other), std::nullopt);
  other["data"]["sets"][0]["repeat"] = 2;
  EXPECT_EQ(read.firstDifference(other), "/data/sets/0/repeat");
  auto with = [&](const char *key, const json &value) {
    json changed = text;
    changed[key] = value;
    return changed;
  };
  expectRefused(with("model", "m"), "recipe.json: model: expected the folder of a model, or in its place");
  expectRefused(with("preset", "large"), "preset: expected one of \"small\", \"demo\", got \"large\"");
  expectRefused(with("teacher", "t"), "teacher: there is no such key");
  expectRefused(with("kind", "tune"), "kind: expected one of \"distill\", \"train\", got \"tune\"");
  expectRefused(with("stages", {{{"steps", 1}, {"losses", {{"token", 1}}}}}), "losses: there is no such key");
  expectRefused(
      with("stages", {{{"steps", 1}, {"train", {"adapters"}}}}),
      "train: expected \"backbone\", \"vision\", \"flex\", \"swin\" or \"fusion\", got \"adapters\"");
}

TEST_F(DistillFiles, TextBecomesLabelledTokensThatEndWithAStop) {
  models::LanguageModel model = models::LanguageModel::open(folder_);
  auto file = write("two.jsonl",
                    "{\"prompt\": \"abc\", \"answer\": \"de\"}\n\n{\"prompt\": \"f\", \"answer\": \"g\"}\n");
  TextSource source(file, model, {.batch = 2, .evaluation = true});
  Batch batch = source.next().value();
  EXPECT_TRUE(
      torch::equal(batch.ids, torch::tensor({{0, 1, 2, 3, 4, 16}, {5, 6, 16, 0, 0, 0}}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(
      batch.labels,
      torch::tensor({{-100, -100, -100, 3, 4, 16}, {-100, 6, 16, -100, -100, -100}}, torch::kInt64)));
  EXPECT_EQ(batch.targets, 5);
  EXPECT_EQ(batch.names, (std::vector<std::string>{"two.jsonl:1", "two.jsonl:3"}));
  EXPECT_FALSE(source.next());
  auto refused = [&](const std::string &line, std::string_view message) {
    auto bad = write("bad.jsonl", "{\"prompt\": \"abc\", \"answer\": \"de\"}\n" + line + "\n");
    expectError(ErrorCode::corruptFile, message,
                [&] { TextSource(bad, model, {.batch = 1, .max_tokens = 6}); });
  };
  refused("{\"prompt\": \"abc\"}",
          "bad.jsonl:2: expected an object with the texts \"prompt\" and \"answer\", got {");
  refused("{\"prompt\"", "bad.jsonl:2: expected an object");
  refused("{\"prompt\": \"abcdef\", \"answer\": \"a\"}",
          "bad.jsonl:2: expected a prompt and an answer of at least a token each within 6 tokens");
  expectError(ErrorCode::invalidArgument, "expected at least 3 samples, a batch, got 2",
              [&] { TextSource(file, model, {.batch = 3}); });
}

TEST_F(DistillFiles, DataGoesOnFromItsPositionAndEachPassHasAnotherOrder) {
  models::LanguageModel model = models::LanguageModel::open(folder_);
  auto names = [](TextSource &source, int batches) {
    std::vector<std::string> all;
    for (int i = 0; i < batches; ++i) {
      Batch batch = source.next().value();
      all.insert(all.end(), batch.names.begin(), batch.names.end());
    }
    return all;
  };
  TextSource source(folder_ / "data.jsonl", model, {.batch = 6, .seed = 5});
  auto first = names(source, 4);
  EXPECT_EQ(std::set<std::string>(first.begin(), first.end()).size(), 24u);
  names(source, 1);
  json position = source.position();
  auto rest = names(source, 9);
  TextSource other(folder_ / "data.jsonl", model, {.batch = 6, .seed = 5});
  EXPECT_NE(names(source, 4), first);
  other.seek(position);
  EXPECT_EQ(names(other, 9), rest);
  TextSource another(folder_ / "data.jsonl", model, {.batch = 6, .seed = 6});
  EXPECT_NE(names(another, 4), first);
  expectError(ErrorCode::invalidArgument, "is not one of these 24 samples with seed 6",
              [&] { another.seek(position); });
}

TEST(Recipes, ThoseThatAreCommittedAreRead) {
  int read = 0;
  for (const auto &entry : std::filesystem::directory_iterator(LINMU_SOURCE_DIR "/distill/recipes")) {
    const Recipe recipe = Recipe::read(entry.path());
    EXPECT_FALSE(recipe.stages.empty()) << entry.path();
    EXPECT_EQ(recipe.data.kind, "vision") << entry.path();
    ++read;
  }
  EXPECT_GE(read, 5);
}

TEST_F(DistillFiles, AnswersAreTheSameWhateverWasGuessed) {
  models::LanguageModel model = models::LanguageModel::open(folder_);
  DecoderModel teacher(model.decoder);
  TextSource source(folder_ / "data.jsonl", model, {.batch = 4, .seed = 1});
  const Batch batch = source.next().value();
  for (std::int64_t most : {0, 1, 6}) {
    std::vector<std::vector<std::int64_t>> expected;
    for (std::int64_t row = 0; row < 4; ++row)
      expected.push_back(most == 0 ? std::vector<std::int64_t>()
                                   : greedyAnswer(teacher, model.decoder, batch, row,
                                                  promptOf(batch.labels[row]), model.stop_tokens, most));
    auto made = [&](const std::function<std::vector<std::int64_t>(std::vector<std::int64_t>)> &guess) {
      std::vector<AnswerDraft> drafts;
      for (std::int64_t row = 0; row < 4; ++row)
        drafts.push_back({row, promptOf(batch.labels[row]), guess(expected[std::size_t(row)])});
      finishDrafts(teacher, batch, drafts, model.stop_tokens, most);
      std::vector<std::vector<std::int64_t>> answers;
      for (const AnswerDraft &draft : drafts)
        answers.push_back(draft.ids);
      return answers;
    };
    EXPECT_EQ(made([](auto) { return std::vector<std::int64_t>(); }), expected);
    EXPECT_EQ(made([](auto right) { return right; }), expected);
    EXPECT_EQ(made([](auto) { return std::vector<std::int64_t>(9, 3); }), expected);
    EXPECT_EQ(made([&](auto right) {
                if (right.size() > 1)
                  right[right.size() / 2] = (right[right.size() / 2] + 1) % 7;
                right.insert(right.end(), {1, 2});
                return right;
              }),
              expected);
    // A guess that stops too early.
    EXPECT_EQ(made([&](auto) { return std::vector<std::int64_t>(1, model.stop_tokens.front()); }), expected);
  }
}

TEST_F(DistillFiles, TheTeachersAnswersAreDecodedOnceAndStored) {
  models::LanguageModel model = models::LanguageModel::open(folder_);
  DecoderModel teacher(model.decoder);
  TextSource source(folder_ / "data.jsonl", model, {.batch = 4, .seed = 1});
  Batch batch = source.next().value();
  auto file = folder_ / "answers.jsonl";
  Batch decoded = Decodings(teacher, model.stop_tokens, 5, file).of(batch);
  for (std::int64_t row = 0; row < 4; ++row) {
    std::int64_t prompt = 0, end = 0;
    while (batch.labels[row][prompt].item<std::int64_t>() == noLabel)
      ++prompt;
    std::vector<std::int64_t> ids(decoded.ids[row].data_ptr<std::int64_t>(),
                                  decoded.ids[row].data_ptr<std::int64_t>() + prompt);
    EXPECT_TRUE(torch::equal(decoded.ids[row].narrow(0, 0, prompt), batch.ids[row].narrow(0, 0, prompt)));
    EXPECT_EQ((decoded.labels[row].narrow(0, 0, prompt) != noLabel).sum().item<std::int64_t>(), 0);
    for (end = prompt; end < decoded.ids.size(1) && decoded.labels[row][end].item<std::int64_t>() != noLabel;
         ++end) {
      models::DecoderState state = model.decoder.initialState();
      auto logits = model.decoder.forward(torch::tensor(ids, torch::kInt64).unsqueeze(0), state);
      ids.push_back(decoded.ids[row][end].item<std::int64_t>());
      EXPECT_EQ(ids.back(), logits.argmax(-1).item<std::int64_t>());
      EXPECT_EQ(ids.back(), decoded.labels[row][end].item<std::int64_t>());
    }
    EXPECT_TRUE(end - prompt == 5 || ids.back() == letters);
  }
  // A line that a killed process has left half-written is made again; whole ones are taken as they are.
  std::string stored = bytesOf(file);
  write("answers.jsonl", stored.substr(0, stored.size() - 9));
  EXPECT_TRUE(torch::equal(Decodings(teacher, model.stop_tokens, 5, file).of(batch).ids, decoded.ids));
  Decodings(teacher, model.stop_tokens, 5, file);
  EXPECT_TRUE(torch::equal(Decodings(teacher, {}, 99, file).of(batch).ids, decoded.ids));
  for (const char *ids : {"[8.6e+77]", "[-1]", "[1.0]", "[1000000]", "3"}) {
    write("answers.jsonl", fmt::format(R"({{"name": "data.jsonl:1", "prompt": "0", "ids": {}}})", ids));
    expectError(
        ErrorCode::corruptFile,
        fmt::format("answers.jsonl: 'ids' of 'data.jsonl:1' must be a list of integers from 0 to {}, got {}",
                    model.decoder.config().vocab_size - 1, ids),
        [&] { Decodings(teacher, {}, 5, file); });
  }
}

TEST_F(DistillFiles, TheNewestCheckpointsAndTheBestAreKept) {
  CheckpointStore store(folder_ / "checkpoints", 2);
  EXPECT_FALSE(store.newest());
  auto checkpoint = [](double value) {
    return Checkpoint{{{"value", value}}, {{"student", {{"x", torch::full({3}, value)}}}, {"optimizer", {}}}};
  };
  for (int step = 1; step <= 5; ++step) {
    store.save({step, 0}, checkpoint(step));
    if (step == 2)
      store.markBest({step, 0});
  }
  store.save({5, 3}, checkpoint(9));
  EXPECT_EQ(store.newest(), (RunPlace{5, 3}));
  EXPECT_EQ(store.best(), (RunPlace{2, 0}));
  EXPECT_TRUE(std::filesystem::exists(store.pathOf({2, 0})) && std::filesystem::exists(store.pathOf({5, 0})));
  EXPECT_FALSE(std::filesystem::exists(store.pathOf({4, 0})) ||
               std::filesystem::exists(store.pathOf({1, 0})));
  store.save({5, 3}, checkpoint(10)); // in place of the one that is there
  Checkpoint read = store.read({5, 3});
  EXPECT_EQ(read.state["value"], 10);
  expectError(ErrorCode::io, "checkpoints: another process is training there",
              [&] { CheckpointStore(folder_ / "checkpoints", 2); });
  EXPECT_TRUE(torch::equal(read.tensors.at("student").at("x"), torch::full({3}, 10.0)));
  EXPECT_TRUE(read.tensors.at("optimizer").empty());
}

TEST_F(DistillFiles, AFullDiskKeepsTheCheckpointsThatThereAre) {
  CheckpointStore store(folder_ / "checkpoints", 1);
  Checkpoint checkpoint{json::object(), {{"student", {{"x", torch::zeros({1000})}}}}};
  store.save({1, 0}, checkpoint);
  // A limit of the size of files is refused as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{}, before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 2000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  expectError(ErrorCode::io, "the checkpoint of step 2 was not saved: cannot write ",
              [&] { store.save({2, 0}, checkpoint); });
  expectError(ErrorCode::io, "; kept is " + store.pathOf({1, 0}).string(),
              [&] { store.save({2, 0}, checkpoint); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(store.newest(), (RunPlace{1, 0}));
  EXPECT_EQ(store.read({1, 0}).tensors.at("student").at("x").numel(), 1000);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "checkpoints"), {}), 2); // and a lock
}

TEST_F(DistillFiles, WhatAKilledProcessHasLeftIsRemoved) {
  auto folder = folder_ / "checkpoints";
  {
    CheckpointStore store(folder, 1);
    store.save({1, 0}, {{}, {}});
  }
  // As AtomicFolder names what is not there yet and what is not there any more.
  for (const char *name : {".linmu-unfinished-step-00000002", ".linmu-removed-step-00000000"}) {
    std::filesystem::create_directory(folder / name);
    write("checkpoints/" + std::string(name) + "/state.json", "{");
  }
  CheckpointStore store(folder, 1);
  EXPECT_EQ(store.newest(), (RunPlace{1, 0}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2); // and a lock
}

TEST_F(DistillFiles, ARunAsksBeforeItsWorkWhetherItMayWrite) {
  namespace fs = std::filesystem;
  const fs::path log = folder_ / "run/log.jsonl", model = folder_ / "run/model";
  auto refuse = [&](bool fresh, std::string_view message) {
    expectError(ErrorCode::io, message, [&] { requireWritable({{log}, {model}, fresh}); });
  };
  requireWritable({{log}, {model}, true});
  EXPECT_FALSE(fs::exists(folder_ / "run")); // it only asks
  fs::create_directories(model);
  requireWritable({{log}, {model}, true});

  ASSERT_EQ(::mkfifo(log.c_str(), 0600), 0);
  refuse(true, "log.jsonl: it is a FIFO, and a run goes on in a file");
  fs::remove(log);
  fs::create_symlink("/dev/full", log); // endless to read
  refuse(false, "log.jsonl: it is a device, and a run goes on in a file");
  fs::remove(log);
  fs::create_directory(log);
  refuse(true, "log.jsonl: it is a folder");
  fs::remove(log);

  // Whoever's files these are, the result would take their place.
  write("run/model/mine.txt", "mine");
  refuse(true, "run/model: the folder holds files, which the result would replace");
  refuse(false, "run/model: the folder holds files");
  write("run/model/config.json", "{}");
  refuse(true, "run/model: the folder holds files");
  requireWritable({{log}, {model}, false}); // the result of the run that goes on
  fs::remove_all(model);
  write("run/model", "mine");
  refuse(true, "run/model: it is a file, expected none or a folder");
  fs::remove(model);
  fs::create_symlink(folder_ / "none", model);
  refuse(true, "run/model: it is a link");
}

TEST_F(DistillFiles, AConfigurationThatIsWrittenIsReadBack) {
  models::DecoderConfig config = models::LanguageModel::open(folder_).decoder.config();
  auto readBack = [&] { return models::readConfigJson(write("written.json", configJson(config).dump())); };
  config.query_key_value_bias = true;
  config.mmate = true;
  EXPECT_EQ(readBack(), config);
  config.output_bias = true;
  using models::RotaryScalingType;
  for (RotaryScalingType type : {RotaryScalingType::linear, RotaryScalingType::dynamic,
                                 RotaryScalingType::llama3, RotaryScalingType::yarn}) {
    config.rope_scaling = {};
    config.rope_scaling.type = type;
    config.rope_scaling.factor = 3;
    if (type != RotaryScalingType::linear)
      config.rope_scaling.original_length = 512;
    if (type == RotaryScalingType::llama3) {
      config.rope_scaling.low_frequency = 1;
      config.rope_scaling.high_frequency = 4;
    }
    if (type == RotaryScalingType::yarn)
      config.rope_scaling.amplitude = 1.25;
    EXPECT_EQ(readBack(), config) << int(type);
  }
  config.rope_scaling.divisors = {1, 2};
  expectError(ErrorCode::unsupported, "has divisors of frequencies", [&] { configJson(config); });
}

TEST_F(DistillFiles, PackedWeightsAreNeitherTrainedNorExported) {
  using namespace test::gguf;
  std::string start = head(1, 0) + entry("w", {32, 2}, std::uint32_t(models::GgufTensorType::q8_0), 0);
  auto file = std::make_shared<const models::GgufFile>(
      models::GgufFile::open(write("w.gguf", padded(start) + std::string(2 * 34, '\0'))));
  models::Decoder decoder = models::LanguageModel::open(folder_).decoder;
  decoder.layers()[1].up = models::LinearWeight(models::PackedRows(file, file->tensors().at("w"), {}));
  const char *refusal =
      "model.layers.1.mlp.up_proj.weight: expected a tensor in f32, got weights packed in 8 "
      "bits, which are neither trained nor adapted nor exported";
  expectError(ErrorCode::unsupported, refusal, [&] { DecoderModel{decoder}; });
  expectError(ErrorCode::unsupported, refusal,
              [&] { exportModel(folder_ / "out", models::convertToMMate(decoder, {}), folder_, {}); });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

} // namespace
} // namespace linmu::distill
