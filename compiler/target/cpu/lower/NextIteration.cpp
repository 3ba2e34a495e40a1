#include "compiler/target/cpu/lower/NextIteration.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

void NextIteration::enter(scf::ForOp source, Value position) {
  Value step = kernel_.scalar(source.getStep());
  Value next = arith::AddIOp::create(emit_, position, step);
  Value block = kernel_.block;
  if (walk_.is(source)) {
    // The first rows of the next block's stretch; after the last block, those of the first one's next.
    const TokenWalk::Stretch &stretch = walk_.stretch();
    auto select = [&](Value condition, Value yes, Value no) -> Value {
      return arith::SelectOp::create(emit_, condition, yes, no);
    };
    auto less = [&](Value a, Value b) { return emit_.compare(arith::CmpIPredicate::slt, a, b); };
    Value inStretch = less(next, stretch.to), after = emit_.add(block, 1);
    Value inGroup = less(after, stretch.lastBlock);
    next = select(inStretch, next, select(inGroup, stretch.from, stretch.to));
    block = select(inStretch, block, select(inGroup, after, stretch.firstBlock));
  }
  moveTo(source, next, block);
}

void NextIteration::moveTo(scf::ForOp source, Value position, Value block) {
  ahead_.clear();
  ahead_.try_emplace(source.getInductionVar(), position);
  block_ = block;
}

/// A scalar, or element `at` of a rank-1 tile, in that iteration.
Value NextIteration::ahead(Value value, Value at) {
  if (Value known = ahead_.lookup(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op)
    return kernel_.scalar(value); // the same for all
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return memref::DimOp::create(emit_, kernel_.memory(dim.getSource()), ahead(dim.getIndex(), at));
  if (auto count = dyn_cast<tile::BlockCountOp>(op))
    return kernel_.grid[count.getDimension()];
  if (auto id = dyn_cast<tile::BlockIdOp>(op))
    return kernel_.blockPlace(block_, id.getDimension());
  bool isTile = rankOf(value.getType()) > 0;
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
    return isTile ? elementOf(kernel_, value, at) : emit_.clone(*op)->getResult(0);
  if (isa<tile::CoordinateOp>(op))
    return arith::IndexCastOp::create(emit_, emit_.getI32Type(), at);
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    SmallVector<Value> indices;
    Value memory = kernel_.memory(load.getSource());
    for (auto [axis, index] : llvm::enumerate(load.getIndices()))
      indices.push_back(insideOf(memory, axis, aheadIndex(index, at)));
    return memref::LoadOp::create(emit_, memory, indices);
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(ahead(operand, at));
  if (isa<tile::BroadcastOp>(op))
    return operands.front();
  OperationState state(emit_.getLoc(), op->getName(), operands, getElementTypeOrSelf(value.getType()),
                       op->getAttrs());
  state.attributes.erase(buffersAttribute);
  return emit_.insert(Operation::create(state))->getResult(0);
}

/// What is read to find an address is read inside its bounds also where the walk has ended.
Value NextIteration::insideOf(Value memory, int64_t axis, Value index) {
  Value end = memref::DimOp::create(emit_, memory, emit_.index(axis));
  index = arith::MinSIOp::create(emit_, index, emit_.add(end, -1));
  return arith::MaxSIOp::create(emit_, index, emit_.index(0));
}

/// An index of a load or store in that iteration; of its element `at`.
Value NextIteration::aheadIndex(Value index, Value at) {
  auto range = index.getDefiningOp<tile::RangeOp>();
  if (!range) {
    Value value = ahead(index, at);
    return value.getType().isIndex() ? value : emit_.toIndex(value);
  }
  Value position = places_.positionIn(ahead(range.getFirst(), at), range.getBackward(), at);
  if (!range.getOrder())
    return position;
  Value order = kernel_.memory(range.getOrder());
  return emit_.toIndex(memref::LoadOp::create(
      emit_, order, ValueRange{ahead(range.getBatch(), at), insideOf(order, 1, position)}));
}

Value NextIteration::addressOf(Operation *loadOrStore, Value at) {
  Access access = Access::of(loadOrStore);
  Value memory = kernel_.memory(access.memory);
  auto metadata = memref::ExtractStridedMetadataOp::create(emit_, memory);
  Value offset = emit_.index(0);
  for (auto [axis, given] : llvm::enumerate(access.indices)) {
    bool isRow = int64_t(axis) == access.axisOf(0);
    Value place = aheadIndex(given, isRow ? at : emit_.index(0));
    offset = emit_.add(offset, arith::MulIOp::create(emit_, place, metadata.getStrides()[axis]));
  }
  int64_t bytes = cast<MemRefType>(memory.getType()).getElementTypeBitWidth() / 8;
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(emit_, memory);
  return emit_.add(base, emit_.multiply(offset, bytes));
}
