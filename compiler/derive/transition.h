// What a run of tokens does to a state at its entry: S' = T S + E, where E is what it makes of zero.
#pragma once
#include "compiler/derive/state_chunk.h"
#include "compiler/derive/stored_state.h"

namespace linmu {

/// The transition of a state in normal form. With feedback T is a K x K matrix, without it the product of
/// the decays: a scalar, [K] or [V]. It is carried in tiles of f32:
///   - none where the state neither decays nor feeds back;
///   - T;
///   - where the state may be reset, 1 where it was and 0 elsewhere, of the shape of the decay's product.
///   What
///     a reset forgets may be no number, so that the product with zero does not do.
class Transition {
public:
  Transition(pattern::NormalScanOp scan, unsigned state)
      : Transition(scan.getForm(state), StoredState(scan, state)) {}
  Transition(pattern::FormOp form, const StoredState &stored);

  /// The types of the tiles.
  llvm::ArrayRef<mlir::Type> types() const { return types_; }
  bool isMatrix() const { return is_matrix_; }
  /// Whether the decay is one of each value column.
  bool isByValue() const { return by_value_; }
  /// Over no token.
  llvm::SmallVector<mlir::Value> identity(TileBuilder &builder) const;
  /// Over the tokens so far, and those of a chunk.
  llvm::SmallVector<mlir::Value> over(TileBuilder &builder, StateChunk &chunk, mlir::ValueRange tiles) const;
  /// T S + E, K x V.
  mlir::Value apply(TileBuilder &builder, mlir::ValueRange tiles, mlir::Value state, mlir::Value end) const;

private:
  mlir::Value decayed(TileBuilder &builder, mlir::Value factors, mlir::Type state) const;
  mlir::Value applyMatrix(TileBuilder &builder, mlir::ValueRange tiles, mlir::Value state,
                          mlir::Value end) const;

  llvm::SmallVector<mlir::Type> types_;
  bool is_matrix_, decays_, resets_, by_value_;
};

} // namespace linmu
