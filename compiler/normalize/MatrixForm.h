// Matrices of a step as what is left of a state and a sum of rank-one terms, and arithmetic on them.
#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// column (x) row * scale; a null part is all ones.
struct RankOne {
  mlir::Value column, row, scale;
};

/// A state as a whole, times a factor for each element.
struct StatePart {
  unsigned state;
  RankOne scale;
};

/// Sum of scale * S over some states S, or none, and of rank-one terms, element by element. A key vector of a
/// state without value axis is such a matrix of one column.
struct MatrixForm {
  llvm::SmallVector<StatePart, 1> parts; ///< of different states
  llvm::SmallVector<RankOne, 2> terms;

  bool isFree() const { return parts.empty(); }
  /// What the state is scaled by, or null where it has no part.
  const RankOne *scaleOf(unsigned state) const;
};

/// A free matrix that is one term, as a factor; else null.
const RankOne *asFactor(const MatrixForm &form);

/// a * b of parts of rank-one terms, where null is one.
mlir::Value multiplyParts(mlir::Value a, mlir::Value b, Symbols &symbols);

/// Arithmetic on such matrices, element by element.
class MatrixArithmetic {
public:
  using Value = mlir::Value;

  MatrixArithmetic(Symbols &symbols, mlir::MLIRContext *context)
      : symbols_(symbols), f32_(mlir::Float32Type::get(context)) {}

  RankOne multiply(const RankOne &a, const RankOne &b);
  MatrixForm multiply(MatrixForm form, const RankOne &factor);
  /// a + b and a - b; none where they scale one state by what is not a product of parts.
  std::optional<MatrixForm> add(MatrixForm a, const MatrixForm &b);
  std::optional<MatrixForm> subtract(MatrixForm a, MatrixForm b);

  /// A vector as vector * scalar, with all the scalar factors that show in its form taken out. A null vector
  /// is all ones; the scalar is null where it is one, and then the vector is `value` itself.
  std::pair<Value, Value> factor(Value value);
  /// The form with scalar factors of columns and rows in the scales, so that equal keys meet, and without
  /// terms that are zero; terms of a free matrix that all vary along one axis only are one term: a factor is
  /// one.
  MatrixForm simplified(MatrixForm form);
  /// The term with scalar factors of its column and row in its scale.
  RankOne factored(RankOne term);

private:
  /// The sum of two scales where it is a product of parts again.
  std::optional<RankOne> addScales(const RankOne &a, const RankOne &b);
  std::pair<Value, Value> computeFactor(Value value);
  void mergeTerms(MatrixForm &form);

  Symbols &symbols_;
  mlir::Type f32_;
  llvm::DenseMap<Value, std::pair<Value, Value>> factors_;
};

} // namespace linmu
