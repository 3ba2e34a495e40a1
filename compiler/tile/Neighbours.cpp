#include "compiler/tile/Neighbours.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <numeric>

using namespace mlir;

/// A number that divides a value, as far as its ops show.
static int64_t divisorOf(Value value, int64_t most) {
  if (auto constant = getConstantIntValue(value))
    return *constant == 0 ? most : std::gcd(*constant, most);
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumOperands() != 2)
    return 1;
  int64_t a = divisorOf(op->getOperand(0), most), b = divisorOf(op->getOperand(1), most);
  if (isa<arith::MulIOp>(op))
    return std::gcd(a * b, most);
  return isa<arith::AddIOp, arith::SubIOp>(op) ? std::gcd(a, b) : 1;
}

int64_t linmu::tile::neighboursOf(RankedTensorType memory, Value index, int64_t most) {
  int64_t last = memory.getRank() - 1;
  if (!index)
    return std::gcd(most, memory.getDimSize(last));
  auto range = index.getDefiningOp<RangeOp>();
  if (!range || range.getBackward() || range.getOrder() || memory.isDynamicDim(last))
    return 1;
  most = std::gcd(divisorOf(range.getFirst(), most), memory.getDimSize(last));
  for (Value border : {range.getFrom(), range.getTo()})
    if (border)
      most = divisorOf(border, most);
  return most;
}

bool linmu::tile::isStored(Value memory) {
  return llvm::any_of(memory.getUsers(), [&](Operation *user) {
    auto store = dyn_cast<StoreOp>(user);
    return store && store.getDestination() == memory;
  });
}

bool linmu::tile::isOfWholeWords(LoadOp load) {
  auto tile = cast<RankedTensorType>(load.getType());
  RankedTensorType memory = load.getSource().getType();
  int64_t last = memory.getRank() - 1, width = tile.getElementTypeBitWidth();
  Value along = last < int64_t(load.getIndices().size()) ? load.getIndices()[last] : Value();
  bool kept = !along || !along.getType().isIndex();
  return kept && width >= 8 && tile.getRank() == 2 && width * tile.getShape().back() >= 32 &&
         neighboursOf(memory, along, 32 / width) * width >= 32;
}
