// The normal form of one state: decay or coupling, reads, writes, feedback.
#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// y = key^T S, before (exclusive) or after (inclusive) this token's update.
struct StateRead {
  mlir::Value key, symbol;
  bool inclusive;
};

struct StateWrite {
  mlir::Value key, value; ///< the value is an expression in read symbols
};

/// One state's part of the result.
struct StateForm {
  int keyAxis = 0; ///< as in pattern.form
  mlir::Type slice, keyType, valueType;
  llvm::SmallVector<StateRead, 4> reads;
  /// What is left of the old state: a scalar or a factor a key row, and a factor a value column; null where
  /// that is one.
  mlir::Value scale, valueScale;
  mlir::Value decay, valueDecay; ///< the logarithms of their sizes
  mlir::Value sign, valueSign;   ///< null where they are not negative
  llvm::SmallVector<StateWrite, 2> writes;
  llvm::SmallVector<mlir::Value, 2> free; ///< v_i
  /// Of w_i: (symbol of the read, M_ij); the read may be one of a state computed with this one.
  llvm::SmallVector<llvm::SmallVector<std::pair<mlir::Value, mlir::Value>>> feedback;
  /// Of a state that is computed with others: (q, A_pq), scalars, in the place of a decay.
  llvm::SmallVector<std::pair<unsigned, mlir::Value>> coupling;
};

} // namespace linmu
