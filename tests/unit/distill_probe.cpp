// The losses of a distillation and their gradients, for tests/python/test_distill_gradients.py.
//   distill_probe TEACHER_FOLDER CONFIG.json IN.safetensors OUT.safetensors
//       `ids`, `labels` [B, N] and `media` [M, 4] (i64) to `terms` [4] (f64: hidden, token, sequence,
//       supervised), the student's parameters by their names and, of those that are trained, the gradients of
//       the weighted sum as d_NAME. Every parameter of the student that is not the teacher's is moved by
//       random numbers, so that none is at a start that hides a mistake. CONFIG: {"mixer", "train",
//       "branches"}, and the keys of ObjectiveOptions.
#include "distill/decoder_model.h"
#include "distill/objective.h"
#include "distill/tensor_file.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include <cstdio>
#include <fmt/format.h>

namespace {

using namespace linmu;
using namespace linmu::distill;

Batch batchOf(const NamedTensors &in) {
  Batch batch;
  batch.ids = in.at("ids");
  batch.labels = in.at("labels");
  batch.layout.tokens = batch.ids.size(1);
  torch::Tensor media = in.at("media");
  for (std::int64_t i = 0; i < media.size(0); ++i) {
    auto at = [&](std::int64_t column) { return media[i][column].item<std::int64_t>(); };
    batch.layout.media.push_back({at(0), at(1), at(2), at(3)});
  }
  return batch;
}

void run(const std::filesystem::path &folder, const nlohmann::json &config, const NamedTensors &in,
         const std::filesystem::path &out) {
  auto reader = models::WeightReader::fromSafetensors(folder);
  models::Decoder decoder = models::Decoder::load(models::readConfigJson(folder / "config.json"), reader);
  DecoderModel teacher(decoder);
  auto mixer = models::MMateConfig::fromJson(config.at("mixer").dump());
  DecoderModel student(DecoderModel::studentOf(decoder, mixer, 1));
  student.addAdapters(2, 4, 1);
  student.setBranches(mixer.branches);
  torch::manual_seed(9);
  for (const Parameter &parameter : student.parameters().all())
    if (parameter.part != Part::backbone) {
      torch::NoGradGuard guard;
      torch::Tensor(parameter.tensor).add_(torch::randn_like(parameter.tensor) * 0.2);
    }
  std::set<Part> parts;
  for (const nlohmann::json &part : config.at("train"))
    parts.insert(partNamed(part.get<std::string>()));
  student.parameters().train(parts);

  ObjectiveOptions options;
  auto weights = config.at("weights").get<std::vector<double>>();
  options.weights = {weights.at(0), weights.at(1), 0, weights.at(2)};
  options.hidden_input = config.at("hidden_input") == "teacher" ? ObjectiveOptions::HiddenInput::teacher
                                                                : ObjectiveOptions::HiddenInput::student;
  options.temperature = config.at("temperature");
  options.patch_strength = config.at("patch_strength");
  options.recompute = config.at("recompute");
  Objective objective(&teacher, student, nullptr, options);
  Batch batch = batchOf(in);
  LossTerms terms = objective.run(batch, objective.count(batch));

  NamedTensors results;
  results["terms"] =
      torch::tensor({terms.hidden, terms.token, terms.sequence, terms.supervised}, torch::kFloat64);
  for (const Parameter &parameter : student.parameters().all()) {
    results[parameter.name] = parameter.tensor;
    if (parameter.tensor.grad().defined())
      results["d_" + parameter.name] = parameter.tensor.grad();
  }
  writeTensors(out, results);
}

} // namespace

int main(int argc, char **argv) {
  try {
    if (argc != 5)
      throw Error(ErrorCode::invalidArgument, "usage: distill_probe TEACHER_FOLDER CONFIG IN OUT");
    run(argv[1], models::readJsonObject(argv[2]), readTensors(argv[3]), argv[4]);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
