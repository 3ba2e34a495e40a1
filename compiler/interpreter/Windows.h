// The windows of media items, and the scores of their pairs: what window_attention and its gradients share.
#pragma once
#include "compiler/interpreter/Evaluation.h"
#include "dialects/pattern/WindowView.h"

namespace linmu::interpreter {

/// A token of a window.
struct WindowMember {
  std::int64_t token = 0;
  std::array<std::int64_t, 3> at{}; ///< t, y, x in the item's grid
  unsigned side = 0;                ///< bit a: beyond the wrap of axis a, where only the shift brought it
};
using Window = std::vector<WindowMember>;

/// The windows that hold tokens: every token of an item is a member of exactly one. Fails with a diagnostic
/// as mediaItems() does.
mlir::FailureOr<std::vector<Window>> windowsOf(const pattern::WindowView &view, const Values &values,
                                               const Call &call);

/// A region over pairs of tokens, with its own storage; not to be shared between threads.
class PairFunction {
public:
  /// The region may be empty: then the function is its first argument, or with `last` its last one.
  PairFunction(mlir::Region &region, bool last);
  std::optional<Violation> startHead() { return step_ ? step_->startHead() : std::nullopt; }
  /// `value` becomes what the region yields of it, the pair and, in a gradient, `cotangent`.
  std::optional<Violation> apply(double &value, const WindowMember &query, const WindowMember &key,
                                 std::int64_t head, double cotangent = 0);

private:
  std::optional<Step> step_;
  mlir::Value yielded_;
  bool last_;
};

/// Scaled products of queries and keys, and what softmax makes of scores.
class WindowScores {
public:
  WindowScores(const pattern::WindowView &view, const Values &values);

  std::int64_t heads() const { return view_.heads(); }
  /// The head of keys or values, [B, N, G, D], that a query head reads.
  std::int64_t headOf(const Rows &rows, std::int64_t head) const { return head / (heads() / rows.extent(2)); }
  /// Whether the wrap lets the query attend to the key.
  bool meet(const WindowMember &query, const WindowMember &key) const {
    return view_.join_wrapped || key.side == query.side;
  }
  double product(const WindowMember &query, const WindowMember &key, std::int64_t batch,
                 std::int64_t head) const;
  /// Scores to weights, which are 0 for those of -inf.
  static void softmax(std::vector<double> &scores);

  Rows query, key, value;

private:
  pattern::WindowView view_;
};

} // namespace linmu::interpreter
