// A whole distillation of a tiny decoder: what it learns, that it goes on from anywhere bit for bit, and that
// what it writes is what it has in memory.
#include "distill/export.h"
#include "models/generate/generate.h"
#include "tests/unit/distill_fixture.h"
#include <fmt/format.h>
#include <random>

namespace linmu::distill {
namespace {

using Start = Distillation::Start;
using End = Trainer::End;
using nlohmann::json;
using test::expectError;

class DistillRun : public test::DistillTest {
protected:
  /// Runs `recipe` to its end, stopped before every micro-batch for which `stops` says so.
  int runWithStops(const json &recipe, const std::function<bool()> &stops) const {
    int resumed = 0;
    for (;; ++resumed) {
      Distillation run(parsed(recipe), resumed == 0 ? Start::fresh : Start::resume);
      TrainerEvents events;
      events.stop = stops;
      if (run.run(events) == End::finished)
        return resumed;
    }
  }
  std::vector<std::int64_t> greedy(const models::Decoder &decoder, std::vector<std::int64_t> ids,
                                   int count) const {
    models::DecoderState state = decoder.initialState();
    torch::Tensor logits = decoder.forward(torch::tensor(ids, torch::kInt64).unsqueeze(0), state);
    std::vector<std::int64_t> made;
    for (int i = 0; i < count; ++i) {
      made.push_back(logits.argmax(-1).item<std::int64_t>());
      logits = decoder.forward(torch::full({1, 1}, made.back(), torch::kInt64), state);
    }
    return made;
  }
};

TEST_F(DistillRun, TheStudentComesNearerToItsTeacherAndIsWhatIsWritten) {
  json text = recipe("out", 6);
  text["export_stages"] = true;
  text["stages"].insert(text["stages"].begin(), json({{"stage", "1"}, {"name", "none"}, {"steps", 0}}));
  Distillation run(parsed(text), Start::fresh);
  std::vector<double> divergences;
  std::map<std::size_t, std::vector<double>> losses;
  TrainerEvents events;
  events.onValidation = [&](std::int64_t, double divergence, double) { divergences.push_back(divergence); };
  events.onStep = [&](const StepReport &report) { losses[report.stage].push_back(report.loss); };
  ASSERT_EQ(run.run(events), End::finished);
  EXPECT_LT(divergences.back(), 0.7 * divergences.front());
  for (const auto &[stage, of_stage] : losses)
    EXPECT_EQ(of_stage.size(), 6) << stage;
  EXPECT_LT(losses[1].back(), losses[1].front());

  models::LanguageModel written = models::LanguageModel::open(folder_ / "out" / "student");
  models::Decoder student = run.student().merged();
  for (const std::vector<std::int64_t> &prompt : {std::vector<std::int64_t>{1, 2, 3}, {7, 7, 0, 9, 4}}) {
    EXPECT_EQ(greedy(written.decoder, prompt, 12), greedy(student, prompt, 12));
    models::DecoderState one = written.decoder.initialState(), other = student.initialState();
    torch::Tensor ids = torch::tensor(prompt, torch::kInt64).unsqueeze(0);
    EXPECT_TRUE(torch::equal(written.decoder.forward(ids, one), student.forward(ids, other)));
  }
  EXPECT_EQ(written.stop_tokens, run.teacher().stop_tokens);
  json config = json::parse(bytesOf(folder_ / "out" / "student" / "config.json"));
  EXPECT_EQ(config["architectures"], json({"LinmuForCausalLM"}));
  EXPECT_EQ(config["linmu_distillation"]["stages"], "none, 1, 2, 3");
  EXPECT_EQ(config["linmu"]["branches"], "both");
  json first = json::parse(bytesOf(folder_ / "out" / "stage-1" / "config.json"));
  EXPECT_EQ(first["linmu"]["branches"], "flex");
  // The teacher has not been touched.
  models::LanguageModel again = models::LanguageModel::open(folder_);
  EXPECT_TRUE(
      torch::equal(again.decoder.layers()[1].gate.tensor(), run.teacher().decoder.layers()[1].gate.tensor()));
  expectError(ErrorCode::invalidArgument, "a teacher must have attention, this is a LinMU model", [&] {
    json other = recipe("other", 1);
    other["teacher"] = "out/student";
    Distillation(parsed(other), Start::fresh);
  });
}

TEST_F(DistillRun, ResumedAnywhereItIsBitForBitTheUninterruptedRun) {
  auto keepingAll = [&](const char *out) {
    json text = recipe(out, 3);
    text["checkpoints"]["keep"] = 50;
    return text;
  };
  EXPECT_EQ(runWithStops(keepingAll("whole"), nullptr), 0);
  std::mt19937 random(5);
  // Each start is asked at least once before it does something.
  int asked = 0;
  int resumed = runWithStops(keepingAll("pieces"), [&] { return ++asked % 2 == 0 || random() % 2 == 0; });
  EXPECT_GE(resumed, 8);
  for (const char *file : {"student/model.safetensors", "checkpoints/step-00000009/student.safetensors",
                           "checkpoints/step-00000008/optimizer.safetensors",
                           "checkpoints/step-00000009/progress.safetensors", "log.jsonl"})
    EXPECT_TRUE(bytesOf(folder_ / "whole" / file) == bytesOf(folder_ / "pieces" / file)) << file;
  EXPECT_GT(bytesOf(folder_ / "pieces/checkpoints/step-00000008/optimizer.safetensors").size(), 10000u);
}

TEST_F(DistillRun, RecomputedActivationsChangeNothing) {
  json text = recipe("kept", 2);
  Distillation(parsed(text), Start::fresh).run({});
  text["out"] = "recomputed";
  for (json &stage : text["stages"])
    stage["recompute_activations"] = true;
  Distillation(parsed(text), Start::fresh).run({});
  EXPECT_TRUE(bytesOf(folder_ / "kept/log.jsonl") == bytesOf(folder_ / "recomputed/log.jsonl"));
}

TEST_F(DistillRun, HalfPrecisionIsNearFullPrecision) {
  std::map<std::string, double> losses;
  for (const char *precision : {"f32", "bf16"}) {
    json text = recipe(precision, 1);
    text["precision"] = precision;
    TrainerEvents events;
    events.onStep = [&](const StepReport &report) { losses[precision] += report.loss; };
    Distillation(parsed(text), Start::fresh).run(events);
  }
  EXPECT_NE(losses["bf16"], losses["f32"]);
  EXPECT_NEAR(losses["bf16"], losses["f32"], 0.05 * losses["f32"]);
}

TEST_F(DistillRun, TenGradientsInARowThatAreNotFiniteEndItWithTheLastGoodState) {
  json text = recipe("out", 30);
  {
    Distillation run(parsed(text), Start::fresh);
    std::vector<std::string> skipped;
    torch::Tensor place;
    for (const Parameter &parameter : run.student().parameters().all())
      if (parameter.name == "model.layers.1.mmate.flex_output.weight")
        place = parameter.tensor;
    torch::Tensor before = place.clone();
    TrainerEvents events;
    events.onStep = [&](const StepReport &report) {
      skipped.push_back(report.skipped);
      torch::NoGradGuard guard;
      if (report.step == 3)
        place.fill_(std::nan(""));
    };
    expectError(ErrorCode::invalidArgument, "step 13: the gradient of model.layers.",
                [&] { run.run(events); });
    ASSERT_EQ(skipped.size(), 13u);
    EXPECT_EQ(skipped[2], "");
    EXPECT_NE(skipped[3], "");
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/checkpoints/step-00000013/state.json"));
}

TEST_F(DistillRun, ARunIsNotMixedUpWithAnother) {
  json text = recipe("out", 1);
  Distillation(parsed(text), Start::fresh).run({});
  expectError(ErrorCode::invalidArgument, "holds the checkpoints of a run, the newest of step 3",
              [&] { Distillation(parsed(text), Start::fresh); });
  json other = text;
  other["checkpoints"]["every"] = 7;
  other["stages"][1]["learning_rate"] = 1;
  expectError(ErrorCode::invalidArgument, "is of a run with another recipe: /stages/1/learning_rate differs",
              [&] { Distillation(parsed(other), Start::resume); });
  other["stages"][1]["learning_rate"] = text["stages"][1]["learning_rate"];
  EXPECT_EQ(Distillation(parsed(other), Start::resume).stepsDone(), 3);
  const std::string file = "out/checkpoints/step-00000003/state.json";
  const json state = json::parse(bytesOf(folder_ / file));
  for (const char *key : {"stage", "stage_step", "step", "part", "skipped_in_a_row"})
    for (const char *number : {"8.6e+77", "-1", "1.0", "1000", "18446744073709551615", "\"1\""}) {
      json damaged = state;
      damaged[key] = json::parse(number);
      write(file, damaged.dump());
      expectError(ErrorCode::corruptFile, fmt::format("state.json: '{}' must be an integer from 0 to ", key),
                  [&] { Distillation(parsed(other), Start::resume); });
    }
  write(file, state.dump());
  EXPECT_EQ(Distillation(parsed(other), Start::resume).stepsDone(), 3);
  write("out/checkpoints/step-00000003/student.safetensors", "damaged");
  expectError(ErrorCode::corruptFile, "step-00000003/student.safetensors",
              [&] { Distillation(parsed(other), Start::resume); });
}

} // namespace
} // namespace linmu::distill
