// mark-prefetches: which rows a kernel's loops ask for an iteration ahead. How they are asked for is
// lower/Prefetcher.h's.
#include "compiler/target/cpu/Access.h"
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/buffers/Layout.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

namespace linmu::cpu {
#define GEN_PASS_DEF_MARKPREFETCHES
#include "compiler/target/cpu/Passes.h.inc"
} // namespace linmu::cpu

/// Elements of tokens that follow each other share lines, which arrive by themselves.
static bool arrivesByItself(const Access &access, tile::RangeOp rows) {
  return !rows.getOrder() && cast<RankedTensorType>(access.memory.getType()).getRank() < 4;
}

/// Whether the loop moves the rows of the operand, and no core follows them by itself.
static bool isWorthAsking(scf::ForOp loop, const Access &access) {
  Value index = access.rowIndex();
  auto rows = index ? index.getDefiningOp<tile::RangeOp>() : tile::RangeOp();
  return rows && rows->getBlock() == loop.getBody() && !arrivesByItself(access, rows);
}

namespace {
struct MarkPrefetches : linmu::cpu::impl::MarkPrefetchesBase<MarkPrefetches> {
  using MarkPrefetchesBase::MarkPrefetchesBase;

  void runOnOperation() override {
    getOperation().walk([&](scf::ForOp loop) { markBody(loop); });
  }

private:
  void markBody(scf::ForOp loop) {
    llvm::DenseSet<Value> asked;
    for (Operation &op : *loop.getBody()) {
      if (!isa<tile::LoadOp, tile::StoreOp>(op) || rankOf(Access::of(&op).tile) == 0)
        continue;
      Access access = Access::of(&op);
      if (isWorthAsking(loop, access) && asked.insert(access.memory).second) {
        op.setAttr(prefetchMark, UnitAttr::get(op.getContext()));
        ++marked;
      }
    }
  }
};
} // namespace
