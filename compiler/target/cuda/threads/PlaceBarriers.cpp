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
  Attribute write;
  int64_t ahead = 0, slots = 0;
  bool operator==(const Bytes &) const = default;
  /// A thread writes the same elements of a tile whenever it is written: its stores need no barrier between
  /// them.
  bool meets(const Bytes &other) const {
    if (slots && first == other.first && slots == other.slots && (ahead - other.ahead) % slots != 0)
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
  unsigned placed = 0;
  /// What is touched behind a block that is entered with `touched`.
  Touched run(Block &block, Touched touched);

private:
  Touched touchedBy(Operation *op);
};
} // namespace

static Bytes spanOf(Operation *op, Value memory) {
  auto view = memory.getDefiningOp<memref::ViewOp>();
  int64_t first = *getConstantIntValue(view.getByteShift());
  MemRefType type = view.getType();
  Bytes span{first, first + type.getNumElements() * type.getElementTypeBitWidth() / 8,
             op->getAttr(writeAttribute)};
  if (auto slot = op->getAttrOfType<DenseI64ArrayAttr>(slotAttribute)) {
    span.ahead = slot[0] % slot[1];
    span.slots = slot[1];
  }
  return span;
}

/// Where the rings lie whose slots a loop reads itself.
static DenseSet<int64_t> ringsOf(scf::ForOp loop) {
  DenseSet<int64_t> rings;
  loop.getBody()->walk([&](Operation *op) {
    if (!op->hasAttr(slotAttribute) || op->getParentOfType<scf::ForOp>() != loop)
      return;
    for (Value operand : op->getOperands())
      if (auto view = operand.getDefiningOp<memref::ViewOp>())
        rings.insert(*getConstantIntValue(view.getByteShift()));
  });
  return rings;
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
      Touched entry = touched;
      while (true) {
        Touched exit = run(*loop.getBody(), entry);
        exit.pass(rings);
        touched.add(exit);
        if (!entry.add(exit))
          break;
      }
      touched.forget(rings);
      continue;
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      // Where threads may go either way no barrier can stand inside: it stands before.
      Touched inside;
      branch.walk([&](Operation *inner) { inside.add(touchedBy(inner)); });
      if (!branch->hasAttr(uniformAttribute)) {
        if (touched.conflictsWith(inside)) {
          OpBuilder builder(branch);
          gpu::BarrierOp::create(builder, branch.getLoc());
          ++placed;
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
      OpBuilder builder(&op);
      gpu::BarrierOp::create(builder, op.getLoc());
      ++placed;
      touched.passBarrier();
    }
    touched.add(next);
  }
  return touched;
}

namespace {
struct PlaceBarriers : linmu::cuda::impl::PlaceBarriersBase<PlaceBarriers> {
  using PlaceBarriersBase::PlaceBarriersBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      BarrierPlacer placer;
      placer.run(kernel.getBody().front(), {});
      barriers += placer.placed;
    }
  }
};
} // namespace
