#include "compiler/interpreter/Step.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;
using pattern::StepValue;

static StepValue zeroOf(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return StepValue::filled(tensor.getShape().vec(), 0);
  return StepValue::scalar(0);
}

Step::Step(Block &block, unsigned invariants) {
  auto slotFor = [&](Value value) {
    slots_[value] = values_.size();
    values_.push_back(zeroOf(value.getType()));
    return unsigned(values_.size() - 1);
  };
  for (BlockArgument argument : block.getArguments())
    slotFor(argument);
  std::vector<bool> invariant(values_.size(), false);
  std::fill_n(invariant.begin(), invariants, true);
  for (Operation &op : block.without_terminator()) {
    Instruction instruction{cast<pattern::StepOp>(op), {}, 0, {}};
    bool once = !isa<pattern::LagOp>(op);
    for (Value operand : op.getOperands()) {
      instruction.operandSlots.push_back(slots_.lookup(operand));
      once &= invariant[instruction.operandSlots.back()];
    }
    instruction.operands.resize(op.getNumOperands());
    instruction.resultSlot = slotFor(op.getResult(0));
    invariant.push_back(once);
    (once ? perHead_ : perToken_).push_back(std::move(instruction));
  }
}

std::optional<Violation> Step::evaluate(Instruction &instruction, LagReader readLag) {
  for (auto [operand, slot] : llvm::zip(instruction.operands, instruction.operandSlots))
    operand = values_[slot];
  StepValue &result = values_[instruction.resultSlot];
  Operation *op = instruction.op;
  if (auto lag = dyn_cast<pattern::LagOp>(op)) {
    readLag(lag, instruction.operands.size() > 1 ? &instruction.operands[1] : nullptr, result);
    return {};
  }
  result = instruction.op.evaluate(instruction.operands);
  if (auto assume = dyn_cast<pattern::AssumeOp>(op)) {
    double low = assume.getMinimum().convertToDouble(), high = assume.getMaximum().convertToDouble();
    for (double element : result.elements) {
      // What holds in exact arithmetic may miss its bound by the rounding of fp64.
      double slack = 1e-12 * std::max(1.0, std::abs(element));
      if (!(element >= low - slack && element <= high + slack))
        return Violation{assume, element};
    }
  }
  return {};
}

std::optional<Violation> Step::startHead() {
  for (Instruction &instruction : perHead_)
    if (auto violation = evaluate(instruction, {}))
      return violation;
  return {};
}

std::optional<Violation> Step::evaluate(LagReader readLag) {
  for (Instruction &instruction : perToken_)
    if (auto violation = evaluate(instruction, readLag))
      return violation;
  return {};
}
