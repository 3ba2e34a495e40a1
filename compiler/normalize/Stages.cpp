#include "compiler/normalize/Stages.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace linmu;

Value Slicer::clone(Value value) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  Operation *op = value.getDefiningOp();
  assert(op && "every argument is mapped");
  for (Value operand : op->getOperands())
    clone(operand);
  OpBuilder builder = OpBuilder::atBlockEnd(&target);
  Value result = builder.clone(*op, mapping)->getResult(0);
  if (isa<arith::MulFOp>(op))
    for (unsigned side : {0, 1})
      if (Value read = op->getOperand(1 - side); !analysis_.reads().dependencies(read).empty())
        for (const Choice &choice : analysis_.forms().choicesIn(op->getOperand(side)))
          mapping.map(value, result = chosen(result, choice, read));
  return result;
}

/// What was read of a state that is left out may be no number, and zero times that is none either.
Value Slicer::chosen(Value product, const Choice &choice, Value read) {
  Value condition = clone(choice.condition), zero = nothingOf(read, product);
  OpBuilder builder = OpBuilder::atBlockEnd(&target);
  return arith::SelectOp::create(builder, product.getLoc(), condition, choice.holds ? product : zero,
                                 choice.holds ? zero : product);
}

/// What the keys of a read give of a state of zeros: zero, or no number.
Value Slicer::nothingOf(Value read, Value like) {
  Location location = like.getLoc();
  auto zeros = [&](Type type) -> Value {
    OpBuilder builder = OpBuilder::atBlockEnd(&target);
    return arith::ConstantOp::create(builder, location, builder.getZeroAttr(type));
  };
  Value sum = zeros(like.getType());
  for (Value key : analysis_.reads().keysIn(read)) {
    Value own = clone(key), none = zeros(own.getType());
    OpBuilder builder = OpBuilder::atBlockEnd(&target);
    Value product = pattern::DotOp::create(builder, location, builder.getF32Type(), own, none);
    if (isa<RankedTensorType>(like.getType()))
      product = pattern::BroadcastOp::create(builder, location, like.getType(), product, IntegerAttr());
    sum = arith::AddFOp::create(builder, location, sum, product);
  }
  return sum;
}

SmallVector<GroupWrite> linmu::writesOf(AffineAnalysis &analysis, ArrayRef<unsigned> group) {
  SmallVector<GroupWrite> writes;
  for (auto [place, state] : llvm::enumerate(group)) {
    const StateForm &form = analysis.states()[state];
    for (auto [index, write] : llvm::enumerate(form.writes)) {
      auto same = llvm::find_if(writes, [&, &write = write](const GroupWrite &other) {
        return other.write->key == write.key && other.write->value == write.value &&
               !llvm::is_contained(other.to, int64_t(place));
      });
      if (same != writes.end())
        same->to.push_back(place);
      else
        writes.push_back({&write, form.valueType, form.free[index], form.feedback[index], {int64_t(place)}});
    }
  }
  return writes;
}

void linmu::buildForm(AffineAnalysis &analysis, ArrayRef<unsigned> group, ArrayRef<SmallVector<bool>> needed,
                      Slicer &slicer, Location location) {
  const StateForm &first = analysis.states()[group.front()];
  SmallVector<Value> reads, keys, values, feedback, coupling;
  SmallVector<int64_t> feedbackIndex, couplingIndex, readStates, writeStates;
  SmallVector<bool> inclusive;
  llvm::DenseMap<Value, int64_t> placeOf; ///< of a read, by its symbol
  auto optional = [&](Value value) { return value ? slicer.clone(value) : Value(); };
  bool coupled = group.size() > 1;
  Value decay = optional(first.decay), valueDecay = optional(first.valueDecay);
  Value sign = optional(first.sign), valueSign = optional(first.valueSign);
  for (auto [place, state] : llvm::enumerate(group))
    for (auto [index, read] : llvm::enumerate(analysis.states()[state].reads))
      if (needed[state][index]) {
        placeOf[read.symbol] = reads.size();
        reads.push_back(slicer.clone(read.key));
        inclusive.push_back(read.inclusive);
        if (coupled)
          readStates.push_back(place);
      }
  for (auto [number, write] : llvm::enumerate(writesOf(analysis, group))) {
    keys.push_back(slicer.clone(write.write->key));
    values.push_back(slicer.clone(write.free));
    for (auto [read, coefficient] : write.feedback) {
      feedback.push_back(slicer.clone(coefficient));
      feedbackIndex.append({int64_t(number), placeOf.at(read)});
    }
    for (int64_t place : write.to)
      if (coupled)
        writeStates.append({int64_t(number), place});
  }
  for (auto [place, state] : llvm::enumerate(group))
    for (auto [other, factor] : analysis.states()[state].coupling) {
      coupling.push_back(slicer.clone(factor));
      couplingIndex.append({int64_t(place), int64_t(llvm::find(group, other) - group.begin())});
    }
  OpBuilder end = OpBuilder::atBlockEnd(&slicer.target);
  pattern::FormOp::create(end, location, decay, valueDecay, reads, keys, values, feedback, coupling, sign,
                          valueSign, feedbackIndex, inclusive, first.keyAxis, group.size(), couplingIndex,
                          readStates, writeStates);
}
