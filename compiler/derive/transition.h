// What a run of tokens does to a state at its entry: S' = T S + E, where E is what it makes of zero.
#pragma once
#include "compiler/derive/state_chunk.h"
#include "compiler/derive/stored_state.h"

namespace linmu {

/// The transition of a state in normal form. With feedback T is a K x K matrix, without it the products of
/// the decays of each axis: a scalar or [K], and [V]. It is carried in tiles of f32:
///   - none where the state neither decays nor feeds back;
///   - T: the matrix or the product, first that of keys;
///   - behind T, where that decay may reset the state, 1 where it did and 0 elsewhere, of the shape of the
///     decay's product. What a reset forgets may be no number, so that the product with zero does not do.
class Transition {
public:
  Transition(pattern::NormalScanOp scan, unsigned state)
      : Transition(scan.getForm(state), StoredState(scan, state)) {}
  Transition(pattern::FormOp form, const StoredState &stored);

  /// The types of the tiles.
  llvm::ArrayRef<mlir::Type> types() const { return types_; }
  bool isMatrix() const { return is_matrix_; }
  /// Whether a decay is one of each value column.
  bool isByValue() const {
    return llvm::any_of(decays_, [](const Decay &decay) { return decay.axis == 1; });
  }
  /// Over no token.
  llvm::SmallVector<mlir::Value> identity(TileBuilder &builder) const;
  /// Over the tokens so far, and those of a chunk.
  llvm::SmallVector<mlir::Value> over(TileBuilder &builder, StateChunk &chunk, mlir::ValueRange tiles) const;
  /// T S + E, K x V.
  mlir::Value apply(TileBuilder &builder, mlir::ValueRange tiles, mlir::Value state, mlir::Value end) const;

private:
  /// The decay of an axis of the state, and where its tiles stand.
  struct Decay {
    int64_t axis;
    std::optional<unsigned> product, reset;
  };
  mlir::Value applyMatrix(TileBuilder &builder, mlir::ValueRange tiles, mlir::Value state,
                          mlir::Value end) const;

  llvm::SmallVector<mlir::Type> types_;
  llvm::SmallVector<Decay, 2> decays_;
  bool is_matrix_;
};

} // namespace linmu
