// Sums with like terms together: what cancels is gone, and the range of a decay shows however it is written.
#include "compiler/normalize/Sums.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>
#include <limits>
#include <utility>

using namespace mlir;

namespace linmu {

namespace {
/// A sum of multiples, as collected from nested sums.
struct Sum {
  llvm::SmallMapVector<Value, double, 4> terms;
  double constant = 0;
  int leaves = 0, constants = 0, visited = 0;
  bool distribute = false; ///< products of sums as sums of products

  bool hasLikeTerms() const { return leaves != int(terms.size()) || constants > 1; }
};
} // namespace

// What has very many parts is left as it is, so that a sum costs no more than so many steps.
static constexpr int mostParts = 16, mostVisited = 64;

Value negated(Value value, Symbols &symbols) {
  if (auto negate = value.getDefiningOp<arith::NegFOp>())
    return negate.getOperand();
  if (auto broadcast = value.getDefiningOp<pattern::BroadcastOp>(); broadcast && !broadcast.getAxis())
    if (auto negate = broadcast.getSource().getDefiningOp<arith::NegFOp>())
      return symbols.spread(negate.getOperand(), value.getType());
  return {};
}

/// Adds `factor` times `value` to the sum, by its parts where it is a sum of multiples.
static void collect(Value value, double factor, Sum &sum, Symbols &symbols) {
  Operation *op = value.getDefiningOp();
  if (std::optional<double> number = constantOf(value)) {
    sum.constant += factor * *number;
    ++sum.constants;
    return;
  }
  if (sum.leaves < mostParts && ++sum.visited < mostVisited) {
    if (isa_and_nonnull<arith::AddFOp, arith::SubFOp>(op)) {
      collect(op->getOperand(0), factor, sum, symbols);
      return collect(op->getOperand(1), isa<arith::SubFOp>(op) ? -factor : factor, sum, symbols);
    }
    if (Value positive = negated(value, symbols))
      return collect(positive, -factor, sum, symbols);
    if (isa_and_nonnull<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (std::optional<double> number = constantOf(op->getOperand(side)))
          return collect(op->getOperand(1 - side), factor * *number, sum, symbols);
    if (sum.distribute && isa_and_nonnull<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (Operation *inner = op->getOperand(side).getDefiningOp();
            isa_and_nonnull<arith::AddFOp, arith::SubFOp>(inner)) {
          Value other = op->getOperand(1 - side);
          collect(symbols.multiply(other, inner->getOperand(0)), factor, sum, symbols);
          return collect(symbols.multiply(other, inner->getOperand(1)),
                         isa<arith::SubFOp>(inner) ? -factor : factor, sum, symbols);
        }
    if (isa_and_nonnull<arith::DivFOp>(op))
      if (std::optional<double> number = constantOf(op->getOperand(1)); number && *number != 0)
        return collect(op->getOperand(0), factor / *number, sum, symbols);
  }
  sum.terms[value] += factor;
  ++sum.leaves;
}

Value collectLikeTerms(Value lhs, Value rhs, double sign, Symbols &symbols) {
  Sum sum;
  collect(lhs, 1, sum, symbols);
  collect(rhs, sign, sum, symbols);
  if (!sum.hasLikeTerms()) {
    sum = {};
    sum.distribute = true;
    collect(lhs, 1, sum, symbols);
    collect(rhs, sign, sum, symbols);
  }
  if (!sum.hasLikeTerms() || sum.terms.size() > mostParts)
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
        Value term = symbols.multiply(value, symbols.constant(type, std::abs(factor)));
        if (!result && !positive && sum.constant != 0)
          result = symbols.constant(type, std::exchange(sum.constant, 0));
        if (!result)
          result = positive ? term : symbols.negate(term);
        else if (positive)
          result = symbols.make(arith::AddFOp::getOperationName(), {result, term}, type);
        else if (Value product = complement(result, term, symbols))
          result = product;
        else
          result = symbols.make(arith::SubFOp::getOperationName(), {result, term}, type);
      }
  if (!result)
    return symbols.constant(type, sum.constant);
  return sum.constant == 0 ? result
                           : symbols.make(arith::AddFOp::getOperationName(),
                                          {result, symbols.constant(type, sum.constant)}, type);
}

/// The other factors of a product that has this one, else null. Looks at `parts` factors at most.
static Value without(Value product, Value factor, int &parts, Symbols &symbols) {
  if (product == factor)
    return symbols.constant(product.getType(), 1);
  if (--parts < 0)
    return {};
  if (auto mul = product.getDefiningOp<arith::MulFOp>())
    for (unsigned side : {0, 1})
      if (Value rest = without(mul->getOperand(side), factor, parts, symbols))
        return symbols.multiply(rest, mul->getOperand(1 - side));
  if (auto broadcast = product.getDefiningOp<pattern::BroadcastOp>(); broadcast && !broadcast.getAxis())
    if (Value scalar = symbols.scalarBehind(factor))
      if (Value rest = without(broadcast.getSource(), scalar, parts, symbols))
        return symbols.spread(rest, product.getType());
  return {};
}

Value complement(Value whole, Value part, Symbols &symbols) {
  int parts = 64;
  Value rest = part == whole ? Value() : without(part, whole, parts, symbols);
  return rest ? symbols.multiply(whole, symbols.subtract(symbols.constant(whole.getType(), 1), rest))
              : Value();
}

} // namespace linmu
