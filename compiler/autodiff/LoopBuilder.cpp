#include "compiler/autodiff/LoopBuilder.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

static RankedTensorType withLeading(SmallVector<int64_t> shape, Type slice, Type element) {
  if (auto tensor = dyn_cast<RankedTensorType>(slice))
    llvm::append_range(shape, tensor.getShape());
  return RankedTensorType::get(shape, element ? element : getElementTypeOrSelf(slice));
}

RankedTensorType autodiff::tokensOf(int64_t heads, Type slice, Type element) {
  return withLeading({ShapedType::kDynamic, ShapedType::kDynamic, heads}, slice, element);
}

LoopBuilder::LoopBuilder(OpBuilder &at, Location location, LoopWalk walk)
    : at_(at), walk_(walk), block_(&region_.emplaceBlock()), step_(location, at.getContext()) {
  step_.setInsertionPointToEnd(block_);
}

Value LoopBuilder::param(Value tensor) {
  for (auto [index, known] : llvm::enumerate(params_))
    if (known == tensor)
      return block_->getArgument(index);
  params_.push_back(tensor);
  return block_->insertArgument(params_.size() - 1, sliceType(cast<RankedTensorType>(tensor.getType()), 1),
                                tensor.getLoc());
}

Value LoopBuilder::token(Value tensor, Value tail) {
  for (auto [index, known] : llvm::enumerate(tokens_))
    if (known.tensor == tensor && known.tail == tail)
      return block_->getArgument(params_.size() + index);
  tokens_.push_back({tensor, tail});
  return block_->insertArgument(params_.size() + tokens_.size() - 1,
                                sliceType(cast<RankedTensorType>(tensor.getType()), 3), tensor.getLoc());
}

unsigned LoopBuilder::addOutput(Value value, Type element) {
  outputs_.push_back(value);
  types_.push_back(tokensOf(walk_.heads, value.getType(), element));
  return outputs_.size() - 1;
}

unsigned LoopBuilder::addSum(Value value) {
  sums_.push_back(value);
  return sums_.size() - 1;
}

Operation *LoopBuilder::create() {
  if (outputs_.empty() && sums_.empty())
    return nullptr;
  if (tokens_.empty())
    token(walk_.like);
  SmallVector<Value> tensors, tails, states;
  SmallVector<int64_t> tailOwners;
  SmallVector<Type> types(types_), tailTypes;
  for (auto [index, entry] : llvm::enumerate(tokens_)) {
    tensors.push_back(entry.tensor);
    if (entry.tail) {
      tails.push_back(entry.tail);
      tailOwners.push_back(index);
      tailTypes.push_back(entry.tail.getType());
    }
  }
  for (Value value : sums_) {
    Value before = block_->addArgument(value.getType(), value.getLoc());
    states.push_back(step_.add(before, value));
    types.push_back(withLeading({ShapedType::kDynamic, walk_.heads}, value.getType(), {}));
  }
  types.append(tailTypes);
  YieldOp::create(step_, outputs_, states);

  OperationState state(step_.getLoc(),
                       sums_.empty() ? MapOp::getOperationName() : ScanOp::getOperationName());
  SmallVector<int32_t> sizes;
  auto addOperands = [&](ValueRange values) {
    sizes.push_back(values.size());
    state.addOperands(values);
  };
  addOperands(params_);
  addOperands(tensors);
  addOperands(tails);
  addOperands({}); // initial values
  addOperands(walk_.order ? ValueRange(walk_.order) : ValueRange());
  addOperands(walk_.sequences ? ValueRange(walk_.sequences) : ValueRange());
  for (int clause = 0; clause < 3; ++clause) // segments and masks
    addOperands({});
  state.addTypes(types);
  state.addAttribute("operandSegmentSizes", at_.getDenseI32ArrayAttr(sizes));
  state.addAttribute(
      "resultSegmentSizes",
      at_.getDenseI32ArrayAttr({int32_t(outputs_.size()), int32_t(sums_.size()), int32_t(tails.size())}));
  if (walk_.reverse)
    state.addAttribute("reverse", at_.getUnitAttr());
  if (!tailOwners.empty())
    state.addAttribute("tail_owners", at_.getDenseI64ArrayAttr(tailOwners));
  state.addRegion()->takeBody(region_);
  return loop_ = at_.create(state);
}
