// How one op runs: the algorithm and the values that the schedule and the cost model gave it.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"

namespace linmu {

struct OpSchedule {
  struct Setting {
    llvm::StringRef key; ///< of the schedule (key_space.h)
    int64_t value;
  };
  llvm::StringRef algorithm;
  llvm::SmallVector<Setting, 2> settings;

  /// "recurrent", "chunked(chunk=16, columns=32)".
  std::string name() const;
  /// {algorithm = "chunked", chunk = 16, columns = 32}, as it stands on a tile.variant.
  mlir::DictionaryAttr attribute(mlir::MLIRContext *context) const;
};

} // namespace linmu
