#include "dialects/pattern/TokenLoop.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace linmu::pattern;

Value linmu::pattern::lookupIndexed(ArrayRef<int64_t> of, OperandRange operands, int64_t wanted) {
  for (auto [index, owner] : llvm::enumerate(of))
    if (owner == wanted)
      return operands[index];
  return {};
}

int64_t linmu::pattern::headsOf(ResultRange outputs, ResultRange finals) {
  if (!outputs.empty())
    if (auto type = cast<RankedTensorType>(outputs.front().getType()); type.getRank() >= 3)
      return type.getDimSize(2);
  if (!finals.empty())
    if (auto type = cast<RankedTensorType>(finals.front().getType()); type.getRank() >= 2)
      return type.getDimSize(1);
  return 0;
}

int64_t ScanOp::getHeads() { return headsOf(getOutputs(), getFinals()); }
YieldOp ScanOp::getYield() { return cast<YieldOp>(getBody().getTerminator()); }
ArrayRef<BlockArgument> ScanOp::getParamArguments() {
  return getBody().getArguments().take_front(getParams().size());
}
ArrayRef<BlockArgument> ScanOp::getTokenArguments() {
  return getBody().getArguments().slice(getParams().size(), getTokens().size());
}
ArrayRef<BlockArgument> ScanOp::getStateArguments() {
  return getBody().getArguments().drop_front(getParams().size() + getTokens().size());
}
Value ScanOp::getTailOf(unsigned token) { return lookupIndexed(getTailOwners(), getTails(), token); }
Value ScanOp::getInitOf(unsigned state) { return lookupIndexed(getInitOwners(), getInits(), state); }

int64_t MapOp::getHeads() { return headsOf(getOutputs(), getFinals()); }
YieldOp MapOp::getYield() { return cast<YieldOp>(getBody().getTerminator()); }
ArrayRef<BlockArgument> MapOp::getParamArguments() {
  return getBody().getArguments().take_front(getParams().size());
}
ArrayRef<BlockArgument> MapOp::getTokenArguments() {
  return getBody().getArguments().slice(getParams().size(), getTokens().size());
}
ArrayRef<BlockArgument> MapOp::getStateArguments() {
  return getBody().getArguments().drop_front(getParams().size() + getTokens().size());
}
Value MapOp::getTailOf(unsigned token) { return lookupIndexed(getTailOwners(), getTails(), token); }
Value MapOp::getInitOf(unsigned state) { return lookupIndexed(getInitOwners(), getInits(), state); }
