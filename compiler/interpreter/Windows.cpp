#include "compiler/interpreter/Windows.h"
#include <cmath>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

/// Those of one item. There are no more of them than tokens, however large the padded grid is.
static std::vector<Window> windowsOf(const MediaItem &item, ArrayRef<std::int64_t> window,
                                     ArrayRef<std::int64_t> shift) {
  std::array<std::int64_t, 3> counts{}, shifts{};
  for (unsigned axis = 0; axis < 3; ++axis) {
    bool whole = item.extents[axis] <= window[axis];
    counts[axis] = whole ? 1 : (item.extents[axis] + window[axis] - 1) / window[axis];
    shifts[axis] = whole ? 0 : shift[axis];
  }
  std::vector<Window> windows(counts[0] * counts[1] * counts[2]);
  for (std::int64_t t = 0; t < item.extents[0]; ++t)
    for (std::int64_t y = 0; y < item.extents[1]; ++y)
      for (std::int64_t x = 0; x < item.extents[2]; ++x) {
        WindowMember member{item.token({t, y, x}), {t, y, x}};
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

FailureOr<std::vector<Window>> interpreter::windowsOf(const pattern::WindowView &view, const Values &values,
                                                      const Call &call) {
  auto items = mediaItems(view.op, values.at(view.media), call);
  if (failed(items))
    return failure();
  std::vector<Window> windows;
  for (const MediaItem &item : *items)
    for (Window &window : ::windowsOf(item, view.window, view.shift))
      if (!window.empty())
        windows.push_back(std::move(window));
  return windows;
}

PairFunction::PairFunction(Region &region, bool last) : last_(last) {
  if (region.empty())
    return;
  step_.emplace(region.front(), 0);
  yielded_ = cast<pattern::YieldOp>(region.front().getTerminator()).getOutputs()[0];
}

std::optional<Violation> PairFunction::apply(double &value, const WindowMember &query,
                                             const WindowMember &key, std::int64_t head, double cotangent) {
  if (!step_) {
    value = last_ ? cotangent : value;
    return {};
  }
  step_->argument(0).elements[0] = value;
  for (unsigned axis = 0; axis < 3; ++axis) {
    step_->argument(1 + axis).elements[0] = query.at[axis];
    step_->argument(4 + axis).elements[0] = key.at[axis];
  }
  step_->argument(7).elements[0] = head;
  if (last_)
    step_->argument(8).elements[0] = cotangent;
  if (auto violation = step_->evaluate({}))
    return violation;
  value = (*step_)[yielded_].elements[0];
  return {};
}

WindowScores::WindowScores(const pattern::WindowView &view, const Values &values)
    : query(values.at(view.query), 3), key(values.at(view.key), 3), value(values.at(view.value), 3),
      view_(view) {}

double WindowScores::product(const WindowMember &query, const WindowMember &key, std::int64_t batch,
                             std::int64_t head) const {
  const double *q = this->query.at(batch, query.token, head);
  const double *k = this->key.at(batch, key.token, headOf(this->key, head));
  double dot = 0;
  for (std::int64_t i = 0; i < this->query.features; ++i)
    dot += q[i] * k[i];
  return dot * view_.scale;
}

void WindowScores::softmax(std::vector<double> &scores) {
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
