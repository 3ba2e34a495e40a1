#include "distill/head_loss.h"
#include "distill/data/sample.h"
#include <algorithm>

namespace linmu::distill {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// A sum over rows with its gradients, which are added to chunk by chunk.
struct Term {
  Tensor sum;                ///< f64 scalar
  Tensor by_hidden, by_head; ///< undefined where nobody wants them

  Term(const Tensor &hidden, const Tensor &head)
      : sum(torch::zeros({}, hidden.options().dtype(torch::kFloat64))) {
    if (hidden.requires_grad())
      by_hidden = torch::empty_like(hidden);
    if (head.requires_grad())
      by_head = torch::zeros_like(head);
  }

  /// `by_logits` [rows, V] of the rows from `first`.
  void add(std::int64_t first, const Tensor &by_logits, const Tensor &hidden, const Tensor &head) {
    if (by_hidden.defined())
      by_hidden.narrow(0, first, by_logits.size(0)).copy_(torch::matmul(by_logits, head));
    if (by_head.defined())
      by_head.add_(torch::matmul(by_logits.t(), hidden));
  }
  bool wantsGradients() const { return by_hidden.defined() || by_head.defined(); }
};

void addToken(Term &term, const HeadLossInputs &inputs, const Tensor &logits, std::int64_t first,
              const Tensor &hidden) {
  double tau = inputs.temperature;
  Tensor teacher =
      torch::matmul(inputs.teacher_hidden.narrow(0, first, logits.size(0)), inputs.teacher_head.t());
  Tensor expected = torch::log_softmax(teacher / tau, 1), actual = torch::log_softmax(logits / tau, 1);
  Tensor share = expected.exp();
  term.sum.add_((share * (expected - actual)).sum(torch::kFloat64), tau * tau);
  if (term.wantsGradients())
    term.add(first, actual.exp_().sub_(share).mul_(tau), hidden, inputs.head);
}

void addLikelihood(Term &term, const HeadLossInputs &inputs, const Tensor &logits, std::int64_t first,
                   const Tensor &hidden) {
  Tensor targets = inputs.targets.narrow(0, first, logits.size(0)).unsqueeze(1);
  Tensor counted = targets != noLabel;
  Tensor column = torch::where(counted, targets, torch::zeros_like(targets));
  Tensor logarithm = torch::log_softmax(logits, 1);
  term.sum.sub_((logarithm.gather(1, column) * counted).sum(torch::kFloat64));
  if (!term.wantsGradients())
    return;
  Tensor by_logits = logarithm.exp_();
  by_logits.scatter_(1, column, by_logits.gather(1, column) - 1);
  term.add(first, by_logits.mul_(counted), hidden, inputs.head);
}

class HeadLossFunction : public torch::autograd::Function<HeadLossFunction> {
public:
  static variable_list forward(AutogradContext *context, const Tensor &hidden, const Tensor &head,
                               const HeadLossInputs &inputs, std::int64_t elements) {
    Term token(hidden, head), likelihood(hidden, head);
    std::int64_t rows = hidden.size(0), step = std::max<std::int64_t>(1, elements / head.size(0));
    for (std::int64_t first = 0; first < rows; first += step) {
      Tensor part = hidden.narrow(0, first, std::min(step, rows - first));
      Tensor logits = torch::matmul(part, head.t());
      if (inputs.teacher_hidden.defined())
        addToken(token, inputs, logits, first, part);
      if (inputs.targets.defined())
        addLikelihood(likelihood, inputs, logits, first, part);
    }
    context->set_materialize_grads(false);
    context->save_for_backward({token.by_hidden, token.by_head, likelihood.by_hidden, likelihood.by_head});
    return {token.sum, likelihood.sum};
  }

  static variable_list backward(AutogradContext *context, const variable_list &cotangents) {
    variable_list saved = context->get_saved_variables();
    auto combined = [&](int operand) {
      Tensor sum;
      for (int term = 0; term < 2; ++term)
        if (const Tensor &gradient = saved[std::size_t(2 * term + operand)];
            gradient.defined() && cotangents[std::size_t(term)].defined()) {
          Tensor part = gradient * cotangents[std::size_t(term)];
          sum = sum.defined() ? sum + part : part;
        }
      return sum;
    };
    return {combined(0), combined(1), Tensor(), Tensor()};
  }
};

} // namespace

HeadLoss headLoss(const HeadLossInputs &inputs, std::int64_t elements) {
  variable_list sums = HeadLossFunction::apply(inputs.hidden, inputs.head, inputs, elements);
  HeadLoss loss;
  if (inputs.teacher_hidden.defined())
    loss.token = sums[0];
  if (inputs.targets.defined())
    loss.likelihood = sums[1];
  return loss;
}

} // namespace linmu::distill
