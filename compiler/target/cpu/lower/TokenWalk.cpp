#include "compiler/target/cpu/lower/TokenWalk.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

// Tokens of a stretch: so few that the lines beside those asked for, which a core fetches by itself, are
// still there when the next block comes to them; so many that a state's way through the L2 cache does not
// show.
static constexpr int64_t stretchTokens = 64;

// The slots share a core's L2 cache with the rows of a stretch.
static constexpr int64_t slotBytes = 256 << 10;
static constexpr int64_t mostTogether = 16;

/// The kernel's only loop, if it goes from 0 to the number of tokens by constant steps and what stands before
/// it may be done once a stretch.
static scf::ForOp findTokenWalk(mlir::Block &body) {
  auto loops = body.getOps<scf::ForOp>();
  if (std::distance(loops.begin(), loops.end()) != 1)
    return {};
  scf::ForOp loop = *loops.begin();
  auto dim = loop.getUpperBound().getDefiningOp<tensor::DimOp>();
  if (!dim || !isa<BlockArgument>(dim.getSource()) || dim.getConstantIndex() != 1 ||
      getConstantIntValue(loop.getLowerBound()) != 0 || !getConstantIntValue(loop.getStep()))
    return {};
  for (Operation &before : body) {
    if (&before == loop)
      break;
    if (before.getNumRegions() || isa<tile::StoreOp>(before))
      return {};
  }
  return loop;
}

/// What a carried scalar is in its slot.
static Type slotOf(Type carried) { return rankOf(carried) ? carried : RankedTensorType::get({1}, carried); }

/// Bytes of what the loop carries from one iteration to the next.
static int64_t carriedBytes(scf::ForOp loop) {
  int64_t bytes = 0;
  for (Value carried : loop.getRegionIterArgs())
    bytes += bytesOf(bufferType(slotOf(carried.getType()), Layout::rows));
  return bytes;
}

scf::ForOp TokenWalk::open(Value from, Value to, int64_t step) {
  Emit &emit = kernel_.emit;
  auto loop = scf::ForOp::create(emit, from, to, emit.index(step));
  emit.setInsertionPoint(loop.getBody()->getTerminator());
  return loop;
}

void TokenWalk::openBlockLoops(Value first, Value last, Value workspace, mlir::Block &body) {
  Emit &emit = kernel_.emit;
  scf::ForOp walk = findTokenWalk(body);
  if (walk)
    blocksTogether_ =
        std::clamp<int64_t>(slotBytes / std::max<int64_t>(carriedBytes(walk), 1), 1, mostTogether);
  scf::ForOp outermost = open(first, last, blocksTogether_);
  kernel_.buffers.placeViewsBefore(outermost, workspace);
  kernel_.block = outermost.getInductionVar();
  if (blocksTogether_ == 1)
    return;

  loop_ = walk;
  Value group = outermost.getInductionVar();
  Value end = arith::MinSIOp::create(emit, emit.add(group, blocksTogether_), last);
  Value counted = walk.getUpperBound().getDefiningOp<tensor::DimOp>().getSource();
  Value tokens = memref::DimOp::create(emit, kernel_.memory(counted), emit.index(1));
  int64_t length = roundUp(stretchTokens, *getConstantIntValue(walk.getStep()));
  // Without tokens there is one stretch all the same: states pass through.
  Value atLeastOne = arith::MaxSIOp::create(emit, tokens, emit.index(1));
  stretch_.from = open(emit.index(0), atLeastOne, length).getInductionVar();
  Value after = emit.add(stretch_.from, length);
  stretch_.to = arith::MinSIOp::create(emit, after, tokens);
  stretch_.isFirst = emit.compare(arith::CmpIPredicate::eq, stretch_.from, emit.index(0));
  stretch_.isLast = emit.compare(arith::CmpIPredicate::sge, after, tokens);
  stretch_.firstBlock = group;
  stretch_.lastBlock = end;
  kernel_.block = open(group, end, 1).getInductionVar();
  stretch_.slot = arith::SubIOp::create(emit, kernel_.block, group);
}

Buffer TokenWalk::allocateSlot(Type tile, Layout layout) {
  return kernel_.buffers.allocateSlot(tile, layout, stretch_.slot, blocksTogether_);
}

Value TokenWalk::resumeScalar(Value init, SmallVectorImpl<Value> &slots) {
  Emit &emit = kernel_.emit;
  Value slot = slots.emplace_back(allocateSlot(slotOf(init.getType()), Layout::rows).memref);
  emit.guarded(stretch_.isFirst,
               [&] { memref::StoreOp::create(emit, emit.toStored(init), slot, emit.index(0)); });
  return emit.fromStored(memref::LoadOp::create(emit, slot, emit.index(0)), init.getType());
}
