// Puts what a thread computes where it is first used, so that few values wait in registers.
#include "compiler/target/cuda/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_SINKTOUSES
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

/// The buffer that an op reads in shared memory; null for others.
static Value bufferReadBy(Operation *op) {
  if (auto load = dyn_cast<vector::LoadOp>(op))
    return load.getBase();
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return load.getMemRef();
  if (auto load = dyn_cast<LoadMatrixOp>(op))
    return load.getBuffer();
  return {};
}

static Value bufferWrittenBy(Operation *op) {
  if (auto store = dyn_cast<vector::StoreOp>(op))
    return store.getBase();
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return store.getMemRef();
  if (auto store = dyn_cast<StoreMatrixOp>(op))
    return store.getBuffer();
  if (auto copy = dyn_cast<CopyOp>(op))
    return copy.getBuffer();
  return {};
}

/// Products keep the order that shares fragments best; what has effects, its place.
static bool staysInPlace(Operation *op) {
  if (isa<MmaOp>(op) || op->getNumRegions() > 0 || op->hasTrait<OpTrait::IsTerminator>())
    return true;
  return !isPure(op) && !bufferReadBy(op);
}

namespace {
/// The ops of one block in their new order.
class BlockOrder {
public:
  explicit BlockOrder(Block &block) : block_(block) {}
  unsigned run();

private:
  void place(Operation *op);
  void placeReadsBefore(Operation *op);

  Block &block_;
  DenseSet<Operation *> placed_;
  SmallVector<Operation *> reads_; ///< that have not been placed
};
} // namespace

/// Behind what it needs.
void BlockOrder::place(Operation *op) {
  if (!placed_.insert(op).second)
    return;
  auto placeOperands = [&](Operation *user) {
    for (Value operand : user->getOperands())
      if (Operation *maker = operand.getDefiningOp(); maker && maker->getBlock() == &block_)
        place(maker);
  };
  op->getNumRegions() > 0 ? op->walk(placeOperands) : placeOperands(op);
  op->moveBefore(&block_, block_.end());
}

/// What is read before an op that writes the same buffer, or that orders threads.
void BlockOrder::placeReadsBefore(Operation *op) {
  DenseSet<Value> written;
  bool all = false;
  op->walk([&](Operation *inner) {
    all |= isa<gpu::BarrierOp, WaitOp>(inner);
    if (Value buffer = bufferWrittenBy(inner))
      written.insert(buffer);
  });
  llvm::erase_if(reads_, [&](Operation *read) {
    if (!all && !written.contains(bufferReadBy(read)))
      return false;
    place(read);
    return true;
  });
}

unsigned BlockOrder::run() {
  SmallVector<Operation *> before = llvm::map_to_vector(block_, [](Operation &op) { return &op; });
  for (Operation *op : before) {
    if (staysInPlace(op)) {
      placeReadsBefore(op);
      if (op->hasTrait<OpTrait::IsTerminator>())
        break;
      place(op);
    } else if (bufferReadBy(op)) {
      reads_.push_back(op);
    }
  }
  // What is used by other blocks alone, then the terminator.
  for (Operation *op : before)
    place(op);
  unsigned moved = 0;
  for (auto [old, now] : llvm::zip(before, block_))
    moved += old != &now;
  return moved;
}

namespace {
struct SinkToUses : linmu::cuda::impl::SinkToUsesBase<SinkToUses> {
  using SinkToUsesBase::SinkToUsesBase;

  void runOnOperation() override {
    SmallVector<Block *> blocks;
    for (auto kernel : getOperation().getOps<linmu::tile::KernelOp>())
      kernel.getBody().walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      moved += BlockOrder(*block).run();
  }
};
} // namespace
