#include "compiler/normalize/Diagnosis.h"
#include "compiler/normalize/Symbols.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;

std::string linmu::quotedName(Operation *op) { return ("'" + op->getName().getStringRef() + "'").str(); }

Diagnosis::Diagnosis(pattern::ScanOp scan) : scan_(scan) {
  auto arguments = scan.getStateArguments();
  for (auto [state, argument] : llvm::enumerate(arguments)) {
    behind_[argument] = llvm::BitVector(arguments.size());
    behind_[argument].set(state);
  }
}

bool Diagnosis::fail(const Twine &reason, Operation *at, int ofOrientation) {
  if (opaque_.reason.empty())
    opaque_ = {reason.str(), at, ofOrientation, suspects_};
  return false;
}

llvm::BitVector Diagnosis::statesBehind(ValueRange values) {
  llvm::BitVector behind(scan_.getStateArguments().size());
  for (Value value : values)
    if (auto found = behind_.find(value); found != behind_.end())
      behind |= found->second;
  return behind;
}

void Diagnosis::suspect(ValueRange values, ArrayRef<unsigned> whole) {
  suspects_.assign(whole.begin(), whole.end());
  llvm::BitVector behind = statesBehind(values);
  for (unsigned state : behind.set_bits()) {
    auto tensor = dyn_cast<RankedTensorType>(scan_.getStateArguments()[state].getType());
    if (tensor && tensor.getRank() == 1 && !llvm::is_contained(suspects_, state))
      suspects_.push_back(state);
  }
}

void Diagnosis::follow(Operation &op) {
  llvm::BitVector behind = statesBehind(op.getOperands());
  if (behind.any())
    for (Value result : op.getResults())
      behind_[result] = behind;
}

Operation *Diagnosis::originOf(Value expression, Operation *otherwise) {
  llvm::SetVector<Value> work;
  if (expression)
    work.insert(expression);
  // Breadth first: an expression of the analysis' own is the fault of what it is made of.
  for (size_t next = 0; next < work.size(); ++next) {
    Value value = work[next];
    // Ops that clauses of the scan became stand at the scan.
    if (Operation *origin = madeBy(value); origin && !constantOf(value) && origin->getLoc() != scan_.getLoc())
      return origin;
    if (Operation *op = value.getDefiningOp())
      work.insert(op->operand_begin(), op->operand_end());
  }
  return otherwise;
}
