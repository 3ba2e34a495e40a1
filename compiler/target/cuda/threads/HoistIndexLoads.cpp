// Reads the indices of rows at the start of a step, so that they are there when copies of the rows begin.
#include "compiler/target/cuda/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_HOISTINDEXLOADS
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

/// Whether a kernel writes to an operand.
static bool isStored(Value memory) {
  return llvm::any_of(memory.getUsers(), [&](Operation *user) {
    auto store = dyn_cast<StoreOp>(user);
    return store && store.getDestination() == memory;
  });
}

/// An index that says where something else lies.
static bool isIndexLoad(LoadOp load) {
  return load.getResult().getType().isInteger(32) && !isStored(load.getSource()) &&
         llvm::all_of(load->getUsers(), [](Operation *user) { return isa<arith::IndexCastOp>(user); });
}

namespace {
struct HoistIndexLoads : linmu::cuda::impl::HoistIndexLoadsBase<HoistIndexLoads> {
  using HoistIndexLoadsBase::HoistIndexLoadsBase;

  void runOnOperation() override {
    getOperation().walk([&](scf::ForOp loop) {
      Operation *place = &loop.getBody()->front();
      for (auto load : llvm::make_early_inc_range(loop.getBody()->getOps<LoadOp>()))
        if (isIndexLoad(load) && moveBefore(load, place))
          ++hoisted;
    });
  }

private:
  /// Moves a load and the pure ops behind it; false where something else is behind it.
  static bool moveBefore(LoadOp load, Operation *place) {
    SmallVector<Operation *> needed;
    DenseSet<Operation *> seen;
    std::function<bool(Operation *)> collect = [&](Operation *op) {
      for (Value operand : op->getOperands()) {
        Operation *maker = operand.getDefiningOp();
        if (!maker || maker->getBlock() != load->getBlock() || !seen.insert(maker).second)
          continue;
        if (maker->isBeforeInBlock(place))
          continue;
        if (!isPure(maker) || maker->getNumRegions() > 0 || maker == place || !collect(maker))
          return false;
        needed.push_back(maker);
      }
      return true;
    };
    if (load == place || !collect(load))
      return false;
    for (Operation *op : needed)
      op->moveBefore(place);
    load->moveBefore(place);
    return true;
  }
};
} // namespace
