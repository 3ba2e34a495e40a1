// Scalars and addresses of the iteration that a thread runs next.
//
// What is asked for ahead are the rows that a load or store will touch then. What they depend on is computed
// once more, from where the thread will be.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Where this thread is in the iteration after this one, as values of the loop's variable and of the block's
/// number.
void KernelLowering::enterIteration(scf::ForOp source, Value position) {
  Value step = scalarOf(source.getStep());
  Value next = arith::AddIOp::create(builder_, location_, position, step);
  Value block = blockId_;
  if (source == stretch_.walk) {
    // The first rows of the next block's stretch; after the last block, those of the first one's next.
    auto select = [&](Value condition, Value yes, Value no) -> Value {
      return arith::SelectOp::create(builder_, location_, condition, yes, no);
    };
    auto less = [&](Value a, Value b) -> Value {
      return arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::slt, a, b);
    };
    Value inStretch = less(next, stretch_.to), after = add(blockId_, 1);
    Value inGroup = less(after, stretch_.lastBlock);
    next = select(inStretch, next, select(inGroup, stretch_.from, stretch_.to));
    block = select(inStretch, blockId_, select(inGroup, after, stretch_.firstBlock));
  }
  moveTo(source, next, block);
}

void KernelLowering::moveTo(scf::ForOp source, Value position, Value block) {
  ahead_.clear();
  ahead_.try_emplace(source.getInductionVar(), position);
  aheadBlock_ = block;
}

/// A scalar, or element `at` of a rank-1 tile, in the next iteration.
Value KernelLowering::ahead(Value value, Value at) {
  if (Value known = ahead_.lookup(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op)
    return scalarOf(value); // the same for all
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return memref::DimOp::create(builder_, location_, memrefOf(dim.getSource()), ahead(dim.getIndex(), at));
  if (auto count = dyn_cast<tile::BlockCountOp>(op))
    return grid_[count.getDimension()];
  if (auto id = dyn_cast<tile::BlockIdOp>(op))
    return blockPlace(aheadBlock_, id.getDimension());
  bool isTile = rankOf(value.getType()) > 0;
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
    return isTile ? scalar(value, at) : builder_.clone(*op)->getResult(0);
  if (isa<tile::CoordinateOp>(op))
    return arith::IndexCastOp::create(builder_, location_, builder_.getI32Type(), at);
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    SmallVector<Value> indices;
    for (Value index : load.getIndices())
      indices.push_back(aheadIndex(index, at));
    return memref::LoadOp::create(builder_, location_, memrefOf(load.getSource()), indices);
  }
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(ahead(operand, at));
  if (isa<tile::BroadcastOp>(op))
    return operands.front();
  OperationState state(location_, op->getName(), operands, getElementTypeOrSelf(value.getType()),
                       op->getAttrs());
  return builder_.create(state)->getResult(0);
}

/// An index of a load or store in the next iteration; of its element `at`. An order is read inside its bounds
/// also where the walk has ended.
Value KernelLowering::aheadIndex(Value index, Value at) {
  auto range = index.getDefiningOp<tile::RangeOp>();
  if (!range) {
    Value value = ahead(index, at);
    if (value.getType().isIndex())
      return value;
    return arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(), value);
  }
  Value position = placeIn({ahead(range.getFirst(), at), {}, {}, range.getBackward(), {}}, at);
  if (!range.getOrder())
    return position;
  Value order = memrefOf(range.getOrder());
  Value end = memref::DimOp::create(builder_, location_, order, this->index(1));
  position = arith::MinSIOp::create(builder_, location_, position, add(end, -1));
  position = arith::MaxSIOp::create(builder_, location_, position, this->index(0));
  Value row =
      memref::LoadOp::create(builder_, location_, order, ValueRange{ahead(range.getBatch(), at), position});
  return arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(), row);
}

/// The address of the first element that a load or store touches in its row `at`.
Value KernelLowering::aheadAddress(Operation *op, Value at) {
  Access access = Access::of(op);
  Value memory = memrefOf(access.memory);
  auto metadata = memref::ExtractStridedMetadataOp::create(builder_, location_, memory);
  Value offset = index(0);
  for (auto [axis, given] : llvm::enumerate(access.indices)) {
    bool row = int64_t(axis) == access.axisOf(0);
    Value place = aheadIndex(given, row ? at : index(0));
    offset = add(offset, arith::MulIOp::create(builder_, location_, place, metadata.getStrides()[axis]));
  }
  int64_t bytes = cast<MemRefType>(memory.getType()).getElementTypeBitWidth() / 8;
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(builder_, location_, memory);
  return add(base, multiply(offset, bytes));
}
