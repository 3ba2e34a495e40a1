// What the algebra of a chunk starts from: reads, keys, values, feedback and decays of its tokens.
#pragma once
#include "compiler/derive/step_emitter.h"

namespace linmu {

/// What the stage of a state gives for the tokens of a chunk, one a row. Rows past the end neither decay nor
/// write: there g is 0, and so are the keys and, without feedback, the values.
struct ChunkInputs {
  llvm::SmallVector<mlir::Value> reads, keys; ///< C x K
  llvm::SmallVector<mlir::Value> values;      ///< C x V
  llvm::SmallVector<mlir::Value> feedback;    ///< C, one a term of the form
  llvm::SmallVector<mlir::Value>
      coupling; ///< the same; of rows past the end one from a state to itself, else 0
  mlir::Value logarithm, value_logarithm; ///< null without decay, and without one by value
  mlir::Value sign, value_sign;           ///< null where that decay is not negative
  mlir::Value live;                       ///< C of i1

  /// From a stage that `step` has emitted. Of its arguments, those in [firstToken, endOfTokens) are tokens,
  /// whose rows past the end are zero.
  static ChunkInputs of(TileBuilder &builder, pattern::FormOp form, StepEmitter &step, int64_t chunk,
                        mlir::Value live, unsigned firstToken, unsigned endOfTokens);
};

/// Zero in rows past the end: those that are not `live`, [C] of i1. Rows are [C] or [C, columns].
mlir::Value whereLive(TileBuilder &builder, mlir::Value live, mlir::Value rows);

} // namespace linmu
