// window_adjoint: what each pair of a window sends back to its query, key and value.
#include "compiler/interpreter/Windows.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

namespace {

/// [B, N, H, D] for one kind of operand, by the heads of the queries.
struct PerHead {
  std::int64_t tokens, heads, features;
  std::vector<double> elements;

  PerHead(const Call &call, std::int64_t heads, std::int64_t features)
      : tokens(call.tokens), heads(heads), features(features),
        elements(call.batch * call.tokens * heads * features, 0) {}

  void add(std::int64_t batch, std::int64_t token, std::int64_t head, double factor, const double *row) {
    double *to = elements.data() + ((batch * tokens + token) * heads + head) * features;
    for (std::int64_t i = 0; i < features; ++i)
      to[i] += factor * row[i];
  }
  /// The sums over the heads of each group, as a result of this type.
  HostTensor summed(Type type, const Call &call) const {
    HostTensor result = zeros(type, call);
    std::int64_t groups = result.shape[2], size = heads / groups;
    for (std::int64_t place = 0; place < std::int64_t(elements.size()); ++place) {
      std::int64_t row = place / features, group = row % heads / size;
      result.elements[(row / heads * groups + group) * features + place % features] += elements[place];
    }
    return result;
  }
};

class Adjoint {
public:
  Adjoint(pattern::WindowAdjointOp op, const Values &values, const Call &call)
      : op_(op), scores_(pattern::WindowView::of(op), values), cotangent_(values.at(op.getCotangent()), 3),
        dQuery_(call, scores_.heads(), scores_.query.features),
        dKey_(call, scores_.heads(), scores_.key.features),
        dValue_(call, scores_.heads(), scores_.value.features) {}

  std::int64_t heads() const { return scores_.heads(); }

  std::optional<ViolationAt> sendBack(const Window &window, std::int64_t batch, std::int64_t head,
                                      PairFunction &score, PairFunction &gradient) {
    for (const WindowMember &query : window)
      if (auto violation = sendBack(window, query, batch, head, score, gradient))
        return ViolationAt{*violation, query.token};
    return {};
  }

  std::vector<HostTensor> take(const Call &call) {
    return {dQuery_.summed(op_.getDQuery().getType(), call), dKey_.summed(op_.getDKey().getType(), call),
            dValue_.summed(op_.getDValue().getType(), call)};
  }

private:
  std::optional<Violation> sendBack(const Window &window, const WindowMember &query, std::int64_t batch,
                                    std::int64_t head, PairFunction &score, PairFunction &gradient) {
    // Only pairs that are seen take part, so that no other operand is read.
    std::vector<const WindowMember *> seen;
    std::vector<double> products, weights, received;
    for (const WindowMember &key : window) {
      if (!scores_.meet(query, key))
        continue;
      double product = scores_.product(query, key, batch, head), changed = product;
      if (auto violation = score.apply(changed, query, key, head))
        return violation;
      if (changed == -INFINITY)
        continue;
      seen.push_back(&key);
      products.push_back(product);
      weights.push_back(changed);
    }
    WindowScores::softmax(weights);
    const double *sent = cotangent_.at(batch, query.token, head);
    for (const WindowMember *key : seen) {
      const double *v = scores_.value.at(batch, key->token, scores_.headOf(scores_.value, head));
      received.push_back(std::inner_product(sent, sent + scores_.value.features, v, 0.0));
    }
    double mean = std::inner_product(weights.begin(), weights.end(), received.begin(), 0.0);
    double scale = op_.getScale().convertToDouble();
    const double *q = scores_.query.at(batch, query.token, head);
    for (auto [key, product, weight, given] : llvm::zip(seen, products, weights, received)) {
      double back = product;
      if (auto violation = gradient.apply(back, query, *key, head, weight * (given - mean)))
        return violation;
      const double *k = scores_.key.at(batch, key->token, scores_.headOf(scores_.key, head));
      dQuery_.add(batch, query.token, head, back * scale, k);
      dKey_.add(batch, key->token, head, back * scale, q);
      dValue_.add(batch, key->token, head, weight, sent);
    }
    return {};
  }

  pattern::WindowAdjointOp op_;
  WindowScores scores_;
  Rows cotangent_;
  PerHead dQuery_, dKey_, dValue_;
};

} // namespace

FailureOr<std::vector<HostTensor>> interpreter::evaluate(pattern::WindowAdjointOp op, const Values &values,
                                                         const Call &call) {
  auto windows = windowsOf(pattern::WindowView::of(op), values, call);
  if (failed(windows))
    return failure();
  Adjoint adjoint(op, values, call);
  std::int64_t heads = adjoint.heads();
  auto violation =
      parallelFor(call.batch * heads, call.threads, [&](std::int64_t index) -> std::optional<ViolationAt> {
        PairFunction score(op.getScore(), /*last=*/false), gradient(op.getScoreGradient(), /*last=*/true);
        for (PairFunction *function : {&score, &gradient})
          if (auto violation = function->startHead())
            return ViolationAt{*violation, 0};
        for (const Window &window : *windows)
          if (auto violation = adjoint.sendBack(window, index / heads, index % heads, score, gradient))
            return violation;
        return {};
      });
  if (violation)
    return emitViolation(*violation, heads);
  return adjoint.take(call);
}
