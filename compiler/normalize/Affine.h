// The affine analysis of a scan's step: each state as a decay of the old one plus rank-one writes.
#pragma once
#include "compiler/normalize/Symbols.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"
#include <string>

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

/// Why a step is not in the normal form, and where.
struct Opaque {
  std::string reason;
  mlir::Operation *at = nullptr;
  /// Whether the state may be in the form with another key axis: 0 not, 1 perhaps, 2 its reads say so,
  /// 3 the op is not on the path from the state to itself, where another reason may be.
  int ofOrientation = 0;
  /// The states whose key axes the failure depends on, those that the failing op holds as a whole first:
  /// under the same axes of these the step fails again, whatever those of the others.
  llvm::SmallVector<unsigned> states;
};

/// y = key^T S, before (exclusive) or after (inclusive) this token's update.
struct StateRead {
  mlir::Value key, symbol;
  bool inclusive;
};

struct StateWrite {
  mlir::Value key, value; ///< the value is an expression in read symbols
};

/// An expression as sum of coefficient * read, by the number of the read, plus what is free of a state's
/// reads.
struct Feedback {
  llvm::MapVector<unsigned, mlir::Value> coefficients;
  mlir::Value free;
};

/// When a factor of a state that a select makes is one; elsewhere the state is left out, whatever it holds.
struct Choice {
  mlir::Value condition;
  bool holds; ///< or it does not
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
  llvm::SmallVector<mlir::Value, 2> free;                                          ///< v_i
  llvm::SmallVector<llvm::SmallVector<std::pair<unsigned, mlir::Value>>> feedback; ///< of w_i: (read, M_ij)
};

/// The values of a step as expressions over tokens and reads, and the form of every state.
class AffineAnalysis {
public:
  AffineAnalysis(pattern::ScanOp scan, llvm::ArrayRef<int> keyAxes);

  /// Vectors to their scales, null where that is one.
  using Columns = llvm::SmallMapVector<mlir::Value, mlir::Value, 4>;

  /// True where every state is in the normal form; else opaque() says why.
  bool run();
  const Opaque &opaque() const { return opaque_; }

  Symbols &symbols() { return symbols_; }
  llvm::ArrayRef<StateForm> states() const { return states_; }
  /// The scan's outputs.
  llvm::ArrayRef<mlir::Value> outputs() const { return outputs_; }
  /// The order in which states can be computed: each after those whose reads it uses.
  llvm::ArrayRef<unsigned> strata() const { return strata_; }
  /// The states whose reads a value depends on.
  const llvm::SmallDenseSet<unsigned> &dependencies(mlir::Value value);
  /// Of the factors of a product that is free of states, those that choose a state or leave it out.
  llvm::SmallVector<Choice> choicesIn(mlir::Value product) const;
  /// The keys along the key axis, free of states themselves, with which a value was read.
  llvm::SmallVector<mlir::Value> keysIn(mlir::Value value);

private:
  using Value = mlir::Value;

  /// `suspects` is what the failure depends on.
  bool fail(const llvm::Twine &reason, mlir::Operation *at, int ofOrientation = 0);
  /// Names what the next failure depends on: the states that `whole` are held of, and the vectors among those
  /// that `values` of the step are computed from. The key axis of a matrix does not matter to what was read
  /// of it: along the other axis the read itself would have failed.
  void suspect(mlir::ValueRange values, llvm::ArrayRef<unsigned> whole);
  /// The step's op that made an expression, or a part of it, else `otherwise`.
  mlir::Operation *originOf(Value expression, mlir::Operation *otherwise);
  bool visit(mlir::Operation &op);
  bool visitVectorOp(mlir::Operation &op);
  bool visitMatrixOp(mlir::Operation &op);
  bool isMatrix(Value value) const { return matrices_.contains(value); }
  bool dependsOnState(Value value) const;
  /// The matrix form of a value of rank 2, or of a key vector.
  std::optional<MatrixForm> matrixOf(Value value);
  std::optional<Value> freeOf(Value value, mlir::Operation *at);
  void setFree(Value value, Value expression) { free_[value] = expression; }

  RankOne multiply(const RankOne &a, const RankOne &b);
  Value multiplyPart(Value a, Value b);
  /// The term with scalar factors of its column and row in its scale, so that equal keys meet.
  RankOne factored(RankOne term);
  /// Terms of a free matrix that all vary along one axis only, as one term: a factor is one.
  void mergeTerms(MatrixForm &form);
  /// A vector as a sum of vectors times scalars: its summands where it depends on a state, since a key may
  /// not. What several summands share is taken apart once.
  const Columns &columnsOf(Value vector);
  std::optional<MatrixForm> add(MatrixForm a, MatrixForm b, bool subtract, mlir::Operation *at);
  /// Contracts `axis` of the matrix with a vector (null: ones).
  std::optional<Value> contract(const MatrixForm &matrix, int axis, Value vector, Value source,
                                mlir::Type result, mlir::Operation *at);
  Value readSymbol(unsigned state, Value key, bool inclusive, mlir::Location location);
  bool finishState(unsigned state);
  /// Logarithm and sign of a factor that the state keeps.
  bool finishDecay(unsigned state, Value factor, Value &decay, Value &sign, mlir::Operation *at);
  /// Outputs that read what equals the next state read the next state.
  void makeReadsInclusive();
  bool extractFeedback(unsigned state, unsigned write, mlir::Operation *at);
  bool orderStrata();

  pattern::ScanOp scan_;
  Symbols symbols_;
  Opaque opaque_;
  llvm::SmallVector<unsigned> suspects_;
  llvm::DenseMap<Value, std::unique_ptr<Columns>> columns_;
  llvm::DenseMap<Value, llvm::BitVector> behind_; ///< step values to the states that they are computed from
  llvm::DenseMap<Value, llvm::SmallDenseSet<unsigned>> dependencies_;
  llvm::DenseMap<Value, Value> free_;                ///< step values without state: their expression
  llvm::DenseMap<Value, MatrixForm> matrices_;       ///< step values that are matrices or depend on a state
  llvm::DenseMap<Value, mlir::Operation *> origins_; ///< the step op behind an expression, for messages
  llvm::DenseMap<Value, std::pair<unsigned, unsigned>> readOf_; ///< symbol to (state, read)
  llvm::DenseMap<Value, Choice> choices_;                       ///< factors of states, one or zero
  struct ReadOfMatrix {
    MatrixForm matrix;
    Value key, result; ///< result = key^T matrix
  };
  llvm::SmallVector<ReadOfMatrix> matrixReads_;
  std::vector<StateForm> states_;
  std::vector<llvm::DenseMap<Value, Feedback>>
      feedback_; ///< of each state: values to what they owe to its reads
  llvm::SmallVector<Value> outputs_;
  llvm::SmallVector<unsigned> strata_;
};

} // namespace linmu
