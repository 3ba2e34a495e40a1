// Sums with like terms together: what cancels is gone, and the range of a decay shows however it is written.
#include "compiler/normalize/Symbols.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>
#include <limits>
#include <utility>

using namespace mlir;

namespace linmu {

/// A sum of multiples, as collected from nested sums.
struct Symbols::Sum {
  llvm::SmallMapVector<Value, double, 4> terms;
  double constant = 0;
  int leaves = 0, constants = 0, visited = 0;
  bool distribute = false; ///< products of sums as sums of products

  bool hasLikeTerms() const { return leaves != int(terms.size()) || constants > 1; }
};

void Symbols::collect(Value value, double factor, Sum &sum) {
  // What has very many parts is left as it is, so that a sum costs no more than so many steps.
  constexpr int most = 16, mostVisited = 64;
  Operation *op = value.getDefiningOp();
  if (std::optional<double> number = constantOf(value)) {
    sum.constant += factor * *number;
    ++sum.constants;
    return;
  }
  if (sum.leaves < most && ++sum.visited < mostVisited) {
    if (isa_and_nonnull<arith::AddFOp, arith::SubFOp>(op)) {
      collect(op->getOperand(0), factor, sum);
      return collect(op->getOperand(1), isa<arith::SubFOp>(op) ? -factor : factor, sum);
    }
    if (Value positive = negated(value))
      return collect(positive, -factor, sum);
    if (isa_and_nonnull<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (std::optional<double> number = constantOf(op->getOperand(side)))
          return collect(op->getOperand(1 - side), factor * *number, sum);
    if (sum.distribute && isa_and_nonnull<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (Operation *inner = op->getOperand(side).getDefiningOp();
            isa_and_nonnull<arith::AddFOp, arith::SubFOp>(inner)) {
          Value other = op->getOperand(1 - side);
          collect(multiply(other, inner->getOperand(0)), factor, sum);
          return collect(multiply(other, inner->getOperand(1)), isa<arith::SubFOp>(inner) ? -factor : factor,
                         sum);
        }
    if (isa_and_nonnull<arith::DivFOp>(op))
      if (std::optional<double> number = constantOf(op->getOperand(1)); number && *number != 0)
        return collect(op->getOperand(0), factor / *number, sum);
  }
  sum.terms[value] += factor;
  ++sum.leaves;
}

Value Symbols::collected(Value lhs, Value rhs, double sign) {
  Sum sum;
  collect(lhs, 1, sum);
  collect(rhs, sign, sum);
  if (!sum.hasLikeTerms()) {
    sum = {};
    sum.distribute = true;
    collect(lhs, 1, sum);
    collect(rhs, sign, sum);
  }
  if (!sum.hasLikeTerms())
    return {};
  // A chain of doublings leaves the numbers of its type, and infinity times zero is not zero.
  constexpr double largest = std::numeric_limits<float>::max();
  if (std::abs(sum.constant) > largest ||
      llvm::any_of(sum.terms, [](const auto &term) { return std::abs(term.second) > largest; }))
    return {};
  Type type = lhs.getType();
  Value result;
  // Positive terms first: those after them are subtracted.
  for (bool positive : {true, false})
    for (auto [value, factor] : sum.terms)
      if (factor != 0 && (factor > 0) == positive) {
        Value term = multiply(value, constant(type, std::abs(factor)));
        if (!result && !positive && sum.constant != 0)
          result = constant(type, std::exchange(sum.constant, 0));
        if (!result)
          result = positive ? term : negate(term);
        else if (positive)
          result = make(arith::AddFOp::getOperationName(), {result, term}, type);
        else if (Value product = complement(result, term))
          result = product;
        else
          result = make(arith::SubFOp::getOperationName(), {result, term}, type);
      }
  if (!result)
    return constant(type, sum.constant);
  return sum.constant == 0
             ? result
             : make(arith::AddFOp::getOperationName(), {result, constant(type, sum.constant)}, type);
}

Value Symbols::without(Value product, Value factor, int &parts) {
  if (product == factor)
    return constant(product.getType(), 1);
  if (--parts < 0)
    return {};
  if (auto mul = product.getDefiningOp<arith::MulFOp>())
    for (unsigned side : {0, 1})
      if (Value rest = without(mul->getOperand(side), factor, parts))
        return multiply(rest, mul->getOperand(1 - side));
  if (auto broadcast = product.getDefiningOp<pattern::BroadcastOp>(); broadcast && !broadcast.getAxis())
    if (Value scalar = scalarBehind(factor))
      if (Value rest = without(broadcast.getSource(), scalar, parts))
        return spread(rest, product.getType());
  return {};
}

Value Symbols::complement(Value whole, Value part) {
  int parts = 64;
  Value rest = part == whole ? Value() : without(part, whole, parts);
  return rest ? multiply(whole, subtract(constant(whole.getType(), 1), rest)) : Value();
}

Value Symbols::add(Value lhs, Value rhs) {
  if (isConstant(lhs, 0))
    return rhs;
  if (isConstant(rhs, 0))
    return lhs;
  if (Value sum = collected(lhs, rhs, 1))
    return sum;
  for (auto [one, other] : {std::pair(lhs, rhs), std::pair(rhs, lhs)})
    if (Value part = negated(other))
      if (Value product = complement(one, part))
        return product;
  return make(arith::AddFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

Value Symbols::subtract(Value lhs, Value rhs) {
  if (isConstant(rhs, 0))
    return lhs;
  if (isConstant(lhs, 0))
    return negate(rhs);
  if (Value difference = collected(lhs, rhs, -1))
    return difference;
  if (Value product = complement(lhs, rhs))
    return product;
  return make(arith::SubFOp::getOperationName(), {lhs, rhs}, lhs.getType());
}

} // namespace linmu
