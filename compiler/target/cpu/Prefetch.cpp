// Prefetches, spread over the products of the same block.
//
// A core keeps few cache misses in flight. Asked for at once, the rows of a whole chunk fill that queue, and
// the core's own work waits behind them; asked for line by line between the steps of a product, they arrive
// while it computes. So a prefetch is kept back where it stands, and each loop nest that computes products
// takes the share that its products have of the work left in the block.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

static constexpr int64_t lineBytes = 64;

static int64_t workOf(tile::DotOp dot) {
  ArrayRef<int64_t> lhs = shapeOf(dot.getLhs());
  return lhs[0] * lhs[1] * shapeOf(dot.getResult())[1];
}

int64_t linmu::cpu::workOf(mlir::Block &body) {
  int64_t work = 0;
  for (auto dot : body.getOps<tile::DotOp>())
    work += ::workOf(dot);
  return work;
}

/// Multiplications of the products that computing blocks of `tile` in place repeats; what it uses twice is
/// computed once.
int64_t KernelLowering::inlinedWork(Value tile, llvm::SmallDenseSet<Value> &seen) {
  if (rankOf(tile.getType()) != 2 || findAny(tile) || !seen.insert(tile).second)
    return 0;
  Operation *op = tile.getDefiningOp();
  if (auto dot = dyn_cast_if_present<tile::DotOp>(op))
    return ::workOf(dot) + (dot.getInit() ? inlinedWork(dot.getInit(), seen) : 0);
  int64_t work = 0;
  if (isElementwise(op))
    for (Value operand : op->getOperands())
      work += inlinedWork(operand, seen);
  return work;
}

int64_t linmu::cpu::rowsOf(const Access &access) { return cast<RankedTensorType>(access.tile).getDimSize(0); }

int64_t linmu::cpu::rowBytes(const Access &access) {
  auto tile = cast<RankedTensorType>(access.tile);
  return (access.isElements() ? 1 : tile.getShape().back()) * std::max(8u, tile.getElementTypeBitWidth()) / 8;
}

void KernelLowering::prefetchAddress(Value address) {
  Value integer = arith::IndexCastOp::create(builder_, location_, builder_.getI64Type(), address);
  Type pointer = LLVM::LLVMPointerType::get(builder_.getContext());
  // To the second level: what is asked for is used an iteration later.
  LLVM::Prefetch::create(builder_, location_, LLVM::IntToPtrOp::create(builder_, location_, pointer, integer),
                         /*rw=*/0, /*hint=*/2, /*cache=*/1);
}

/// What marked loads and stores of a loop's body touch in the next iteration. Elements are asked for at once:
/// heads share their lines. Rows wait, as addresses.
void KernelLowering::lowerPrefetches(mlir::Block &body) {
  // Rows that lie in as many lines take turns: the same row of all operands, then the next.
  llvm::MapVector<std::pair<int64_t, int64_t>, SmallVector<Operation *>> alike;
  for (Operation &op : body) {
    if (!op.hasAttr(prefetchMark))
      continue;
    Access access = Access::of(&op);
    if (access.isElements())
      loop(0, rowsOf(access), 1, [&](Value row) { prefetchAddress(aheadAddress(&op, row)); });
    else
      alike[{rowsOf(access), roundUp(rowBytes(access), lineBytes) / lineBytes}].push_back(&op);
  }
  workLeft_ = workOf(body);
  for (auto &[key, prefetches] : alike) {
    auto [rows, linesPerRow] = key;
    int64_t count = rows * prefetches.size();
    Value addresses = allocate(RankedTensorType::get({count}, builder_.getI64Type()), Layout::rows).memref;
    loop(0, rows, 1, [&](Value row) {
      SmallVector<Value> ofRow;
      for (Operation *prefetch : prefetches)
        ofRow.push_back(arith::IndexCastOp::create(builder_, location_, builder_.getI64Type(),
                                                   aheadAddress(prefetch, row)));
      for (auto [number, address] : llvm::enumerate(ofRow))
        memref::StoreOp::create(builder_, location_, address, addresses,
                                add(multiply(row, prefetches.size()), number));
    });
    waiting_.push_back({addresses, linesPerRow, count * linesPerRow, 0});
  }
}

/// What a loop nest of `blocks` register blocks takes that computes `tile`.
SmallVector<KernelLowering::PrefetchShare> KernelLowering::takePrefetches(Value tile, int64_t blocks) {
  SmallVector<PrefetchShare> shares;
  llvm::SmallDenseSet<Value> seen;
  int64_t work = waiting_.empty() ? 0 : inlinedWork(tile, seen);
  if (work == 0)
    return shares;
  for (PrefetchRows &rows : waiting_) {
    int64_t left = rows.lines - rows.taken;
    int64_t lines = work >= workLeft_ ? left : left * work / workLeft_;
    if (lines == 0)
      continue;
    // Whole lines a block, or one every few blocks.
    int64_t perBlock = (lines + blocks - 1) / blocks, every = std::max<int64_t>(1, blocks / lines);
    lines = std::min(perBlock * blocks, left);
    shares.push_back({rows, rows.taken, lines, perBlock, every});
    rows.taken += lines;
  }
  workLeft_ -= work;
  llvm::erase_if(waiting_, [](const PrefetchRows &rows) { return rows.taken == rows.lines; });
  return shares;
}

void KernelLowering::prefetchLine(const PrefetchRows &rows, Value line) {
  Value linesPerRow = index(rows.linesPerRow);
  Value row = arith::DivUIOp::create(builder_, location_, line, linesPerRow);
  Value inRow = arith::RemUIOp::create(builder_, location_, line, linesPerRow);
  Value address =
      arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                 memref::LoadOp::create(builder_, location_, rows.addresses, row));
  prefetchAddress(add(address, multiply(inRow, lineBytes)));
}

/// Line `number` of those that go with a block.
void KernelLowering::emitPrefetch(const PrefetchShare &share, Value block, Value number) {
  Value inShare = add(multiply(block, share.perBlock), number);
  inShare = arith::MinUIOp::create(builder_, location_, inShare, index(share.lines - 1));
  prefetchLine(share.rows, add(inShare, share.first));
}

/// All lines that go with a block, at once.
void KernelLowering::emitPrefetches(ArrayRef<PrefetchShare> shares, Value block) {
  for (const PrefetchShare &share : shares) {
    if (int64_t lines = share.linesOfEachBlock()) {
      loop(0, lines, 1, [&](Value number) { emitPrefetch(share, block, number); });
      continue;
    }
    Value every = index(share.every);
    Value rest = arith::RemUIOp::create(builder_, location_, block, every);
    Value due = arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::eq, rest, index(0));
    guarded(due, [&] {
      emitPrefetch(share, arith::DivUIOp::create(builder_, location_, block, every), index(0));
    });
  }
}

/// What no product took.
void KernelLowering::flushPrefetches() {
  for (const PrefetchRows &rows : waiting_)
    loop(rows.taken, rows.lines, 1, [&](Value line) { prefetchLine(rows, line); });
  waiting_.clear();
}
