// window_attention: softmax attention inside the shifted windows of each media item.
#include "compiler/interpreter/Windows.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

/// All queries of one window for one head of one sequence.
static std::optional<ViolationAt> attend(const WindowScores &scores, const Window &window, std::int64_t batch,
                                         std::int64_t head, PairFunction &score, HostTensor &result) {
  std::vector<double> weights(window.size());
  for (const WindowMember &query : window) {
    for (auto [weight, key] : llvm::zip(weights, window)) {
      weight = -INFINITY;
      if (!scores.meet(query, key))
        continue;
      weight = scores.product(query, key, batch, head);
      if (auto violation = score.apply(weight, query, key, head))
        return ViolationAt{*violation, query.token};
    }
    std::vector<double> given = weights;
    WindowScores::softmax(weights);
    double *out =
        result.elements.data() + (Rows(result, 3).at(batch, query.token, head) - result.elements.data());
    for (auto [score, weight, key] : llvm::zip(given, weights, window)) {
      if (score == -INFINITY) // not seen: its value may be no number
        continue;
      const double *v = scores.value.at(batch, key.token, scores.headOf(scores.value, head));
      // A seen key's weight is positive: it takes an infinity along.
      double positive = weight == 0 ? std::numeric_limits<double>::denorm_min() : weight;
      for (std::int64_t i = 0; i < scores.value.features; ++i)
        out[i] += positive * v[i];
    }
  }
  return {};
}

FailureOr<HostTensor> interpreter::evaluate(pattern::WindowAttentionOp op, const Values &values,
                                            const Call &call) {
  auto view = pattern::WindowView::of(op);
  auto windows = windowsOf(view, values, call);
  if (failed(windows))
    return failure();
  WindowScores scores(view, values);
  HostTensor result = zeros(op.getType(), call);
  std::int64_t heads = scores.heads();
  auto violation =
      parallelFor(call.batch * heads, call.threads, [&](std::int64_t index) -> std::optional<ViolationAt> {
        PairFunction score(op.getScore(), /*last=*/false);
        if (auto violation = score.startHead())
          return ViolationAt{*violation, 0};
        for (const Window &window : *windows)
          if (auto violation = attend(scores, window, index / heads, index % heads, score, result))
            return violation;
        return {};
      });
  if (violation)
    return emitViolation(*violation, heads);
  return result;
}
