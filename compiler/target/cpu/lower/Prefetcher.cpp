#include "compiler/target/cpu/lower/Prefetcher.h"
#include "compiler/target/cpu/buffers/Uses.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

static constexpr int64_t lineBytes = 64;

static int64_t workOfProduct(tile::DotOp dot) {
  ArrayRef<int64_t> lhs = shapeOf(dot.getLhs());
  return lhs[0] * lhs[1] * shapeOf(dot.getResult())[1];
}

int64_t linmu::cpu::workOf(mlir::Block &body) {
  int64_t work = 0;
  for (auto dot : body.getOps<tile::DotOp>())
    work += workOfProduct(dot);
  return work;
}

static int64_t inlinedWork(const Kernel &kernel, Value tile, llvm::SmallDenseSet<Value> &seen) {
  if (rankOf(tile.getType()) != 2 || kernel.buffers.findReadable(tile) || !seen.insert(tile).second)
    return 0;
  Operation *op = tile.getDefiningOp();
  if (auto dot = dyn_cast_if_present<tile::DotOp>(op))
    return workOfProduct(dot) + (dot.getInit() ? inlinedWork(kernel, dot.getInit(), seen) : 0);
  int64_t work = 0;
  if (isElementwise(op))
    for (Value operand : op->getOperands())
      work += inlinedWork(kernel, operand, seen);
  return work;
}

int64_t linmu::cpu::inlinedWork(const Kernel &kernel, Value tile) {
  llvm::SmallDenseSet<Value> seen;
  return ::inlinedWork(kernel, tile, seen);
}

void Prefetcher::prefetch(Value address) {
  Value integer = arith::IndexCastOp::create(emit_, emit_.getI64Type(), address);
  Type pointer = LLVM::LLVMPointerType::get(emit_.getContext());
  // To the second level: what is asked for is used an iteration later.
  LLVM::Prefetch::create(emit_, LLVM::IntToPtrOp::create(emit_, pointer, integer), /*rw=*/0, /*hint=*/2,
                         /*cache=*/1);
}

void Prefetcher::collect(mlir::Block &body) {
  // Rows that lie in as many lines take turns: the same row of all operands, then the next.
  llvm::MapVector<std::pair<int64_t, int64_t>, SmallVector<Operation *>> alike;
  for (Operation &op : body) {
    if (!op.hasAttr(prefetchMark))
      continue;
    Access access = Access::of(&op);
    if (access.isElements())
      emit_.loop(0, access.rows(), 1, [&](Value row) { prefetch(next_.addressOf(&op, row)); });
    else
      alike[{access.rows(), roundUp(access.rowBytes(), lineBytes) / lineBytes}].push_back(&op);
  }
  workLeft_ = workOf(body);
  for (auto &[key, operands] : alike) {
    auto [rows, linesPerRow] = key;
    int64_t count = rows * operands.size();
    auto type = RankedTensorType::get({count}, emit_.getI64Type());
    Value addresses = kernel_.buffers.allocate(type, Layout::rows).memref;
    emit_.loop(0, rows, 1, [&](Value row) {
      SmallVector<Value> ofRow;
      for (Operation *operand : operands)
        ofRow.push_back(arith::IndexCastOp::create(emit_, emit_.getI64Type(), next_.addressOf(operand, row)));
      for (auto [number, address] : llvm::enumerate(ofRow))
        memref::StoreOp::create(emit_, address, addresses,
                                emit_.add(emit_.multiply(row, operands.size()), number));
    });
    waiting_.push_back({addresses, linesPerRow, count * linesPerRow, 0});
  }
}

Prefetcher::Shares Prefetcher::take(Value tile, int64_t blocks) {
  Shares shares;
  int64_t work = waiting_.empty() ? 0 : inlinedWork(kernel_, tile);
  if (work == 0)
    return shares;
  for (Rows &rows : waiting_) {
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
  llvm::erase_if(waiting_, [](const Rows &rows) { return rows.taken == rows.lines; });
  return shares;
}

void Prefetcher::askForLine(const Rows &rows, Value line) {
  Value linesPerRow = emit_.index(rows.linesPerRow);
  Value row = arith::DivUIOp::create(emit_, line, linesPerRow);
  Value inRow = arith::RemUIOp::create(emit_, line, linesPerRow);
  Value address = emit_.toIndex(memref::LoadOp::create(emit_, rows.addresses, row));
  prefetch(emit_.add(address, emit_.multiply(inRow, lineBytes)));
}

/// Line `number` of those that go with block `block` of the nest.
void Prefetcher::askWith(const Share &share, Value block, Value number) {
  Value inShare = emit_.add(emit_.multiply(block, share.perBlock), number);
  inShare = arith::MinUIOp::create(emit_, inShare, emit_.index(share.lines - 1));
  askForLine(share.rows, emit_.add(inShare, share.first));
}

void Prefetcher::enterBlock(const Shares &shares, Value number) {
  left_ = shares;
  blockNumber_ = number;
}

void Prefetcher::leaveBlock() {
  for (const Share &share : std::exchange(left_, {})) {
    if (int64_t lines = share.linesOfEachBlock()) {
      emit_.loop(0, lines, 1, [&](Value number) { ask(share, number); });
      continue;
    }
    Value every = emit_.index(share.every);
    Value rest = arith::RemUIOp::create(emit_, blockNumber_, every);
    Value due = emit_.compare(arith::CmpIPredicate::eq, rest, emit_.index(0));
    emit_.guarded(due, [&] {
      Value turn = arith::DivUIOp::create(emit_, blockNumber_, every);
      askWith(share, turn, emit_.index(0));
    });
  }
}

void Prefetcher::flush() {
  for (const Rows &rows : waiting_)
    emit_.loop(rows.taken, rows.lines, 1, [&](Value line) { askForLine(rows, line); });
  waiting_.clear();
}
