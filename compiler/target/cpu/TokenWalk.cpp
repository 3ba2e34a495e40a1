// Blocks that walk the tokens keep step with each other.
//
// A block of a scan walks all tokens of one head. Heads lie side by side in memory, so that one head after
// the other crosses every page once a head and uses a part of it only. The blocks that a thread is given are
// therefore walked together: a stretch of the tokens for each of them, then the next stretch. What a block
// carries from token to token waits in a slot of its own meanwhile; all else is computed anew for each
// stretch.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

/// Opens the loops over blocks and leaves the insertion point in the innermost.
void KernelLowering::openBlockLoops(Value first, Value last, mlir::Block &body) {
  scf::ForOp walk = findTokenWalk(body);
  if (walk)
    blocksTogether_ =
        std::clamp<int64_t>(slotBytes / std::max<int64_t>(carriedBytes(walk), 1), 1, mostTogether);
  auto open = [&](Value from, Value to, int64_t step) {
    auto loop = scf::ForOp::create(builder_, location_, from, to, index(step));
    builder_.setInsertionPoint(loop.getBody()->getTerminator());
    return loop;
  };
  scf::ForOp outermost = open(first, last, blocksTogether_);
  blockLoop_ = outermost;
  blockId_ = outermost.getInductionVar();
  if (blocksTogether_ == 1)
    return;

  Stretch stretch;
  stretch.walk = walk;
  Value group = outermost.getInductionVar();
  Value end = arith::MinSIOp::create(builder_, location_, add(group, blocksTogether_), last);
  Value tokens = memref::DimOp::create(
      builder_, location_, memrefOf(walk.getUpperBound().getDefiningOp<tensor::DimOp>().getSource()),
      index(1));
  int64_t length = roundUp(stretchTokens, *getConstantIntValue(walk.getStep()));
  // Without tokens there is one stretch all the same: states pass through.
  Value atLeastOne = arith::MaxSIOp::create(builder_, location_, tokens, index(1));
  stretch.from = open(index(0), atLeastOne, length).getInductionVar();
  Value after = add(stretch.from, length);
  stretch.to = arith::MinSIOp::create(builder_, location_, after, tokens);
  auto compare = [&](arith::CmpIPredicate predicate, Value lhs, Value rhs) {
    return arith::CmpIOp::create(builder_, location_, predicate, lhs, rhs);
  };
  stretch.isFirst = compare(arith::CmpIPredicate::eq, stretch.from, index(0));
  stretch.isLast = compare(arith::CmpIPredicate::sge, after, tokens);
  stretch.firstBlock = group;
  stretch.lastBlock = end;
  blockId_ = open(group, end, 1).getInductionVar();
  stretch.slot = arith::SubIOp::create(builder_, location_, blockId_, group);
  stretch_ = stretch;
}

/// A carried scalar at the start of the stretch: `init` in the first one, then what its slot holds.
Value KernelLowering::resumeScalar(Value init, SmallVectorImpl<Value> &slots) {
  Value slot = slots.emplace_back(allocateSlot(slotOf(init.getType()), Layout::rows).memref);
  guarded(stretch_.isFirst, [&] { memref::StoreOp::create(builder_, location_, init, slot, index(0)); });
  return memref::LoadOp::create(builder_, location_, slot, index(0));
}
