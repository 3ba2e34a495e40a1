// Matrices of a step as what is left of a state and a sum of rank-one terms, and arithmetic on them.
#pragma once
#include "compiler/normalize/Symbols.h"

namespace linmu {

/// column (x) row * scale; a null part is all ones.
struct RankOne {
  mlir::Value column, row, scale;
};

/// scale * S + sum of rank-one terms, element by element, for a state S or none (`state` < 0). A key vector
/// of a state without value axis is such a matrix of one column.
struct MatrixForm {
  int state = -1;
  RankOne scale;
  llvm::SmallVector<RankOne, 2> terms;
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
  /// a + b and a - b, not of two states; none where they scale one state by what is not a product of parts.
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
  std::pair<Value, Value> computeFactor(Value value);
  void mergeTerms(MatrixForm &form);

  Symbols &symbols_;
  mlir::Type f32_;
  llvm::DenseMap<Value, std::pair<Value, Value>> factors_;
};

} // namespace linmu
