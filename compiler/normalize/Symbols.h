// State-free values of a step, built on demand with folding: equal expressions become one SSA value.
#pragma once
#include "compiler/normalize/Ranges.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/IR/Block.h"

namespace linmu {

/// A block of step ops under construction. Its arguments are a step's params and tokens, then symbols for
/// what is read from states. Arithmetic is exact arithmetic: x * 0 is 0, x + 0 is x.
class Symbols {
public:
  using Value = mlir::Value;
  using Type = mlir::Type;

  explicit Symbols(mlir::MLIRContext *context) : builder_(context) {}
  Symbols(const Symbols &) = delete;

  Value addArgument(Type type, mlir::Location location) { return block_.addArgument(type, location); }
  mlir::Block &block() { return block_; }
  void setLocation(mlir::Location location) { location_ = location; }
  mlir::Location location() const { return *location_; }

  /// The op of that name on these operands, folded and unique.
  Value make(llvm::StringRef name, mlir::ValueRange operands, Type type,
             llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  /// `op` on other operands.
  Value remake(mlir::Operation *op, mlir::ValueRange operands, Type type);

  Value constant(Type type, double value);
  std::optional<double> constantOf(Value value);
  /// Bounds of every element of `value`.
  Range rangeOf(Value value) { return ranges_.of(value); }
  bool isConstant(Value value, double number) { return constantOf(value) == number; }

  Value add(Value lhs, Value rhs);
  Value subtract(Value lhs, Value rhs);
  Value multiply(Value lhs, Value rhs);
  Value divide(Value lhs, Value rhs);
  Value negate(Value value);
  Value select(Value condition, Value yes, Value no);
  Value unary(llvm::StringRef name, Value value) { return make(name, value, value.getType()); }
  Value maximum(Value value, double bound);
  Value dot(Value lhs, Value rhs);
  Value exp(Value value) { return unary("math.exp", value); }

  /// A scalar repeated to `type`; scalars of type `type` are themselves.
  Value spread(Value scalar, Type type);
  /// lhs + rhs, lhs * rhs and lhs / rhs; a scalar beside a vector is repeated to it.
  Value addSpread(Value lhs, Value rhs);
  Value multiplySpread(Value lhs, Value rhs);
  Value divideSpread(Value lhs, Value rhs);
  /// The scalar that every element of `value` equals, where that shows in its form; else null.
  Value scalarBehind(Value value);
  /// A vector as vector * scalar, with all the scalar factors that show in its form taken out. A null vector
  /// is all ones; the scalar is null where it is one, and then the vector is `value` itself.
  std::pair<Value, Value> factor(Value value);
  /// The logarithm of `value` that compiler/normalize/Logarithm.cpp has made, null before: each is made once.
  Value &logarithm(Value value) { return logarithms_[value]; }
  /// `value` with each value of the map replaced wherever it is used in it.
  Value substitute(Value value, llvm::DenseMap<Value, Value> &replacements);

private:
  void spreadBoth(Value &lhs, Value &rhs);
  std::pair<Value, Value> computeFactor(Value value);
  Value unique(mlir::Operation *op);
  struct Sum;
  /// Adds `factor` times `value` to the sum, by its parts where it is a sum of multiples.
  void collect(Value value, double factor, Sum &sum);
  /// lhs + sign * rhs with like terms together, where there are any; else null.
  Value collected(Value lhs, Value rhs, double sign);
  /// The other factors of a product that has this one, else null. Looks at `parts` factors at most.
  Value without(Value product, Value factor, int &parts);
  /// x (1 - y) for x and x y, else null: so the range of the difference shows.
  Value complement(Value whole, Value part);
  /// x where `value` is -x, else null.
  Value negated(Value value);
  bool comesBefore(Value lhs, Value rhs) const;
  /// As `make`, with the rules of arithmetic.
  Value makeScalar(llvm::StringRef name, llvm::ArrayRef<Value> operands, Type type,
                   llvm::ArrayRef<mlir::NamedAttribute> attributes);

  struct Equivalence : llvm::DenseMapInfo<mlir::Operation *> {
    static unsigned getHashValue(const mlir::Operation *op);
    static bool isEqual(const mlir::Operation *lhs, const mlir::Operation *rhs);
  };

  mlir::Block block_;
  mlir::OpBuilder builder_;
  std::optional<mlir::Location> location_;
  llvm::DenseMap<mlir::Operation *, char, Equivalence> known_;
  // Numbers in the order of the block, which MLIR would count anew after each op that is added.
  llvm::DenseMap<mlir::Operation *, unsigned> places_;
  // Of values in the block, which stay: an op is erased only before anybody has its result.
  Ranges ranges_;
  llvm::DenseMap<Value, Value> logarithms_;
  llvm::DenseMap<Value, std::pair<Value, Value>> factors_;
};

} // namespace linmu
