// Prefetches, spread over the products of the same block.
//
// A core keeps few cache misses in flight. Asked for at once, the rows of a whole chunk fill that queue, and
// the core's own loads wait behind them; asked for a row at a time with the register blocks of a product,
// they arrive while it computes. So a prefetch is kept back where it stands, and each loop nest that computes
// products takes the share that its products have of the work left in the block.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

// Lines that are asked for at once, where a row has so many.
static constexpr int64_t mostLines = 4;

/// Multiplications of one product.
static int64_t workOf(tile::DotOp dot) {
  ArrayRef<int64_t> lhs = shapeOf(dot.getLhs());
  return lhs[0] * lhs[1] * shapeOf(dot.getResult())[1];
}

/// Multiplications of the products that computing blocks of `tile` in place repeats.
int64_t KernelLowering::inlinedWork(Value tile) {
  if (rankOf(tile.getType()) != 2 || findAny(tile))
    return 0;
  Operation *op = tile.getDefiningOp();
  if (auto dot = dyn_cast_if_present<tile::DotOp>(op))
    return workOf(dot) + (dot.getInit() ? inlinedWork(dot.getInit()) : 0);
  int64_t work = 0;
  if (isElementwise(op))
    for (Value operand : op->getOperands())
      work += inlinedWork(operand);
  return work;
}

//===------------------------------------------------------------------------------------------------===//
// The next iteration
//===------------------------------------------------------------------------------------------------===//

/// Where this thread is in the iteration after this one, as values of the loop's variable and of the block's
/// number.
void KernelLowering::enterIteration(scf::ForOp source, Value position) {
  ahead_.clear();
  aheadRows_.clear();
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
  ahead_.try_emplace(source.getInductionVar(), next);
  aheadBlock_ = block;
}

/// A scalar, or element `at` of a rank-1 tile, in the next iteration.
Value KernelLowering::ahead(Value value, Value at) {
  if (Value known = ahead_.lookup(value))
    return known;
  Operation *op = value.getDefiningOp();
  if (!op || isa<tensor::DimOp, tile::BlockCountOp>(op))
    return scalarOf(value); // the same for all
  if (isa<tile::BlockIdOp>(op))
    return aheadBlock_;
  bool isTile = rankOf(value.getType()) > 0;
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
    return isTile ? scalar(value, at) : scalarOf(value);
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

/// An index of a load, prefetch or store in the next iteration.
Value KernelLowering::aheadIndex(Value index, Value at) {
  Value value = ahead(index, at);
  if (value.getType().isIndex())
    return value;
  return arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(), value);
}

/// A buffer of the row numbers of the next iteration, shared by all that ask for the same rows.
Value KernelLowering::rowsAhead(Value rows) {
  Value &known = aheadRows_[rows];
  if (known)
    return known;
  int64_t count = shapeOf(rows)[0];
  auto type = RankedTensorType::get({count}, builder_.getI64Type());
  known = allocate(type, Layout::rows).memref;
  loop(0, count, 1, [&](Value at) {
    Value row = arith::IndexCastOp::create(builder_, location_, builder_.getI64Type(), aheadIndex(rows, at));
    memref::StoreOp::create(builder_, location_, row, known, at);
  });
  return known;
}

//===------------------------------------------------------------------------------------------------===//
// Turns
//===------------------------------------------------------------------------------------------------===//

void KernelLowering::lowerPrefetch(tile::PrefetchOp op) {
  if (pendingPrefetches_.empty()) {
    workLeft_ = 0;
    for (Operation *later = op->getNextNode(); later; later = later->getNextNode())
      if (auto dot = dyn_cast<tile::DotOp>(later))
        workLeft_ += workOf(dot);
  }
  SmallVector<Value> indices;
  for (Value index : op.getIndices())
    indices.push_back(rankOf(index.getType()) ? rowsAhead(index) : aheadIndex(index, {}));
  auto rows = llvm::find_if(op.getIndices(), [](Value index) { return rankOf(index.getType()) == 1; });
  auto type = cast<MemRefType>(memrefOf(op.getSource()).getType());
  bool hasFeatures = type.getRank() > int64_t(indices.size());
  int64_t line = 64 * 8 / type.getElementTypeBitWidth();
  int64_t lines = hasFeatures ? roundUp(type.getShape().back(), line) / line : 1;
  // Turns of one size end where the row does.
  int64_t linesPerTurn = mostLines;
  while (lines % linesPerTurn)
    --linesPerTurn;
  int64_t turnsPerRow = lines / linesPerTurn;
  pendingPrefetches_.push_back(
      {op, indices, hasFeatures, line, linesPerTurn, turnsPerRow, shapeOf(*rows)[0] * turnsPerRow, 0});
}

/// Asks for a part of a row; parts of one row follow each other.
void KernelLowering::prefetchPart(const Prefetch &prefetch, Value turn) {
  Value turnsPerRow = index(prefetch.turnsPerRow);
  Value row = arith::DivUIOp::create(builder_, location_, turn, turnsPerRow);
  Value part = arith::RemUIOp::create(builder_, location_, turn, turnsPerRow);
  tile::PrefetchOp op = prefetch.op;
  Value memory = memrefOf(op.getSource());
  SmallVector<Value> indices;
  for (Value index : prefetch.indices) {
    if (isa<MemRefType>(index.getType()))
      index = arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                         memref::LoadOp::create(builder_, location_, index, row));
    indices.push_back(index);
  }
  if (prefetch.hasFeatures)
    indices.push_back({});
  for (int64_t line = 0; line < prefetch.linesPerTurn; ++line) {
    if (prefetch.hasFeatures)
      indices.back() = add(multiply(part, prefetch.linesPerTurn * prefetch.line), line * prefetch.line);
    memref::PrefetchOp::create(builder_, location_, memory, indices, op.getForStore(), /*localityHint=*/2,
                               /*isDataCache=*/true);
  }
}

/// What a loop nest of `blocks` register blocks takes that computes `tile`.
SmallVector<KernelLowering::PrefetchShare> KernelLowering::takePrefetches(Value tile, int64_t blocks) {
  SmallVector<PrefetchShare> shares;
  int64_t work = pendingPrefetches_.empty() ? 0 : inlinedWork(tile);
  if (work == 0)
    return shares;
  int64_t left = 0;
  for (const Prefetch &prefetch : pendingPrefetches_)
    left += prefetch.turns - prefetch.taken;
  int64_t wanted = work >= workLeft_ ? left : left * work / workLeft_;
  workLeft_ -= work;
  for (Prefetch &prefetch : pendingPrefetches_) {
    int64_t turns = std::min(wanted, prefetch.turns - prefetch.taken);
    if (turns == 0)
      continue;
    // Whole turns a block, or one every few blocks.
    int64_t perBlock = (turns + blocks - 1) / blocks, every = std::max<int64_t>(1, blocks / turns);
    turns = std::min(perBlock * blocks, prefetch.turns - prefetch.taken);
    shares.push_back({prefetch, prefetch.taken, turns, perBlock, every});
    prefetch.taken += turns;
    wanted = std::max<int64_t>(0, wanted - turns);
  }
  llvm::erase_if(pendingPrefetches_,
                 [](const Prefetch &prefetch) { return prefetch.taken == prefetch.turns; });
  return shares;
}

/// The prefetches that go with block `number` of a nest.
void KernelLowering::emitPrefetches(ArrayRef<PrefetchShare> shares, Value number) {
  for (const PrefetchShare &share : shares) {
    auto emit = [&](Value at) {
      Value first = multiply(at, share.perBlock);
      for (int64_t turn = 0; turn < share.perBlock; ++turn) {
        Value inShare = arith::MinUIOp::create(builder_, location_, add(first, turn), index(share.turns - 1));
        prefetchPart(share.prefetch, add(inShare, share.first));
      }
    };
    if (share.every == 1) {
      emit(number);
      continue;
    }
    Value every = index(share.every);
    Value rest = arith::RemUIOp::create(builder_, location_, number, every);
    Value due = arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, rest, index(0));
    guarded(due, [&] { emit(arith::DivUIOp::create(builder_, location_, number, every)); });
  }
}

/// What no product took.
void KernelLowering::flushPrefetches() {
  for (const Prefetch &prefetch : pendingPrefetches_)
    loop(prefetch.taken, prefetch.turns, 1, [&](Value turn) { prefetchPart(prefetch, turn); });
  pendingPrefetches_.clear();
}
