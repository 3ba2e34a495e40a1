// Pages of scattered rows, looked up together.
//
// Rows of an order lie in pages of their own, and a core that finds a page in none of its tables can look up
// few others meanwhile and finishes nothing that comes after. In a virtual machine a look-up takes two walks
// of tables that were pushed out of the caches by the rows themselves. Asked for one by one between products
// they would all be waited for; so the pages of a stretch are touched in one go, when the stretch before it
// begins.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

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

/// Touches the pages of the rows that the blocks of this group need in the next stretch, with its first
/// block.
void KernelLowering::touchPages(scf::ForOp walk) {
  int64_t chunk = *getConstantIntValue(walk.getStep());
  SmallVector<Operation *> prefetches;
  for (Operation &op : *walk.getBody())
    if (op.hasAttr(prefetchMark))
      if (Access access = Access::of(&op);
          rowsOf(access) == chunk && !access.isElements() && isScattered(access))
        prefetches.push_back(&op);
  if (prefetches.empty() || workOf(*walk.getBody()) < int64_t(prefetches.size()) * chunk * workApart)
    return;
  Value isFirst =
      arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, blockId_, stretch_.firstBlock);
  guarded(isFirst, [&] {
    Value length = arith::SubIOp::create(builder_, location_, stretch_.to, stretch_.from);
    Value end =
        arith::MinSIOp::create(builder_, location_, add(stretch_.to, length), scalarOf(walk.getUpperBound()));
    loop(stretch_.to, end, chunk, [&](Value position) {
      loop(0, chunk, 1, [&](Value row) {
        for (Operation *op : prefetches) {
          int64_t bytes = rowBytes(Access::of(op));
          auto touch = [&](Value block, int64_t byte) {
            moveTo(walk, position, block);
            prefetchAddress(add(aheadAddress(op, row), byte));
          };
          // Heads side by side: the first, one in each page between, and the end of the last.
          touch(stretch_.firstBlock, 0);
          if (int64_t ofPage = std::max<int64_t>(1, pageBytes / bytes); ofPage < blocksTogether_)
            loop(add(stretch_.firstBlock, ofPage), stretch_.lastBlock, ofPage,
                 [&](Value block) { touch(block, 0); });
          touch(add(stretch_.lastBlock, -1), bytes - 1);
        }
      });
    });
  });
}
