// buffer-loads: what a kernel with products loads once is copied into buffers, not through registers.
#include "compiler/tile/Neighbours.h"
#include "compiler/tile/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_BUFFERLOADS
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

/// A matrix of 16-bit numbers, whole rows at a time.
static bool isCopied(tile::LoadOp load) {
  auto tile = dyn_cast<RankedTensorType>(load.getType());
  return tile && tile.getRank() == 2 && tile.getElementTypeBitWidth() == 16 && !load.use_empty() &&
         !tile::isStored(load.getSource()) && tile::isOfWholeWords(load);
}

/// The first op of its block in which something that `op` made is used.
static Operation *firstUser(Operation *op) {
  Operation *first = nullptr;
  for (Operation *user : op->getUsers()) {
    Operation *inBlock = op->getBlock()->findAncestorOpInBlock(*user);
    if (!first || inBlock->isBeforeInBlock(first))
      first = inBlock;
  }
  return first;
}

/// Moves what only changes a load's type to where that is used.
static void sinkExtensions(tile::LoadOp load) {
  for (Operation *user : llvm::make_early_inc_range(load->getUsers()))
    if (isa<arith::ExtFOp>(user) && user->getBlock() == load->getBlock() && !user->use_empty())
      user->moveBefore(firstUser(user));
}

namespace {
struct BufferLoads : tile::impl::BufferLoadsBase<BufferLoads> {
  using BufferLoadsBase::BufferLoadsBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      SmallVector<Block *> blocks{&kernel.getBody().front()};
      kernel.getBody().walk([&](scf::IfOp branch) {
        if (!branch->getParentOfType<scf::ForOp>())
          blocks.push_back(branch.thenBlock());
      });
      for (Block *block : blocks)
        run(*block);
    }
  }

private:
  /// All of a block's are under way before one is waited for.
  void run(Block &block) {
    if (block.getOps<tile::DotOp>().empty())
      return;
    SmallVector<tile::LoadOp> loads;
    Operation *user = nullptr;
    for (auto load : block.getOps<tile::LoadOp>())
      if (isCopied(load))
        sinkExtensions(load);
    for (auto load : block.getOps<tile::LoadOp>()) {
      if (user && user->isBeforeInBlock(load))
        break;
      if (!isCopied(load))
        continue;
      Operation *first = firstUser(load);
      user = user && user->isBeforeInBlock(first) ? user : first;
      loads.push_back(load);
    }
    if (loads.empty())
      return;
    SmallVector<Value> buffers;
    for (tile::LoadOp load : loads)
      buffers.push_back(copied(load));
    OpBuilder builder(user);
    Location loc = user->getLoc();
    tile::WaitOp::create(builder, loc, builder.getI64IntegerAttr(0));
    for (auto [load, buffer] : llvm::zip(loads, buffers)) {
      auto tile = cast<RankedTensorType>(load.getType());
      load.replaceAllUsesWith(tile::ReadOp::create(builder, loc, tile, buffer).getResult());
      load.erase();
      ++buffered;
    }
  }

  /// A ring of one slot: it is read wherever, and in whatever layout, it is asked for.
  static Value copied(tile::LoadOp load) {
    OpBuilder builder(load);
    Location loc = load.getLoc();
    auto tile = cast<RankedTensorType>(load.getType());
    auto type = [&](ArrayRef<int64_t> shape) {
      return tile::BufferType::get(builder.getContext(), shape, tile.getElementType());
    };
    SmallVector<int64_t> shape{1};
    llvm::append_range(shape, tile.getShape());
    Value ring = tile::AllocOp::create(builder, loc, type(shape));
    Value buffer =
        tile::SlotOp::create(builder, loc, type(tile.getShape()), ring,
                             arith::ConstantIndexOp::create(builder, loc, 0), builder.getI64IntegerAttr(0));
    tile::CopyOp::create(builder, loc, load.getSource(), load.getIndices(), buffer, /*condition=*/Value());
    return buffer;
  }
};
} // namespace
