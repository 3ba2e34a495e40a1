// Barriers where threads touch what others have touched.
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/threads/Thread.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_PLACEBARRIERS
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

namespace {
/// Bytes of shared memory, [first, last), and of which tile's write they are part. Of a ring: of `slots`
/// slots the one that its loop reads `ahead` steps from now.
struct Bytes {
  int64_t first, last;
  Attribute write, owners;
  int64_t ahead = 0, slots = 0;
  bool operator==(const Bytes &) const = default;
  /// A thread writes the same elements of a tile whenever it is written: its stores need no barrier between
  /// them; nor do accesses of elements that belong to one thread each, the same in both.
  bool meets(const Bytes &other) const {
    if (slots && first == other.first && slots == other.slots && (ahead - other.ahead) % slots != 0)
      return false;
    if (owners && owners == other.owners && first == other.first && last == other.last)
      return false;
    return first < other.last && other.first < last && !(write && write == other.write);
  }
};

/// What has been touched since the last barrier, and what copies write that no wait has been for.
struct Touched {
  SmallVector<Bytes> read, written, copied;

  bool conflictsWith(const Touched &next) const {
    auto meets = [](ArrayRef<Bytes> a, ArrayRef<Bytes> b) {
      return llvm::any_of(a, [&](Bytes x) { return llvm::any_of(b, [&](Bytes y) { return x.meets(y); }); });
    };
    return meets(written, next.read) || meets(written, next.written) || meets(read, next.written);
  }
  bool add(const Touched &other) {
    bool grown = false;
    auto join = [&](SmallVector<Bytes> &to, ArrayRef<Bytes> from) {
      for (Bytes span : from)
        if (!llvm::is_contained(to, span)) {
          to.push_back(span);
          grown = true;
        }
    };
    join(read, other.read);
    join(written, other.written);
    join(copied, other.copied);
    return grown;
  }
  /// Copies go on behind a barrier.
  void passBarrier() {
    read.clear();
    written.clear();
  }
  /// They may have landed at any time up to here.
  void passWait(bool forAll) {
    written.append(copied);
    if (forAll)
      copied.clear();
  }
  /// Of the rings that a loop reads: what was for a step is for one earlier.
  void pass(const DenseSet<int64_t> &rings) {
    for (SmallVector<Bytes> *spans : {&read, &written, &copied})
      for (Bytes &span : *spans)
        if (span.slots && rings.contains(span.first))
          span.ahead = (span.ahead + span.slots - 1) % span.slots;
  }
  /// Behind the loop nothing is known of slots.
  void forget(const DenseSet<int64_t> &rings) {
    for (SmallVector<Bytes> *spans : {&read, &written, &copied})
      for (Bytes &span : *spans)
        if (rings.contains(span.first))
          span.slots = span.ahead = 0;
  }
};

class BarrierPlacer {
public:
  unsigned placed() const { return unsigned(barriers_.size()); }
  /// Erases waits for all copies behind which nothing touches what is in flight.
  void eraseWaits(Block &block);
  /// What is touched behind a block that is entered with `touched`.
  Touched run(Block &block, Touched touched);

  /// Takes those away that others make needless: one that the end of a loop asked for may stand before one
  /// that its beginning did.
  void prune(Block &block);

private:
  Touched touchedBy(Operation *op);
  /// A barrier before an op; just looking, the lack of one.
  void order(Operation *op);

  bool just_looks_ = false, lacks_one_ = false;
  SmallVector<gpu::BarrierOp> barriers_;
};
} // namespace

static Bytes spanOf(Operation *op, Value memory) {
  auto view = memory.getDefiningOp<memref::ViewOp>();
  int64_t first = *getConstantIntValue(view.getByteShift());
  MemRefType type = view.getType();
  Bytes span{first, first + type.getNumElements() * type.getElementTypeBitWidth() / 8,
             op->getAttr(writeAttribute), op->getAttr(ownersAttribute)};
  if (auto slot = op->getAttrOfType<DenseI64ArrayAttr>(slotAttribute)) {
    span.ahead = slot[0] % slot[1];
    span.slots = slot[1];
  }
  return span;
}

/// Where the rings lie that a loop fills: its steps are what slots are counted in. Loops inside it only read.
static DenseSet<int64_t> ringsOf(scf::ForOp loop) {
  DenseSet<int64_t> rings;
  loop.getBody()->walk([&](CopyOp copy) {
    if (copy->hasAttr(slotAttribute) && copy->getParentOfType<scf::ForOp>() == loop)
      rings.insert(spanOf(copy, copy.getBuffer()).first);
  });
  return rings;
}

/// Whether a loop is known to run at least once: what orders a step then orders what comes behind as well.
static bool hasSteps(scf::ForOp loop) {
  auto first = getConstantIntValue(loop.getLowerBound()), end = getConstantIntValue(loop.getUpperBound());
  return first && end && *first < *end;
}

/// The spans that are touched behind an op, in its block and in those around it; all that a loop around it
/// touches is.
static void touchedBehind(Operation *op, function_ref<Touched(Operation *)> touchedBy, Touched &result) {
  for (; !isa<tile::KernelOp>(op); op = op->getParentOp()) {
    auto add = [&](Operation *inner) { result.add(touchedBy(inner)); };
    if (isa<scf::ForOp>(op->getParentOp()))
      op->getParentOp()->walk(add);
    for (Operation *next = op->getNextNode(); next; next = next->getNextNode())
      next->walk(add);
  }
}

Touched BarrierPlacer::touchedBy(Operation *op) {
  Touched result;
  if (auto load = dyn_cast<vector::LoadOp>(op))
    result.read.push_back(spanOf(op, load.getBase()));
  else if (auto load = dyn_cast<memref::LoadOp>(op))
    result.read.push_back(spanOf(op, load.getMemRef()));
  else if (auto load = dyn_cast<LoadMatrixOp>(op))
    result.read.push_back(spanOf(op, load.getBuffer()));
  else if (auto store = dyn_cast<vector::StoreOp>(op))
    result.written.push_back(spanOf(op, store.getBase()));
  else if (auto store = dyn_cast<memref::StoreOp>(op))
    result.written.push_back(spanOf(op, store.getMemRef()));
  else if (auto store = dyn_cast<StoreMatrixOp>(op))
    result.written.push_back(spanOf(op, store.getBuffer()));
  else if (auto copy = dyn_cast<CopyOp>(op)) {
    result.written.push_back(spanOf(op, copy.getBuffer()));
    result.copied.push_back(result.written.back());
  }
  return result;
}

void BarrierPlacer::order(Operation *op) {
  if (just_looks_) {
    lacks_one_ = true;
    return;
  }
  OpBuilder builder(op);
  barriers_.push_back(gpu::BarrierOp::create(builder, op->getLoc()));
}

void BarrierPlacer::prune(Block &block) {
  just_looks_ = true;
  llvm::erase_if(barriers_, [&](gpu::BarrierOp barrier) {
    Block *in = barrier->getBlock();
    Operation *next = barrier->getNextNode();
    barrier->remove();
    lacks_one_ = false;
    run(block, {});
    if (!lacks_one_) {
      barrier->destroy();
      return true;
    }
    in->getOperations().insert(next->getIterator(), barrier);
    return false;
  });
  just_looks_ = false;
}

Touched BarrierPlacer::run(Block &block, Touched touched) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isa<gpu::BarrierOp>(op)) {
      touched.passBarrier();
      continue;
    }
    if (auto wait = dyn_cast<WaitOp>(op)) {
      touched.passWait(wait.getPending() == 0);
      continue;
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      // Until what is touched at the end of the body adds nothing to what its beginning meets.
      DenseSet<int64_t> rings = ringsOf(loop);
      Touched entry = touched, exit;
      do {
        exit = run(*loop.getBody(), entry);
        exit.pass(rings);
      } while (entry.add(exit));
      if (hasSteps(loop))
        touched = exit;
      else
        touched.add(exit);
      touched.forget(rings);
      continue;
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      // Where threads may go either way no barrier can stand inside: it stands before.
      Touched inside;
      branch.walk([&](Operation *inner) { inside.add(touchedBy(inner)); });
      if (!branch->hasAttr(uniformAttribute)) {
        if (touched.conflictsWith(inside)) {
          order(branch);
          touched.passBarrier();
        }
        touched.add(inside);
        continue;
      }
      Touched after = branch.getElseRegion().empty() ? touched : run(*branch.elseBlock(), touched);
      after.add(run(*branch.thenBlock(), touched));
      touched = after;
      continue;
    }
    Touched next = touchedBy(&op);
    if (touched.conflictsWith(next)) {
      order(&op);
      touched.passBarrier();
    }
    touched.add(next);
  }
  return touched;
}

void BarrierPlacer::eraseWaits(Block &body) {
  SmallVector<WaitOp> needless;
  body.walk([&](WaitOp wait) {
    if (wait.getPending() > 0 || isa<scf::ForOp>(wait->getParentOp()))
      return;
    Touched copies, behind;
    body.walk([&](CopyOp copy) { copies.add(touchedBy(copy)); });
    touchedBehind(wait, [&](Operation *op) { return touchedBy(op); }, behind);
    for (SmallVector<Bytes> *spans : {&copies.written, &behind.read, &behind.written})
      for (Bytes &span : *spans)
        span.slots = span.ahead = 0;
    if (!copies.conflictsWith(behind))
      needless.push_back(wait);
  });
  for (WaitOp wait : needless)
    wait.erase();
}

namespace {
struct PlaceBarriers : linmu::cuda::impl::PlaceBarriersBase<PlaceBarriers> {
  using PlaceBarriersBase::PlaceBarriersBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      BarrierPlacer placer;
      placer.eraseWaits(kernel.getBody().front());
      placer.run(kernel.getBody().front(), {});
      placer.prune(kernel.getBody().front());
      barriers += placer.placed();
    }
  }
};
} // namespace
