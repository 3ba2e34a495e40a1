// The values of a step as expressions over tokens and reads, or as matrices.
#pragma once
#include "compiler/normalize/Diagnosis.h"
#include "compiler/normalize/MatrixForm.h"
#include "compiler/normalize/StateReads.h"
#include "compiler/normalize/Summands.h"

namespace linmu {

/// When a factor of a state that a select makes is one; elsewhere the state is left out, whatever it holds.
struct Choice {
  mlir::Value condition;
  bool holds; ///< or it does not
};

/// A read of a matrix that depends on a state: result = key^T matrix.
struct ReadOfMatrix {
  MatrixForm matrix;
  mlir::Value key, result;
};

/// The forms of the values of a step, each made from those of its operands.
class StepForms {
public:
  using Value = mlir::Value;

  /// Of the step's arguments. The states' forms say along which axes they are read; all but the scan are
  /// referred to.
  StepForms(pattern::ScanOp scan, Symbols &symbols, llvm::ArrayRef<StateForm> states, StateReads &reads,
            Diagnosis &diagnosis);

  /// The form of an op's result; false after a failure.
  bool visit(mlir::Operation &op);

  /// The expression of a value without state, or null.
  Value expressionOf(Value value) const { return free_.lookup(value); }
  /// The same; a failure of the op `at` where there is none.
  std::optional<Value> freeOf(Value value, mlir::Operation *at);
  /// The matrix form of a value of rank 2, or of a key vector.
  std::optional<MatrixForm> matrixOf(Value value);
  /// The states that some of the values hold as a whole.
  llvm::SmallVector<unsigned> wholeStates(mlir::ValueRange values) const;
  /// Of the factors of a product that is free of states, those that choose a state or leave it out.
  llvm::SmallVector<Choice> choicesIn(Value product) const;
  llvm::ArrayRef<ReadOfMatrix> matrixReads() const { return matrixReads_; }

private:
  bool isMatrix(Value value) const { return matrices_.contains(value); }
  bool dependsOnState(Value value) const;
  bool visitMatrixOp(mlir::Operation &op);
  /// The sum or difference of the op's operands.
  std::optional<MatrixForm> add(const MatrixForm &a, const MatrixForm &b, mlir::Operation *at);
  /// `a` where a condition holds, else `b`.
  std::optional<MatrixForm> choose(Value condition, const MatrixForm &a, const MatrixForm &b,
                                   mlir::Operation *at);
  /// Contracts `axis` of the matrix with a vector (null: ones).
  std::optional<Value> contract(const MatrixForm &matrix, int axis, Value vector, Value source,
                                mlir::Type result, mlir::Operation *at);

  pattern::ScanOp scan_;
  Symbols &symbols_;
  llvm::ArrayRef<StateForm> states_;
  StateReads &reads_;
  Diagnosis &diagnosis_;
  MatrixArithmetic arithmetic_;
  Summands summands_;
  llvm::DenseMap<Value, Value> free_;          ///< step values without state: their expression
  llvm::DenseMap<Value, MatrixForm> matrices_; ///< step values that are matrices or depend on a state
  llvm::DenseMap<Value, Choice> choices_;      ///< factors of states, one or zero
  llvm::SmallVector<ReadOfMatrix> matrixReads_;
};

} // namespace linmu
