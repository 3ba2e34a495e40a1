// Softmax attention of a block of queries to the keys of their window's cell.
//
// A pair is seen unless its score is -inf; a query that sees no key gets 0. Products of tiles multiply the
// value of an unseen key by 0, which is NaN for a value that is not finite. So the fast forms tell whether
// all that they wrote is finite, and `exact` writes it again where not.
#pragma once
#include "compiler/derive/walk.h"
#include "compiler/derive/window_grid.h"
#include "compiler/derive/window_score.h"
#include "compiler/schedule/schedule.h"
#include "mlir/IR/IRMapping.h"

namespace linmu {

class WindowSoftmax {
public:
  /// `arguments` maps the op's operands and result to the kernel's memory.
  WindowSoftmax(const pattern::WindowView &view, const WindowTiles &tiles, TileBuilder &builder,
                WindowGrid &grid, const Walk &walk, const mlir::IRMapping &arguments)
      : view(view), tiles(tiles), builder(builder), grid(grid), walk(walk), arguments(arguments) {}

  /// All keys of a cell of at most tiles.whole tokens at once. Gives an f32 that is 0 where all that was
  /// written is finite and NaN elsewhere.
  mlir::FailureOr<mlir::Value> attendToWhole(const WindowShare &queries);

  /// The same by blocks of tiles.keys keys, for cells of any size.
  mlir::FailureOr<mlir::Value> attendByBlocks(const WindowShare &queries);

  /// One query at a time, whatever the values hold: those of unseen keys are selected away.
  /// (window_exact.cpp)
  mlir::LogicalResult attendExactly(const WindowShare &queries);

private:
  using Value = mlir::Value;

  /// Sums over the keys so far: of one row a query, or of one query. Weights are relative to `largest`: the
  /// largest score so far, or one that it exceeds by no more than the tiles' growth.
  struct Sums {
    Value largest, total, mixed;
  };
  struct Keys {
    WindowPositions positions;
    Value all = {};             ///< whether all are there; null: not known
    Value key = {}, value = {}; ///< rows, f32
  };
  struct Block {
    WindowPositions positions;
    Value rows = {}; ///< f32
  };
  Block loadQueries(const WindowCell &cell, Value from);
  Keys loadKeys(const WindowCell &cell, Value from, int64_t count);
  /// Whether scores() leaves the scale to the exponentials: a larger product is a larger score, and no region
  /// asks for it.
  bool scaledByExponentials() { return !view.scoreBlock() && view.scale > 0; }
  mlir::FailureOr<Value> scores(const Block &queries, const Keys &keys);
  /// The score region on a tile of scores, with coordinates that go with it.
  mlir::FailureOr<Value> applyScore(Value scores, llvm::ArrayRef<StepTile> query,
                                    llvm::ArrayRef<StepTile> key);
  Sums addKeys(const Sums &before, Value scores, Value value);
  mlir::FailureOr<Sums> sumBlocks(const WindowCell &cell, const Block &queries);
  mlir::FailureOr<Sums> addKeysExactly(const Sums &before, Value query, llvm::ArrayRef<StepTile> coordinates,
                                       const Keys &keys);
  Value average(const Sums &sums);
  /// Stores what `attend` gives for each block of queries. Gives 0 where all of it is finite, else NaN.
  mlir::FailureOr<Value> forEachBlock(const WindowShare &queries,
                                      llvm::function_ref<mlir::FailureOr<Value>(const Block &block)> attend);

  Value compare(mlir::arith::CmpFPredicate predicate, Value a, double b);
  Value constantLike(Value like, double value) { return builder.splat(like.getType(), value); }

  const pattern::WindowView &view;
  WindowTiles tiles;
  TileBuilder &builder;
  WindowGrid &grid;
  const Walk &walk;
  const mlir::IRMapping &arguments;
};

} // namespace linmu
