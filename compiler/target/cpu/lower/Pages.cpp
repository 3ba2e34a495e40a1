#include "compiler/target/cpu/lower/Pages.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

// The smallest of x86-64 and AArch64.
static constexpr int64_t pageBytes = 4096;

// Multiplications between two rows that are asked for, above which their pages are not looked up together
// anyway: a core reads on past a row that it waits for, until its queue of loads is full.
static constexpr int64_t workApart = 1000;

/// Whether memory tells which rows they are.
static bool isScattered(const Access &access) {
  auto range = access.rowIndex().getDefiningOp<tile::RangeOp>();
  return range && range.getOrder();
}

/// The loads and stores of a walk by `chunk` tokens whose rows are scattered.
static SmallVector<Operation *> scatteredRows(scf::ForOp walk, int64_t chunk) {
  SmallVector<Operation *> result;
  for (Operation &op : *walk.getBody())
    if (op.hasAttr(prefetchMark))
      if (Access access = Access::of(&op);
          access.rows() == chunk && !access.isElements() && isScattered(access))
        result.push_back(&op);
  return result;
}

void linmu::cpu::touchPages(Lowering &lowering) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  scf::ForOp walk = lowering.walk.loop();
  const TokenWalk::Stretch &stretch = lowering.walk.stretch();
  int64_t chunk = *getConstantIntValue(walk.getStep());
  SmallVector<Operation *> operands = scatteredRows(walk, chunk);
  if (operands.empty() || workOf(*walk.getBody()) < int64_t(operands.size()) * chunk * workApart)
    return;
  auto touchRow = [&](Operation *op, Value position, Value row) {
    int64_t bytes = Access::of(op).rowBytes();
    auto touch = [&](Value block, int64_t byte) {
      lowering.next.moveTo(walk, position, block);
      lowering.prefetcher.prefetch(emit.add(lowering.next.addressOf(op, row), byte));
    };
    // Heads side by side: the first, one in each page between, and the end of the last.
    touch(stretch.firstBlock, 0);
    if (int64_t ofPage = std::max<int64_t>(1, pageBytes / bytes); ofPage < lowering.walk.blocksTogether())
      emit.loop(emit.add(stretch.firstBlock, ofPage), stretch.lastBlock, ofPage,
                [&](Value block) { touch(block, 0); });
    touch(emit.add(stretch.lastBlock, -1), bytes - 1);
  };
  emit.guarded(emit.compare(arith::CmpIPredicate::eq, kernel.block, stretch.firstBlock), [&] {
    Value length = arith::SubIOp::create(emit, stretch.to, stretch.from);
    Value after = emit.add(stretch.to, length);
    Value end = arith::MinSIOp::create(emit, after, kernel.scalar(walk.getUpperBound()));
    emit.loop(stretch.to, end, chunk, [&](Value position) {
      emit.loop(0, chunk, 1, [&](Value row) {
        for (Operation *op : operands)
          touchRow(op, position, row);
      });
    });
  });
}
