// window_attention: softmax attention inside the shifted windows of each media item.
#include "compiler/interpreter/Evaluation.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

namespace {

using Coordinate = std::array<std::int64_t, 3>; // t, y, x

struct Member {
  std::int64_t token = 0;
  Coordinate at{};
  unsigned side = 0; ///< bit a: beyond the wrap of axis a, where only the shift brought it
};

/// The windows of one item that hold tokens: every token of the item is a member of exactly one. There are no
/// more of them than tokens, however large the padded grid is.
std::vector<std::vector<Member>> windowsOf(const MediaItem &item, ArrayRef<std::int64_t> window,
                                           ArrayRef<std::int64_t> shift) {
  Coordinate counts{}, shifts{};
  for (unsigned axis = 0; axis < 3; ++axis) {
    bool whole = item.extents[axis] <= window[axis];
    counts[axis] = whole ? 1 : (item.extents[axis] + window[axis] - 1) / window[axis];
    shifts[axis] = whole ? 0 : shift[axis];
  }
  std::vector<std::vector<Member>> windows(counts[0] * counts[1] * counts[2]);
  for (std::int64_t t = 0; t < item.extents[0]; ++t)
    for (std::int64_t y = 0; y < item.extents[1]; ++y)
      for (std::int64_t x = 0; x < item.extents[2]; ++x) {
        Member member{item.token({t, y, x}), {t, y, x}};
        std::int64_t index = 0;
        for (unsigned axis = 0; axis < 3; ++axis) {
          std::int64_t padded = counts[axis] * window[axis];
          std::int64_t stands = (member.at[axis] - shifts[axis] + padded) % padded;
          index = index * counts[axis] + stands / window[axis];
          member.side |= unsigned(member.at[axis] < shifts[axis]) << axis;
        }
        windows[index].push_back(member);
      }
  return windows;
}

class Attention {
public:
  Attention(pattern::WindowAttentionOp op, const Values &values, const Call &call)
      : op_(op), query_(values.at(op.getQuery()), 3), key_(values.at(op.getKey()), 3),
        value_(values.at(op.getValue()), 3), result_(zeros(op.getType(), call)) {}

  std::int64_t heads() const { return query_.extent(2); }
  HostTensor take() { return std::move(result_); }

  /// All queries of one window for one head of one sequence. `score` is null without a score function.
  std::optional<ViolationAt> attend(ArrayRef<Member> window, std::int64_t batch, std::int64_t head,
                                    Step *score) {
    auto headOf = [&](const Rows &rows) { return head / (heads() / rows.extent(2)); };
    std::vector<double> weights(window.size());
    for (const Member &query : window) {
      const double *q = query_.at(batch, query.token, head);
      for (auto [weight, key] : llvm::zip(weights, window)) {
        weight = -INFINITY;
        if (!op_.getJoinWrapped() && key.side != query.side)
          continue;
        const double *k = key_.at(batch, key.token, headOf(key_));
        double dot = 0;
        for (std::int64_t i = 0; i < query_.features; ++i)
          dot += q[i] * k[i];
        weight = dot * op_.getScale().convertToDouble();
        if (score)
          if (auto violation = applyScore(*score, weight, query, key, head))
            return ViolationAt{*violation, query.token};
      }
      std::vector<double> scores = weights;
      softmax(weights);
      double *out =
          result_.elements.data() + (Rows(result_, 3).at(batch, query.token, head) - result_.elements.data());
      for (auto [score, weight, key] : llvm::zip(scores, weights, window)) {
        if (score == -INFINITY) // not seen: its value may be no number
          continue;
        const double *v = value_.at(batch, key.token, headOf(value_));
        // A seen key's weight is positive: it takes an infinity along.
        double positive = weight == 0 ? std::numeric_limits<double>::denorm_min() : weight;
        for (std::int64_t i = 0; i < value_.features; ++i)
          out[i] += positive * v[i];
      }
    }
    return {};
  }

private:
  /// Scores to weights; all 0 where all scores are -inf.
  static void softmax(std::vector<double> &scores) {
    if (llvm::all_of(scores, [](double score) { return score == -INFINITY; })) {
      std::fill(scores.begin(), scores.end(), 0);
      return;
    }
    double largest = *std::max_element(scores.begin(), scores.end()), total = 0;
    for (double &score : scores)
      total += score = std::exp(score - largest);
    for (double &score : scores)
      score /= total;
  }

  std::optional<Violation> applyScore(Step &step, double &score, const Member &query, const Member &key,
                                      std::int64_t head) {
    step.argument(0).elements[0] = score;
    for (unsigned axis = 0; axis < 3; ++axis) {
      step.argument(1 + axis).elements[0] = query.at[axis];
      step.argument(4 + axis).elements[0] = key.at[axis];
    }
    step.argument(7).elements[0] = head;
    if (auto violation = step.evaluate({}))
      return violation;
    auto yield = cast<pattern::YieldOp>(op_.getScore().front().getTerminator());
    score = step[yield.getOutputs()[0]].elements[0];
    return {};
  }

  pattern::WindowAttentionOp op_;
  Rows query_, key_, value_;
  HostTensor result_;
};

} // namespace

FailureOr<HostTensor> interpreter::evaluate(pattern::WindowAttentionOp op, const Values &values,
                                            const Call &call) {
  auto items = mediaItems(op, values.at(op.getMedia()), call);
  if (failed(items))
    return failure();
  std::vector<std::vector<Member>> windows;
  for (const MediaItem &item : *items)
    for (auto &window : windowsOf(item, op.getWindow(), op.getShift()))
      if (!window.empty())
        windows.push_back(std::move(window));
  Attention attention(op, values, call);
  std::int64_t heads = attention.heads();
  auto violation =
      parallelFor(call.batch * heads, call.threads, [&](std::int64_t index) -> std::optional<ViolationAt> {
        std::optional<Step> score;
        if (!op.getScore().empty()) {
          score.emplace(op.getScore().front(), 0);
          if (auto violation = score->startHead())
            return ViolationAt{*violation, 0};
        }
        for (const auto &window : windows)
          if (auto violation =
                  attention.attend(window, index / heads, index % heads, score ? &*score : nullptr))
            return violation;
        return {};
      });
  if (violation)
    return emitViolation(*violation, heads);
  return attention.take();
}
