#include "distill/trainer.h"
#include "distill/peak_memory.h"
#include "models/io/json_integer.h"
#include "runtime/core/error.h"
#include "runtime/core/version.h"
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace linmu::distill {

constexpr std::int64_t mostSkippedInARow = 10;

Trainer::Trainer(const Recipe &recipe, const Model *teacher, DecoderModel &student, BatchSource &data,
                 BatchSource *validation, Decodings *decodings, CheckpointStore &store)
    : recipe_(recipe), teacher_(teacher), student_(student), data_(data), validation_(validation),
      decodings_(decodings), store_(store), step_position_(data.position()) {}

Trainer::~Trainer() = default;

std::int64_t Trainer::steps() const {
  std::int64_t sum = 0;
  for (const Stage &stage : recipe_.stages)
    sum += stage.steps;
  return sum;
}

// ---- what is kept ----

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
  const double *values = terms.data_ptr<double>();
  part_terms_ = {values[0], values[1], values[2], values[3]};
  if (optimizer_)
    optimizer_->restore(tensors("optimizer"), origin + "/optimizer.safetensors");
  if (optimizer_ && part_ > 0)
    optimizer_->setGradients(tensors("gradients"), origin + "/gradients.safetensors");
  data_.seek(step_position_);
  resumed_ = true;
}

void Trainer::save(bool improved) {
  RunPlace place{step_, part_};
  store_.save(place, checkpoint());
  if (improved)
    store_.markBest(place);
}

/// Of the student as it is now.
Trainer::Score Trainer::score() const {
  torch::NoGradGuard guard;
  ObjectiveOptions options;
  options.weights = {.hidden = 0, .token = teacher_ ? 1.0 : 0.0, .sequence = 0, .supervised = 1};
  options.temperature = 1;
  Objective objective(teacher_, student_, nullptr, options);
  nlohmann::json start = validation_->position();
  std::vector<Batch> batches;
  Counts whole;
  while (std::int64_t(batches.size()) < recipe_.validation_batches)
    if (auto batch = validation_->next()) {
      whole += objective.count(*batch);
      batches.push_back(std::move(*batch));
    } else {
      break;
    }
  validation_->seek(start);
  LossTerms terms;
  for (const Batch &batch : batches)
    terms += objective.run(batch, whole);
  return {terms.token, terms.supervised};
}

/// Whether the student is better than before.
bool Trainer::validate(const TrainerEvents &events) {
  if (!validation_)
    return false;
  const Score now = score();
  if (events.onValidation)
    events.onValidation(step_, now.divergence, now.likelihood);
  const double mean = teacher_ ? now.divergence : now.likelihood;
  if (!std::isfinite(mean) || (best_ && mean >= *best_))
    return false;
  best_ = mean;
  return true;
}

// ---- running ----

void Trainer::setParts(std::size_t number) {
  const Stage &stage = recipe_.stages[number];
  for (std::size_t i = 0; i <= number && !has_adapters_; ++i)
    if (recipe_.stages[i].train.contains(Part::adapters)) {
      student_.addAdapters(recipe_.adapter_rank, recipe_.adapter_alpha, recipe_.seed);
      has_adapters_ = true;
    }
  if (stage.branches)
    student_.setBranches(*stage.branches);
  student_.parameters().train(stage.train);
}

void Trainer::enterStage() {
  setParts(stage_);
  optimizer_ = std::make_unique<Optimizer>(student_.parameters().trained(), recipe_.stages[stage_].optimizer);
}

/// False if it was stopped before its end, with everything saved.
bool Trainer::makeStep(const TrainerEvents &events) {
  const Stage &stage = recipe_.stages[stage_];
  Objective objective(teacher_, student_, decodings_, stage.objective);
  auto stopped = [&] {
    if (!events.stop || !events.stop())
      return false;
    save(/*improved=*/false);
    return true;
  };
  if (part_ == 0 && stopped())
    return false;
  const auto began = std::chrono::steady_clock::now();
  // All batches of the step first: its losses are means over all of them.
  std::vector<Batch> batches;
  Counts whole;
  for (std::int64_t i = 0; i < recipe_.accumulate; ++i) {
    batches.push_back(data_.next().value());
    whole += objective.count(batches.back());
  }
  for (bool resumed = true; part_ < recipe_.accumulate; resumed = false) {
    if (part_ > 0 && !resumed && stopped())
      return false;
    part_terms_ += objective.run(batches[std::size_t(part_)], whole);
    ++part_;
  }
  StepReport report;
  report.stage = stage_;
  report.terms = part_terms_;
  report.loss = part_terms_.total(stage.objective.weights);
  report.learning_rate = stage.schedule.at(stage_step_, stage.steps);
  report.tokens = whole.tokens;
  Optimizer::Outcome outcome = optimizer_->step(report.learning_rate);
  report.gradient_norm = outcome.norm;
  report.skipped = outcome.not_finite;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  report.peak_memory = peakMemory(recipe_.device);
  report.step = ++stage_step_;
  report.whole_step = ++step_;
  part_ = 0;
  part_terms_ = {};
  step_position_ = data_.position();
  skipped_in_a_row_ = outcome.not_finite.empty() ? 0 : skipped_in_a_row_ + 1;
  if (events.onStep)
    events.onStep(report);
  if (skipped_in_a_row_ >= mostSkippedInARow)
    giveUp(outcome.not_finite);
  return true;
}

/// Skipped steps have changed nothing, so that what is saved is the last good state.
void Trainer::giveUp(const std::string &parameter) {
  std::int64_t count = std::exchange(skipped_in_a_row_, 0);
  store_.save({step_, 0}, checkpoint());
  throw Error(
      ErrorCode::invalidArgument,
      fmt::format("stage '{}', step {}: the gradient of {} is not finite, as was one in each of the {} "
                  "steps before; the last good state is {}",
                  recipe_.stages[stage_].name, stage_step_, parameter, count - 1,
                  store_.pathOf({step_, 0}).string()),
      "a smaller learning rate or longer warm-up may help, or f32 in place of bf16");
}

Trainer::End Trainer::run(const TrainerEvents &events) {
  // No checkpoint has these weights, so that they are not the best of any.
  if (!resumed_ && validation_ && steps() > 0) {
    const Score start = score();
    if (events.onValidation)
      events.onValidation(0, start.divergence, start.likelihood);
  }
  while (stage_ < recipe_.stages.size()) {
    const Stage &stage = recipe_.stages[stage_];
    if (!optimizer_)
      enterStage();
    while (stage_step_ < stage.steps) {
      if (!makeStep(events))
        return End::stopped;
      if (step_ % recipe_.checkpoint_every == 0 && stage_step_ < stage.steps)
        save(validate(events));
    }
    bool improved = validate(events);
    if (events.onStageEnd)
      events.onStageEnd(stage_);
    // The checkpoint of the border is the beginning of the next stage, with an optimiser of its own.
    optimizer_.reset();
    stage_step_ = 0;
    if (++stage_ < recipe_.stages.size())
      enterStage();
    save(improved);
  }
  return End::finished;
}

} // namespace linmu::distill
