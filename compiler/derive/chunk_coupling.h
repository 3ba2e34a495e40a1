// The running products of the small matrices by which coupled states mix, over one chunk.
#pragma once
#include "compiler/tile/tile_builder.h"
#include "dialects/pattern/Pattern.h"
#include <map>

namespace linmu {

/// With P(t, s) = A_t ... A_(s + 1), R x R each, what is in state q at s is P_pq(t, s) times as much in state
/// p at t. The P are blocks of an inverse: X_t = A_t X_(t - 1) + B_t is (I - L) X = B, where block (p, q) of
/// L has A_pq[t] below its diagonal. That multiplies what a walk token by token multiplies, so that factors
/// of any sign and size will do, and those of zero. Where q does not lead to p at all there is nothing, not
/// zeros: what is no number stays in its states.
class ChunkCoupling {
public:
  /// States that do not mix: no products.
  ChunkCoupling() = default;
  /// `factors` are the A_pq of the form's terms, [C], with which dead rows keep the states as they are, but
  /// for diagonal ones: `live` says which are.
  ChunkCoupling(TileBuilder &builder, pattern::FormOp form, llvm::ArrayRef<mlir::Value> factors,
                mlir::Value live);

  explicit operator bool() const { return states_ > 1; }
  int64_t states() const { return states_; }
  /// Some states, what is in all of them at once: where a write goes to.
  using States = llvm::ArrayRef<int64_t>;
  /// Whether one of the states q has a part in state p some tokens later, or is it.
  bool leads(int64_t p, int64_t q) const { return leads_[p * states_ + q]; }
  bool leads(int64_t p, States qs) const {
    return llvm::any_of(qs, [&](int64_t q) { return leads(p, q); });
  }

  /// The sum over q of P_pq(t, s), C x C; of an exclusive read P_pq(t - 1, s). Zero above the diagonal, or on
  /// it. All of these must lead from a q to p.
  mlir::Value between(int64_t p, States qs, bool inclusive);
  /// P_pq from the entry to each token, or to the one before it, [C].
  mlir::Value fromEntry(int64_t p, int64_t q, bool inclusive);
  /// The sum over q of P_pq from each token to the exit, [C].
  mlir::Value toExit(int64_t p, States qs);
  /// P_pq from the entry to the exit, a number.
  mlir::Value overChunk(int64_t p, int64_t q);

private:
  using Value = mlir::Value;
  Value productOf(int64_t p, int64_t q);
  Value shifted(Value column, double first);
  Value one(bool diagonal) { return builder_->splat(builder_->f32Tile({size_}), diagonal ? 1 : 0); }

  TileBuilder *builder_ = nullptr;
  int64_t states_ = 1, size_ = 0;
  llvm::SmallVector<Value> factors_;  ///< A_pq by rows, [C], null where zero
  llvm::SmallVector<bool> leads_;     ///< by rows
  llvm::SmallVector<Value> products_; ///< P_pq by rows; empty until asked for
  llvm::SmallVector<Value> entry_, entry_before_;
  /// Of p, its q and whether inclusive.
  std::map<std::tuple<int64_t, llvm::SmallVector<int64_t>, bool>, Value> between_;
};

} // namespace linmu
