// The report of `linmuc --explain`.
#pragma once
#include "compiler/derive/plan.h"
#include "dialects/tile/Tile.h"
#include "llvm/Support/JSON.h"

namespace linmu {

/// What the compiler makes of a pattern, as text or as one JSON object.
class Explanation {
public:
  /// For each op of a normalised pattern: its normal form, or the op and source line that makes it opaque,
  /// and the algorithm that usual calls run.
  Explanation(mlir::func::FuncOp function, const Plan &plan);

  /// What runs for which batch and number of tokens: the conditions of the variants, their algorithms, and
  /// the grids of their launches, as expressions. (ExplainVariants.cpp)
  void addVariants(tile::ProgramOp program);

  const std::string &text() const { return text_; }
  std::string json() const;

private:
  std::string text_;
  llvm::json::Object json_;
};

} // namespace linmu
