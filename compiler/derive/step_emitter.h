// Step ops on tiles: for one token, or for C tokens at once, one a row.
#pragma once
#include "compiler/derive/tile_builder.h"
#include "dialects/pattern/Pattern.h"

namespace linmu {

/// A value of a step. With `rows` it holds one row a token: f32 is a tile [C], tensor<Kxf32> a tile [C, K].
/// Without, it is the same for all tokens (or there is one token) and has the step's own type. Over pairs of
/// tokens (scores of a window) f32 is a tile [Q, P].
struct StepTile {
  mlir::Value tile;
  bool rows = false;
};

class StepEmitter {
public:
  using LagLoader = std::function<StepTile(pattern::LagOp, StepTile otherwise)>;

  /// `leading` is {C}, {Q, P} for pairs of tokens, or empty where one token is worked on.
  StepEmitter(TileBuilder &builder, llvm::ArrayRef<int64_t> leading, LagLoader lag)
      : builder_(builder), leading_(leading), lag_(std::move(lag)) {}

  void bind(mlir::Value value, StepTile tile) { tiles_[value] = tile; }

  /// Emits the ops of a block, its terminator excepted.
  mlir::LogicalResult emit(mlir::Block &block);

  /// The tile of a value of the step.
  StepTile get(mlir::Value value) const { return tiles_.at(value); }
  /// The same with one row a token where C tokens are worked on.
  mlir::Value rows(mlir::Value value) { return rows(get(value)); }
  mlir::Value rows(StepTile tile);

private:
  mlir::LogicalResult emit(mlir::Operation &op);
  StepTile emitElementwise(mlir::Operation &op);
  StepTile emitBroadcast(pattern::BroadcastOp op);
  StepTile emitRead(mlir::Value state, mlir::Value key, bool transposed);
  mlir::Value sigmoid(mlir::Value x);
  mlir::Value softplus(mlir::Value x);

  TileBuilder &builder_;
  llvm::SmallVector<int64_t, 2> leading_;
  LagLoader lag_;
  llvm::DenseMap<mlir::Value, StepTile> tiles_;
};

/// The first op of a block that has no form on C tokens at once because it makes a matrix for each token, or
/// null. `varying` are the block's arguments that differ from token to token; those found on the way join.
mlir::Operation *findMatrixPerToken(mlir::Block &block, llvm::DenseSet<mlir::Value> &varying);

} // namespace linmu
