// Selects that choose a state or leave it out, and what stands beside a state that is left out.
#include "compiler/normalize/Affine.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;

llvm::SmallVector<Choice> AffineAnalysis::choicesIn(Value product) const {
  SmallVector<Choice> result;
  llvm::SetVector<Value> parts;
  parts.insert(product);
  for (size_t next = 0; next < parts.size(); ++next) {
    Operation *op = parts[next].getDefiningOp();
    if (auto choice = choices_.find(parts[next]); choice != choices_.end() && isa<arith::SelectOp>(op))
      result.push_back(choice->second);
    else if (isa_and_nonnull<arith::MulFOp, arith::NegFOp, pattern::BroadcastOp>(op))
      parts.insert(op->operand_begin(), op->operand_end());
    else if (isa_and_nonnull<arith::DivFOp>(op))
      parts.insert(op->getOperand(0));
  }
  return result;
}

llvm::SmallVector<Value> AffineAnalysis::keysIn(Value value) {
  SmallVector<Value> result;
  llvm::SetVector<Value> parts;
  parts.insert(value);
  for (size_t next = 0; next < parts.size(); ++next) {
    if (auto read = readOf_.find(parts[next]); read != readOf_.end()) {
      const StateForm &form = states_[read->second.first];
      Value key = form.reads[read->second.second].key;
      if (form.keyAxis >= 0 && isa<RankedTensorType>(key.getType()) && dependencies(key).empty())
        result.push_back(key);
    } else if (Operation *op = parts[next].getDefiningOp()) {
      parts.insert(op->operand_begin(), op->operand_end());
    }
  }
  return result;
}
