// mark-prefetches: which rows a kernel's loops ask for an iteration ahead.
//
// A core's own prefetcher follows rows that lie together, but neither those of one head among others nor
// those of an order. Marked are, in the body of a loop, the first load or store of each operand whose rows
// are a range that the loop moves. How the rows are asked for is Prefetch.cpp's.
#include "compiler/target/cpu/KernelLowering.h"
#include "compiler/target/cpu/TargetCPU.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Elements of tokens that follow each other share lines, which arrive by themselves.
static bool arrivesByItself(const Access &access, tile::RangeOp rows) {
  return !rows.getOrder() && cast<RankedTensorType>(access.memory.getType()).getRank() < 4;
}

static void markBody(scf::ForOp loop) {
  llvm::DenseSet<Value> asked;
  for (Operation &op : *loop.getBody()) {
    if (!isa<tile::LoadOp, tile::StoreOp>(op) || rankOf(Access::of(&op).tile) == 0)
      continue;
    Access access = Access::of(&op);
    Value index = access.rowIndex();
    auto rows = index ? index.getDefiningOp<tile::RangeOp>() : tile::RangeOp();
    if (rows && rows->getBlock() == loop.getBody() && !arrivesByItself(access, rows) &&
        asked.insert(access.memory).second)
      op.setAttr(prefetchMark, UnitAttr::get(op.getContext()));
  }
}

void linmu::cpu::markPrefetches(tile::KernelOp kernel) {
  kernel.walk([](scf::ForOp loop) { markBody(loop); });
}
