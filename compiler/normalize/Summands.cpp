#include "compiler/normalize/Summands.h"
#include "compiler/normalize/MatrixForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace linmu;

/// Sums of what has the key already; null is one.
static void addColumn(Symbols &symbols, Summands::Columns &columns, Value vector, Value scale) {
  auto [entry, inserted] = columns.try_emplace(vector, scale);
  if (inserted)
    return;
  Value one = symbols.constant(getElementTypeOrSelf(vector.getType()), 1);
  entry->second = symbols.add(entry->second ? entry->second : one, scale ? scale : one);
}

const Summands::Columns &Summands::of(Value vector) {
  if (auto found = columns_.find(vector); found != columns_.end())
    return *found->second;
  auto columns = std::make_unique<Columns>();
  auto append = [&](Value part, llvm::function_ref<Value(Value)> scaled) {
    for (auto [column, scale] : of(part))
      addColumn(symbols_, *columns, column, scaled(scale));
  };
  auto same = [](Value scale) { return scale; };
  auto negated = [&](Value scale) {
    return scale ? symbols_.negate(scale) : symbols_.constant(getElementTypeOrSelf(vector.getType()), -1);
  };
  auto appendScaled = [&](Value part, Value scalar) {
    append(part, [&](Value scale) { return multiplyParts(scale, scalar, symbols_); });
    return true;
  };
  // Whether the op is taken apart. What is free of states is a key as it is.
  auto takeApart = [&](Operation *op) {
    if (!op || reads_.dependencies(vector).empty())
      return false;
    if (isa<arith::AddFOp, arith::SubFOp>(op)) {
      append(op->getOperand(0), same);
      append(op->getOperand(1), isa<arith::SubFOp>(op) ? llvm::function_ref<Value(Value)>(negated) : same);
      return true;
    }
    if (isa<arith::NegFOp>(op)) {
      append(op->getOperand(0), negated);
      return true;
    }
    if (auto div = dyn_cast<arith::DivFOp>(op))
      if (Value scalar = symbols_.scalarBehind(div.getRhs()))
        return appendScaled(div.getLhs(), symbols_.divide(symbols_.constant(scalar.getType(), 1), scalar));
    if (auto mul = dyn_cast<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (Value scalar = symbols_.scalarBehind(mul->getOperand(side)))
          return appendScaled(mul->getOperand(1 - side), scalar);
    return false;
  };
  if (!takeApart(vector.getDefiningOp()))
    addColumn(symbols_, *columns, vector, {});
  return *(columns_[vector] = std::move(columns));
}
