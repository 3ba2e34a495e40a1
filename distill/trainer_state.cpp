// What of a trainer is kept, and how it goes on from that.
#include "distill/trainer.h"
#include "models/io/json_integer.h"
#include "runtime/core/error.h"
#include "runtime/core/version.h"
#include <fmt/format.h>

namespace linmu::distill {

/// What is not the teacher's, or the initial model's.
NamedTensors Trainer::savedTensors() const {
  std::set<Part> parts{Part::flex, Part::swin, Part::fusion, Part::adapters};
  for (const Stage &stage : recipe_.stages)
    parts.insert(stage.train.begin(), stage.train.end());
  NamedTensors tensors;
  for (const Parameter &parameter : student_.parameters().all())
    if (parts.contains(parameter.part))
      tensors.emplace(parameter.name, parameter.tensor);
  return tensors;
}

Checkpoint Trainer::checkpoint() const {
  Checkpoint checkpoint;
  checkpoint.state = {{"format", 1},
                      {"linmu", version()},
                      {"recipe", recipe_.text},
                      {"stage", stage_},
                      {"stage_step", stage_step_},
                      {"step", step_},
                      {"part", part_},
                      {"data", step_position_},
                      {"skipped_in_a_row", skipped_in_a_row_},
                      {"best", best_ ? nlohmann::json(*best_) : nlohmann::json()}};
  checkpoint.tensors["student"] = savedTensors();
  // Not as JSON, which has no words for what is not finite.
  checkpoint.tensors["progress"] = {
      {"random.cpu", at::globalContext().defaultGenerator(at::kCPU).get_state()},
      {"part_terms",
       torch::tensor({part_terms_.hidden, part_terms_.token, part_terms_.sequence, part_terms_.supervised},
                     torch::kFloat64)}};
  if (optimizer_) {
    checkpoint.tensors["optimizer"] = optimizer_->state();
    if (part_ > 0)
      checkpoint.tensors["gradients"] = optimizer_->gradients();
  }
  return checkpoint;
}

void Trainer::resume(RunPlace place) {
  std::string origin = store_.pathOf(place).string();
  Checkpoint saved = store_.read(place);
  const nlohmann::json &state = saved.state;
  auto integer = [&](const char *key, std::int64_t most) {
    const auto value = models::integerIn(state.at(key), 0, most);
    if (!value)
      throw Error(ErrorCode::corruptFile,
                  fmt::format("{}/state.json: '{}' must be an integer from 0 to {}, got {}", origin, key,
                              most, state.at(key).dump()));
    return *value;
  };
  try {
    if (auto key = recipe_.firstDifference(state.at("recipe")))
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("{} is of a run with another recipe: {} differs", origin, *key),
                  "give the recipe that the run was started with, or another folder for `out`");
    stage_ = std::size_t(integer("stage", std::int64_t(recipe_.stages.size())));
    stage_step_ = integer("stage_step", stage_ < recipe_.stages.size() ? recipe_.stages[stage_].steps : 0);
    step_ = integer("step", steps());
    part_ = integer("part", recipe_.accumulate - 1);
    step_position_ = state.at("data");
    skipped_in_a_row_ = integer("skipped_in_a_row", mostSkippedInARow);
    best_ = state.at("best").is_null() ? std::nullopt : std::optional(state.at("best").get<double>());
  } catch (const nlohmann::json::exception &error) {
    throw Error(ErrorCode::corruptFile, fmt::format("{}/state.json: {}", origin, error.what()));
  }
  if (stage_ < recipe_.stages.size())
    enterStage();
  else
    setParts(recipe_.stages.size() - 1);
  auto tensors = [&](const char *file) -> const NamedTensors & {
    auto found = saved.tensors.find(file);
    if (found == saved.tensors.end())
      throw Error(ErrorCode::corruptFile, fmt::format("{}: requires the file {}.safetensors", origin, file));
    return found->second;
  };
  copyTensors(tensors("student"), savedTensors(), origin + "/student.safetensors");
  torch::Tensor random = at::globalContext().defaultGenerator(at::kCPU).get_state();
  torch::Tensor terms = torch::zeros({4}, torch::kFloat64);
  copyTensors(tensors("progress"), {{"random.cpu", random}, {"part_terms", terms}},
              origin + "/progress.safetensors");
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_state(random);
  // What was summed before belongs to one rank, as sums over ranks count it once.
  const double *values = terms.data_ptr<double>();
  if (ranks_.rank() == 0)
    part_terms_ = {values[0], values[1], values[2], values[3]};
  if (optimizer_)
    optimizer_->restore(tensors("optimizer"), origin + "/optimizer.safetensors");
  if (optimizer_ && part_ > 0 && ranks_.rank() == 0)
    optimizer_->setGradients(tensors("gradients"), origin + "/gradients.safetensors");
  data_.seek(step_position_);
  resumed_ = true;
}

void Trainer::save(bool improved) {
  if (ranks_.rank() != 0)
    return;
  RunPlace place{step_, part_};
  store_.save(place, checkpoint());
  if (improved)
    store_.markBest(place);
}

} // namespace linmu::distill
