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

  /// What is made stands at `location` until another is set.
  explicit Symbols(mlir::Location location) : builder_(location.getContext()), location_(location) {}
  Symbols(const Symbols &) = delete;

  Value addArgument(Type type, mlir::Location location) { return block_.addArgument(type, location); }
  mlir::Block &block() { return block_; }
  void setLocation(mlir::Location location) { location_ = location; }

  /// The op of that name on these operands, folded and unique.
  Value make(llvm::StringRef name, mlir::ValueRange operands, Type type,
             llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  /// `op` on other operands.
  Value remake(mlir::Operation *op, mlir::ValueRange operands, Type type);

  Value constant(Type type, double value);
  /// Bounds of every element of `value`.
  Range rangeOf(Value value) { return ranges_.of(value); }

  /// Of two operands; a scalar beside a vector is repeated to it.
  Value add(Value lhs, Value rhs);
  Value subtract(Value lhs, Value rhs);
  Value multiply(Value lhs, Value rhs);
  Value divide(Value lhs, Value rhs);

  Value negate(Value value);
  Value select(Value condition, Value yes, Value no);
  Value dot(Value lhs, Value rhs);

  /// A scalar repeated to `type`; scalars of type `type` are themselves.
  Value spread(Value scalar, Type type);
  /// The scalar that every element of `value` equals, where that shows in its form; else null.
  Value scalarBehind(Value value);

private:
  Value unique(mlir::Operation *op);
  bool comesBefore(Value lhs, Value rhs) const;

  struct Equivalence : llvm::DenseMapInfo<mlir::Operation *> {
    static unsigned getHashValue(const mlir::Operation *op);
    static bool isEqual(const mlir::Operation *lhs, const mlir::Operation *rhs);
  };

  mlir::Block block_;
  mlir::OpBuilder builder_;
  mlir::Location location_;
  llvm::DenseMap<mlir::Operation *, char, Equivalence> known_;
  // Numbers in the order of the block, which MLIR would count anew after each op that is added.
  llvm::DenseMap<mlir::Operation *, unsigned> places_;
  // Of values in the block, which stay: an op is erased only before anybody has its result.
  Ranges ranges_;
};

/// The number that every element of a constant equals, or none.
std::optional<double> constantOf(mlir::Value value);
inline bool isConstant(mlir::Value value, double number) { return constantOf(value) == number; }

/// `value` with each value of the map replaced wherever it is used in it.
mlir::Value substitute(mlir::Value value, llvm::DenseMap<mlir::Value, mlir::Value> &replacements,
                       Symbols &symbols);

} // namespace linmu
