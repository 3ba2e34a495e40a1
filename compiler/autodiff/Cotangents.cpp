#include "compiler/autodiff/Cotangents.h"
#include "dialects/pattern/Pattern.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

Cotangents::Cotangents(func::FuncOp function, ValueRange inputs) : active_(inputs.begin(), inputs.end()) {
  for (Operation &op : function.getBody().front())
    if (llvm::any_of(op.getOperands(), [&](Value operand) { return active_.contains(operand); }))
      for (Value result : op.getResults())
        if (isa<FloatType>(getElementTypeOrSelf(result.getType())))
          active_.insert(result);
}

void Cotangents::add(Value value, Value contribution) {
  if (contribution && wants(value))
    contributions_[value].push_back(contribution);
}

Value Cotangents::of(OpBuilder &builder, Value value) {
  SmallVector<Value> &parts = contributions_[value];
  if (parts.empty())
    return {};
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  if (kindOf(type) == Kind::tokens && type.getRank() == 2)
    shape.push_back(1);
  auto wanted = RankedTensorType::get(shape, builder.getF32Type());
  if (parts.size() > 1 || parts.front().getType() != wanted)
    parts = {ReduceOp::create(builder, value.getLoc(), wanted, parts)};
  return parts.front();
}

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

Value Cotangents::given(OpBuilder &builder, Value value) {
  ArrayRef<Value> parts = contributions_[value];
  bool hasHeads = shapeOf(value).size() > 2;
  return hasHeads && parts.size() == 1 && shapeOf(parts.front()) == shapeOf(value) ? parts.front()
                                                                                   : of(builder, value);
}

/// What scans, maps and windows store for each token is of any type of elements.
static bool isStored(Value part) {
  if (auto adjoint = part.getDefiningOp<ScanAdjointOp>())
    return !llvm::is_contained(adjoint.getInitGradients(), part);
  return isa_and_nonnull<MapOp, WindowAdjointOp>(part.getDefiningOp());
}

/// Whether nothing but the type's elements is left to change, which the op that made the tensor can.
static bool isRoundedWhereMade(Value part, Value value) {
  return isStored(part) && part.use_empty() && shapeOf(part) == shapeOf(value);
}

Value Cotangents::result(OpBuilder &builder, Value value) {
  ArrayRef<Value> parts = contributions_[value];
  // Several are summed in f32, each rounded as the value is: autograd does the same.
  for (Value part : parts)
    if (isRoundedWhereMade(part, value))
      part.setType(value.getType());
  if (parts.size() == 1 && parts.front().getType() == value.getType() &&
      isa_and_nonnull<ScanAdjointOp, MapOp, WindowAdjointOp>(parts.front().getDefiningOp()))
    return parts.front();
  return parts.empty() ? Value() : Value(ReduceOp::create(builder, value.getLoc(), value.getType(), parts));
}
