#include "compiler/derive/resets.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;

// Above it exp gives f32 other than zero, and far below it lie the logarithms of zero.
static constexpr double zeroBelow = -150;

static bool isLogarithmOfZero(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return false;
  Attribute attribute = constant.getValue();
  if (auto elements = dyn_cast<DenseElementsAttr>(attribute)) {
    if (!elements.isSplat())
      return false;
    attribute = elements.getSplatValue<Attribute>();
  }
  auto number = dyn_cast<FloatAttr>(attribute);
  return number && number.getValueAsDouble() <= zeroBelow;
}

/// Whether a value is made with a select of which one side is what `isSought` says.
static bool choosesFrom(Value value, function_ref<bool(Value)> isSought) {
  llvm::SetVector<Value> parts;
  parts.insert(value);
  for (size_t next = 0; next < parts.size(); ++next) {
    Operation *op = parts[next].getDefiningOp();
    if (!op)
      continue;
    if (auto select = dyn_cast<arith::SelectOp>(op))
      if (isSought(select.getTrueValue()) || isSought(select.getFalseValue()))
        return true;
    parts.insert(op->operand_begin(), op->operand_end());
  }
  return false;
}

bool linmu::mayReset(pattern::FormOp form) {
  if (llvm::any_of(form.getCoupling(), [](Value factor) {
        return choosesFrom(factor, [](Value side) { return matchPattern(side, m_AnyZeroFloat()); });
      }))
    return true;
  Value logarithms[] = {form.getDecay(), form.getValueDecay()};
  return llvm::any_of(logarithms, [](Value logarithm) { return logarithm && mayReset(logarithm); });
}

bool linmu::mayReset(Value logarithm) { return choosesFrom(logarithm, isLogarithmOfZero); }

Value linmu::isReset(TileBuilder &builder, Value logarithm) {
  return arith::CmpFOp::create(builder, arith::CmpFPredicate::OLE, logarithm,
                               builder.splat(logarithm.getType(), zeroBelow));
}

/// Zero times what is finite is zero, and no number otherwise.
Value linmu::anyNotFinite(TileBuilder &builder, ValueRange tiles) {
  Value total;
  for (Value tile : tiles) {
    Value sum = builder.multiply(tile, builder.splat(tile.getType(), 0));
    while (rankOf(sum) > 0)
      sum = builder.sum(sum, rankOf(sum) - 1);
    total = total ? builder.add(total, sum) : sum;
  }
  return arith::CmpFOp::create(builder, arith::CmpFPredicate::UNE, total, builder.splat(total.getType(), 0));
}
