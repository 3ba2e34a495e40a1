// Step ops on tiles: for one token, or for C tokens at once, one a row.
#pragma once
#include "compiler/tile/tile_builder.h"
#include "dialects/pattern/Pattern.h"

namespace linmu {

/// A value of a step. With `rows` it holds one row a token: f32 is a tile [C], tensor<Kxf32> a tile [C, K].
/// Without, it is the same for all tokens (or there is one token) and has the step's own type. Over pairs of
/// tokens (scores of a window) f32 is a tile [Q, P]. `sliced`: of a vector, some of the value columns.
struct StepTile {
  mlir::Value tile;
  bool rows = false;
  bool sliced = false;
};

class StepEmitter {
public:
  /// With `sliced`, of the value columns those of the slice.
  using LagLoader = std::function<StepTile(pattern::LagOp, StepTile otherwise, bool sliced)>;

  /// `leading` is {C}, {Q, P} for pairs of tokens, or empty where one token is worked on.
  StepEmitter(TileBuilder &builder, llvm::ArrayRef<int64_t> leading, LagLoader lag)
      : builder_(builder), leading_(leading), lag_(std::move(lag)) {}

  /// Vectors over the value columns are wanted `columns` at a time; `load` gives those of a block argument.
  using SliceLoader = std::function<StepTile(mlir::BlockArgument)>;
  void sliceColumns(int64_t columns, SliceLoader load) {
    columns_ = columns;
    load_slice_ = std::move(load);
  }

  bool isSliced() const { return columns_ > 0; }

  void bind(mlir::Value value, StepTile tile) { tiles_[value] = tile; }

  /// Emits the ops of a block, its terminator excepted.
  mlir::LogicalResult emit(mlir::Block &block);

  /// The tile of a value of the step.
  StepTile get(mlir::Value value) const { return tiles_.at(value); }
  /// The same with one row a token where C tokens are worked on.
  mlir::Value rows(mlir::Value value) { return rows(get(value)); }
  mlir::Value rows(StepTile tile);
  /// A vector over the value columns, those of the slice; a scalar as it is. All columns where none are
  /// sliced.
  StepTile slice(mlir::Value value);
  mlir::Value sliceRows(mlir::Value value) { return rows(slice(value)); }

private:
  mlir::FailureOr<StepTile> emit(mlir::Operation &op, bool sliced);
  StepTile operandOf(mlir::Value value, bool sliced) { return sliced ? slice(value) : get(value); }
  StepTile emitElementwise(mlir::Operation &op, bool sliced);
  StepTile emitConstant(mlir::arith::ConstantOp op, bool sliced);
  StepTile emitBroadcast(pattern::BroadcastOp op, bool sliced);
  StepTile emitRead(mlir::Value state, mlir::Value key, bool transposed);
  mlir::Value sigmoid(mlir::Value x);
  mlir::Value softplus(mlir::Value x);

  TileBuilder &builder_;
  llvm::SmallVector<int64_t, 2> leading_;
  LagLoader lag_;
  llvm::DenseMap<mlir::Value, StepTile> tiles_, slices_;
  int64_t columns_ = 0;
  SliceLoader load_slice_;
};

/// The first op of a block that has no form on C tokens at once because it makes a matrix for each token, or
/// null. `varying` are the block's arguments that differ from token to token; those found on the way join.
mlir::Operation *findMatrixPerToken(mlir::Block &block, llvm::DenseSet<mlir::Value> &varying);

} // namespace linmu
