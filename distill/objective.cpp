#include "distill/objective.h"
#include "distill/data/batch.h"
#include "distill/head_loss.h"
#include "distill/hidden_loss.h"

namespace linmu::distill {

using torch::Tensor;

LossTerms &LossTerms::operator+=(const LossTerms &other) {
  hidden += other.hidden;
  token += other.token;
  sequence += other.sequence;
  supervised += other.supervised;
  return *this;
}

double LossTerms::total(const LossTerms &weights) const {
  return weights.hidden * hidden + weights.token * token + weights.sequence * sequence +
         weights.supervised * supervised;
}

Counts &Counts::operator+=(const Counts &other) {
  tokens += other.tokens;
  targets += other.targets;
  decoded += other.decoded;
  return *this;
}

static std::int64_t targetsOf(const Tensor &labels) {
  return (labels.narrow(1, 1, labels.size(1) - 1) != noLabel).sum().item<std::int64_t>();
}

static void backward(const Tensor &loss) {
  if (torch::GradMode::is_enabled() && loss.requires_grad())
    loss.backward();
}

Counts Objective::count(const Batch &batch) const {
  Counts counts;
  counts.tokens = std::int64_t(countedTokens(batch).sum().item<double>());
  counts.targets = targetsOf(batch.labels);
  if (options_.weights.sequence != 0)
    counts.decoded = targetsOf(decodings_->of(batch).labels);
  return counts;
}

void Objective::Values::add(double LossTerms::*term, const Tensor &value) {
  terms_.push_back(term);
  values_.push_back(value.detach());
}

LossTerms Objective::Values::read() const {
  LossTerms terms;
  if (values_.empty())
    return terms;
  const Tensor read = torch::stack(values_).cpu();
  for (std::size_t i = 0; i < terms_.size(); ++i)
    terms.*terms_[i] += read.data_ptr<double>()[i];
  return terms;
}

static Tensor rowsOf(const Tensor &hidden, const Tensor &at) {
  return hidden.narrow(1, 0, hidden.size(1) - 1).reshape({-1, hidden.size(2)}).index_select(0, at);
}

Tensor Objective::headTerms(const Batch &batch, const Forward &student, const Forward &teacher,
                            const Counts &whole, Values &values) const {
  const LossTerms &weights = options_.weights;
  HeadLossInputs inputs;
  inputs.hidden = rowsOf(student.hidden, batch.predictions[0]);
  inputs.head = student_.head();
  inputs.temperature = options_.temperature;
  if (weights.token != 0) {
    inputs.teacher_hidden = rowsOf(teacher.hidden, batch.predictions[0]);
    inputs.teacher_head = teacher_->head();
  }
  if (weights.supervised != 0)
    inputs.targets = batch.predictions[1];
  HeadLoss loss = headLoss(inputs);
  Tensor sum = torch::zeros({}, student.hidden.options().dtype(torch::kFloat64));
  auto add = [&](const Tensor &term, double LossTerms::*name) {
    if (!term.defined())
      return;
    Tensor mean = term / double(whole.targets);
    values.add(name, mean);
    sum = sum + weights.*name * mean;
  };
  add(loss.token, &LossTerms::token);
  add(loss.likelihood, &LossTerms::supervised);
  return sum;
}

Tensor Objective::hiddenTerm(std::size_t layer, const Tensor &output, const Forward &teacher,
                             const Tensor &weights, const Counts &whole, Values &values) const {
  Tensor mean = hiddenLoss(output, teacher.mixers[layer].output, weights) /
                (double(whole.tokens) * double(teacher.mixers.size()));
  values.add(&LossTerms::hidden, mean);
  return options_.weights.hidden * mean;
}

void Objective::sequenceTerm(const Batch &batch, const Counts &whole, Values &values) const {
  Batch decoded = onDevice(decodings_->of(batch), student_.head().device());
  Tensor embeddings;
  {
    torch::NoGradGuard guard;
    embeddings = teacher_->embed(decoded);
  }
  Forward student = student_.forward(embeddings, decoded.layout, {.recompute = options_.recompute});
  HeadLoss loss = headLoss({.hidden = rowsOf(student.hidden, decoded.predictions[0]),
                            .head = student_.head(),
                            .teacher_hidden = {},
                            .teacher_head = {},
                            .targets = decoded.predictions[1]});
  Tensor mean = loss.likelihood / double(whole.decoded);
  values.add(&LossTerms::sequence, mean);
  backward(options_.weights.sequence * mean);
}

LossTerms Objective::run(const Batch &given, const Counts &whole) const {
  using HiddenInput = ObjectiveOptions::HiddenInput;
  const Batch batch = onDevice(given, student_.head().device());
  const LossTerms &weights = options_.weights;
  Values values;
  bool hidden = weights.hidden != 0, head = weights.token != 0 || weights.supervised != 0;
  bool own_stream = options_.hidden_input == HiddenInput::student;
  Tensor embeddings, token_weights;
  Forward teacher;
  if (!teacher_) {
    embeddings = student_.embed(batch);
  } else if (hidden || head) {
    torch::NoGradGuard guard;
    embeddings = teacher_->embed(batch);
    if (hidden || weights.token != 0)
      teacher = teacher_->forward(embeddings, batch.layout, {.mixers = hidden});
  }
  if (hidden) {
    token_weights = countedTokens(batch).to(embeddings.device());
    if (options_.patch_strength != 0)
      token_weights = token_weights * patchWeights(embeddings, batch.layout, options_.patch_strength);
  }
  if (head || (hidden && own_stream)) {
    Forward student = student_.forward(embeddings, batch.layout,
                                       {.mixers = hidden && own_stream, .recompute = options_.recompute});
    Tensor loss = torch::zeros({}, embeddings.options().dtype(torch::kFloat64));
    if (head)
      loss = headTerms(batch, student, teacher, whole, values);
    for (std::size_t i = 0; i < student.mixers.size(); ++i)
      loss = loss + hiddenTerm(i, student.mixers[i].output, teacher, token_weights, whole, values);
    backward(loss);
  }
  // Teacher-fed, a layer's gradient needs no other layer, and its memory is free before the next.
  if (hidden && !own_stream)
    for (std::size_t i = 0; i < teacher.mixers.size(); ++i) {
      Tensor output = student_.mix(std::int64_t(i), teacher.mixers[i].input, batch.layout);
      backward(hiddenTerm(i, output, teacher, token_weights, whole, values));
    }
  if (weights.sequence != 0)
    sequenceTerm(given, whole, values);
  return values.read();
}

} // namespace linmu::distill
