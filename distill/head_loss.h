// Losses over the vocabulary, a few rows at a time.
#pragma once
#include <cstdint>
#include <torch/torch.h>

namespace linmu::distill {

struct HeadLossInputs {
  torch::Tensor hidden;                       ///< [M, d], the student's, after its last norm
  torch::Tensor head;                         ///< [V, d]
  torch::Tensor teacher_hidden, teacher_head; ///< [M, d'], [V, d'], or undefined: no `token`
  torch::Tensor targets; ///< [M] int64, `noLabel` where there is none; or undefined: no `likelihood`
  double temperature = 1;
};

/// Sums over the M rows, f64 scalars; undefined where not asked for.
struct HeadLoss {
  /// tau^2 KL(softmax(z_T / tau) || softmax(z_S / tau)), Eq. 7 without its mean.
  torch::Tensor token;
  /// -log softmax(z_S)[target], Eq. 8 and 9 without their mean.
  torch::Tensor likelihood;
};

/// Logits exist for as many rows at a time as `elements` allow (at least one); gradients to `hidden` and
/// `head` are made with them, so that backward needs none. Nothing flows to the teacher.
HeadLoss headLoss(const HeadLossInputs &inputs, std::int64_t elements = std::int64_t(1) << 24);

} // namespace linmu::distill
