// Loops with scalars and tiles that are carried from one iteration to the next.
#include "compiler/target/cpu/buffers/Fill.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Pages.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

namespace {
class LoopLowering {
public:
  LoopLowering(Lowering &lowering, scf::ForOp source)
      : lowering_(lowering), kernel_(lowering.kernel), emit_(lowering.kernel.emit), source_(source),
        isWalk_(lowering.walk.is(source)) {}
  LogicalResult run();

private:
  void start();
  void startTile(size_t number, ArrayRef<Layout> layouts);
  scf::ForOp open();
  void addLayoutsOfCarried();
  void askAhead(scf::ForOp loop);
  void updateTiles();
  void close(scf::ForOp loop);

  Lowering &lowering_;
  Kernel &kernel_;
  Emit &emit_;
  scf::ForOp source_;
  bool isWalk_;
  SmallVector<Value> inits_, scalarSlots_;
  SmallVector<Buffer> carried_; // one for each carried value, null for scalars
};
} // namespace

/// A carried tile gets its buffer and, before the first iteration, its first value.
void LoopLowering::startTile(size_t number, ArrayRef<Layout> layouts) {
  Value init = source_.getInitArgs()[number];
  Layout layout = layouts.front();
  Buffer buffer = isWalk_ ? lowering_.walk.allocateSlot(init.getType(), layout)
                          : kernel_.buffers.allocate(init.getType(), layout);
  emit_.guarded(isWalk_ ? lowering_.walk.stretch().isFirst : Value(), [&] { fill(lowering_, init, buffer); });
  carried_[number] = buffer;
  kernel_.buffers.replace(source_.getRegionIterArg(number), buffer);
  kernel_.buffers.replace(source_.getResult(number), buffer);
}

void LoopLowering::start() {
  SmallVector<Layouts> layouts = *layoutsIn(source_, carriedAttribute);
  carried_.resize(layouts.size());
  for (auto [number, init] : llvm::enumerate(source_.getInitArgs())) {
    if (rankOf(init.getType()) > 0)
      startTile(number, layouts[number]);
    else
      inits_.push_back(isWalk_ ? lowering_.walk.resumeScalar(kernel_.scalar(init), scalarSlots_)
                               : kernel_.scalar(init));
  }
  if (isWalk_)
    touchPages(lowering_);
}

/// The loop, with the insertion point in its body and scalars mapped.
scf::ForOp LoopLowering::open() {
  Value from = isWalk_ ? lowering_.walk.stretch().from : kernel_.scalar(source_.getLowerBound());
  Value to = isWalk_ ? lowering_.walk.stretch().to : kernel_.scalar(source_.getUpperBound());
  auto loop = scf::ForOp::create(emit_, from, to, kernel_.scalar(source_.getStep()), inits_);
  if (loop.getBody()->empty())
    emit_.setInsertionPointToStart(loop.getBody());
  else
    emit_.setInsertionPoint(loop.getBody()->getTerminator());
  kernel_.scalars.map(source_.getInductionVar(), loop.getInductionVar());
  unsigned next = 0;
  for (auto [argument, result] : llvm::zip(source_.getRegionIterArgs(), source_.getResults()))
    if (rankOf(argument.getType()) == 0) {
      kernel_.scalars.map(argument, loop.getRegionIterArg(next));
      kernel_.scalars.map(result, loop.getResult(next++));
    }
  return loop;
}

/// What the body reads of a carried tile in other layouts than that in which it is carried.
void LoopLowering::addLayoutsOfCarried() {
  SmallVector<Layouts> layouts = *layoutsIn(source_, carriedAttribute);
  for (auto [argument, ofArgument] : llvm::zip(source_.getRegionIterArgs(), layouts))
    for (Layout layout : ofArgument)
      materialize(lowering_, argument, layout);
}

/// The rows that loads and stores of the next iteration touch.
void LoopLowering::askAhead(scf::ForOp loop) {
  if (llvm::none_of(*source_.getBody(), [](Operation &inner) { return inner.hasAttr(prefetchMark); }))
    return;
  lowering_.next.enter(source_, loop.getInductionVar());
  lowering_.prefetcher.collect(*source_.getBody());
}

/// The next values of carried tiles: in place, or through buffers of their own, all of which are finished
/// before any old value is overwritten.
void LoopLowering::updateTiles() {
  struct Copy {
    Value value;
    Buffer from, to;
  };
  SmallVector<Copy> copies;
  SmallVector<NextValue> next = *nextValuesOf(source_);
  for (auto [number, value] : llvm::enumerate(source_.getBody()->getTerminator()->getOperands())) {
    if (next[number] == NextValue::inPlace) {
      fill(lowering_, value, carried_[number]);
    } else if (next[number] == NextValue::staged) {
      // What the iteration itself has computed into a buffer stays there meanwhile.
      Buffer own = isa<BlockArgument>(value) ? Buffer() : kernel_.buffers.findReadable(value);
      copies.push_back({value, own, carried_[number]});
    }
  }
  for (Copy &copy : copies)
    if (!copy.from) {
      copy.from = kernel_.buffers.allocate(copy.value.getType(), Layout::rows);
      fill(lowering_, copy.value, copy.from);
    }
  for (const Copy &copy : copies)
    copyBuffer(lowering_, copy.value, copy.from, copy.to);
}

void LoopLowering::close(scf::ForOp loop) {
  SmallVector<Value> yielded;
  for (Value value : source_.getBody()->getTerminator()->getOperands())
    if (rankOf(value.getType()) == 0)
      yielded.push_back(kernel_.scalar(value));
  mlir::Block *body = loop.getBody();
  if (body->empty() || !body->back().hasTrait<OpTrait::IsTerminator>())
    scf::YieldOp::create(emit_, yielded);
  emit_.setInsertionPointAfter(loop);
  for (auto [slot, value] : llvm::zip(scalarSlots_, loop.getResults()))
    memref::StoreOp::create(emit_, emit_.toStored(value), slot, emit_.index(0));
}

LogicalResult LoopLowering::run() {
  start();
  scf::ForOp loop = open();
  addLayoutsOfCarried();
  askAhead(loop);
  mlir::Block &body = *source_.getBody();
  if (failed(lowerOps(lowering_, {body.begin(), body.end()})))
    return failure();
  emit_.setLoc(source_.getLoc());
  updateTiles();
  lowering_.prefetcher.flush();
  close(loop);
  return success();
}

LogicalResult linmu::cpu::lowerFor(Lowering &lowering, scf::ForOp source) {
  return LoopLowering(lowering, source).run();
}
