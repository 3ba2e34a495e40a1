#include "distill/trainer.h"
#include "distill/peak_memory.h"
#include "runtime/core/error.h"
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <utility>

namespace linmu::distill {

Trainer::Trainer(const Recipe &recipe, const Model *teacher, DecoderModel &student, BatchSource &data,
                 BatchSource *validation, Decodings *decodings, CheckpointStore &store, Collective &ranks)
    : recipe_(recipe), teacher_(teacher), student_(student), data_(data), validation_(validation),
      decodings_(decodings), store_(store), ranks_(ranks), step_position_(data.position()) {}

Trainer::~Trainer() = default;

std::int64_t Trainer::steps() const {
  std::int64_t sum = 0;
  for (const Stage &stage : recipe_.stages)
    sum += stage.steps;
  return sum;
}

// ---- several ranks ----

/// Ranks start from the same weights, also where their machines do not compute the same bits.
void Trainer::shareParameters() {
  if (ranks_.ranks() == 1)
    return;
  torch::NoGradGuard guard;
  for (const Parameter &parameter : student_.parameters().trained()) {
    const torch::Tensor dense = parameter.tensor.detach().contiguous();
    ranks_.broadcast(dense);
    ranks_.finish();
    if (!dense.is_same(parameter.tensor) && dense.data_ptr() != parameter.tensor.data_ptr())
      parameter.tensor.copy_(dense);
  }
}

LossTerms Trainer::sumOfRanks(const LossTerms &terms) {
  const auto sums = ranks_.sums({terms.hidden, terms.token, terms.sequence, terms.supervised});
  return {sums[0], sums[1], sums[2], sums[3]};
}

Counts Trainer::sumOfRanks(const Counts &counts) {
  const auto sums = ranks_.sums({double(counts.tokens), double(counts.targets), double(counts.decoded)});
  return {std::int64_t(sums[0]), std::int64_t(sums[1]), std::int64_t(sums[2])};
}

// ---- held-out data ----

/// Of the student as it is now.
Trainer::Score Trainer::score() {
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
      if (batch->ids.size(0) > 0) // the last one may have fewer rows than there are ranks
        whole += objective.count(*batch);
      batches.push_back(std::move(*batch));
    } else {
      break;
    }
  validation_->seek(start);
  whole = sumOfRanks(whole);
  LossTerms terms;
  for (const Batch &batch : batches)
    if (batch.ids.size(0) > 0)
      terms += objective.run(batch, whole);
  terms = sumOfRanks(terms);
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
  buckets_.reset();
  setParts(stage_);
  optimizer_ = std::make_unique<Optimizer>(student_.parameters().trained(), recipe_.stages[stage_].optimizer);
  if (ranks_.ranks() > 1)
    buckets_ = std::make_unique<GradientBuckets>(student_.parameters().trained(), ranks_);
}

/// False if it was stopped before its end, with everything saved.
bool Trainer::makeStep(const TrainerEvents &events) {
  const Stage &stage = recipe_.stages[stage_];
  Objective objective(teacher_, student_, decodings_, stage.objective);
  auto stopped = [&] {
    if (!ranks_.any(events.stop && events.stop()))
      return false;
    save(/*improved=*/false);
    return true;
  };
  if (part_ == 0 && stopped())
    return false;
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  auto since = [](Clock::time_point time) {
    return std::chrono::duration<double>(Clock::now() - time).count();
  };
  // All batches of the step first: its losses are means over all of them.
  std::vector<Batch> batches;
  Counts whole;
  for (std::int64_t i = 0; i < recipe_.accumulate; ++i) {
    batches.push_back(data_.next().value());
    whole += objective.count(batches.back());
  }
  StepReport report;
  report.data_seconds = since(began);
  auto waiting = Clock::now();
  if (stage.objective.weights.sequence != 0)
    decodings_->exchange(ranks_);
  whole = sumOfRanks(whole);
  report.ranks_seconds = since(waiting);
  for (bool resumed = true; part_ < recipe_.accumulate; resumed = false) {
    // With several ranks what each has summed so far would have to be put together and apart again.
    if (part_ > 0 && !resumed && ranks_.ranks() == 1 && stopped())
      return false;
    if (buckets_ && part_ + 1 == recipe_.accumulate)
      buckets_->begin();
    part_terms_ += objective.run(batches[std::size_t(part_)], whole);
    ++part_;
  }
  waiting = Clock::now();
  if (buckets_)
    buckets_->finish();
  part_terms_ = sumOfRanks(part_terms_);
  report.ranks_seconds += since(waiting);
  report.stage = stage_;
  report.terms = part_terms_;
  report.loss = part_terms_.total(stage.objective.weights);
  report.learning_rate = stage.schedule.at(stage_step_, stage.steps);
  report.tokens = whole.tokens;
  Optimizer::Outcome outcome = optimizer_->step(report.learning_rate);
  ranks_.check(); // what a lost rank has left half-summed is in nothing that is saved
  report.gradient_norm = outcome.norm;
  report.skipped = outcome.not_finite;
  report.seconds = since(began);
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
  if (ranks_.rank() == 0)
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
    shareParameters();
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
    buckets_.reset();
    optimizer_.reset();
    stage_step_ = 0;
    if (++stage_ < recipe_.stages.size())
      enterStage();
    save(improved);
  }
  return End::finished;
}

} // namespace linmu::distill
