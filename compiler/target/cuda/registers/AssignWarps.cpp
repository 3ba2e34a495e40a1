// Decides how many warps a block has, and how many blocks a multiprocessor is to hold.
#include "compiler/target/cuda/Passes.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace linmu;

namespace linmu::cuda {
#define GEN_PASS_DEF_ASSIGNWARPS
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

/// Elements of the largest product's result; 0 where there is no product.
static int64_t largestResult(tile::KernelOp kernel) {
  int64_t largest = 0;
  kernel.getBody().walk([&](tile::DotOp dot) {
    largest = std::max(largest, cast<RankedTensorType>(dot.getType()).getNumElements());
  });
  return largest;
}

/// Whether a loop keeps a matrix in the registers of its block.
static bool carriesMatrix(tile::KernelOp kernel) {
  return kernel.getBody()
      .walk([](scf::ForOp loop) {
        bool any = llvm::any_of(loop.getResultTypes(), [](Type type) {
          auto tile = dyn_cast<RankedTensorType>(type);
          return tile && tile.getRank() == 2;
        });
        return any ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Where loops carry matrices of as many rows as they reduce along, such as the scores of queries and what
/// these take of the values: the rows. Otherwise 0.
static int64_t rowsThatStayTogether(tile::KernelOp kernel) {
  int64_t rows = 0;
  bool same = true;
  auto add = [&](Type type) {
    auto tile = dyn_cast<RankedTensorType>(type);
    if (!tile || tile.getRank() != 2)
      return;
    same &= rows == 0 || rows == tile.getDimSize(0);
    rows = tile.getDimSize(0);
  };
  kernel.getBody().walk([&](scf::ForOp loop) { llvm::for_each(loop.getResultTypes(), add); });
  bool reduced = false;
  kernel.getBody().walk([&](tile::ReduceOp reduce) {
    auto source = cast<RankedTensorType>(reduce.getSource().getType());
    auto loop = reduce->getParentOfType<scf::ForOp>();
    reduced |= loop && source.getRank() == 2 && reduce.getAxis() == 1 && source.getDimSize(0) == rows &&
               !loop.getBody()->getOps<tile::DotOp>().empty();
  });
  return same && reduced ? rows : 0;
}

/// Whether registers hold a tile: constants and what is made of them are made again where they are used, and
/// what comes from memory lies in shared memory.
static bool isHeld(Value tile) {
  Operation *op = tile.getDefiningOp();
  if (!op || isa<arith::ConstantOp, tile::CoordinateOp, tile::BroadcastOp, tile::LoadOp, arith::CmpIOp>(op))
    return false;
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return isHeld(op->getOperand(0));
  return true;
}

/// The most elements that registers hold at one place of a kernel that works on one chunk: at the ops of its
/// body itself, each of which is done once.
static int64_t mostHeld(tile::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  DenseMap<Operation *, int64_t> ended; // by the last op that reads them
  int64_t held = 0, most = 0;
  for (Operation &op : body) {
    for (Value result : op.getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type || !type.hasStaticShape() || result.use_empty() || !isHeld(result))
        continue;
      Operation *last = nullptr;
      for (Operation *user : result.getUsers()) {
        Operation *inBody = body.findAncestorOpInBlock(*user);
        last = !last || last->isBeforeInBlock(inBody) ? inBody : last;
      }
      held += type.getNumElements();
      ended[last] += type.getNumElements();
    }
    most = std::max(most, held);
    held -= ended.lookup(&op);
  }
  return most;
}

/// Whether the body itself walks over tokens.
static bool walks(tile::KernelOp kernel) { return !kernel.getBody().front().getOps<scf::ForOp>().empty(); }

namespace {
struct AssignWarps : linmu::cuda::impl::AssignWarpsBase<AssignWarps> {
  using AssignWarpsBase::AssignWarpsBase;

  void runOnOperation() override {
    Builder builder(&getContext());
    auto set = [&](tile::KernelOp kernel, StringRef name, int64_t value) {
      if (!kernel->hasAttr(name))
        kernel->setAttr(name, builder.getI64IntegerAttr(value));
    };
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      int64_t largest = largestResult(kernel), fewest = std::min<int64_t>(warps, 4);
      int64_t wanted =
          largest ? int64_t(llvm::bit_floor(uint64_t(largest / elementsOfWarp))) : int64_t(warps);
      // Twice the rows of an instruction read their right operands half as often.
      if (int64_t rows = rowsThatStayTogether(kernel); rows && largest)
        wanted = std::min(wanted, rows / rowsOfWarp);
      wanted = std::clamp<int64_t>(wanted, fewest, warps);
      if (int64_t held = walks(kernel) ? 0 : mostHeld(kernel))
        while (wanted < warps && held > wanted * heldByWarp)
          wanted *= 2;
      set(kernel, "warps", wanted);
      int64_t blocks = residentWarps / warpsOf(kernel);
      if (largest && blocks > 1 && !carriesMatrix(kernel))
        set(kernel, "blocks", blocks);
      // So many warps with what they carry leave no registers for another block: memory for rings is theirs.
      if (auto rings = kernel->getAttrOfType<IntegerAttr>("ring_bytes"))
        set(kernel, "deep_ring_bytes", rings.getInt() * warpsOf(kernel) / warps);
    }
  }

private:
  static int64_t warpsOf(tile::KernelOp kernel) {
    return kernel->getAttrOfType<IntegerAttr>("warps").getInt();
  }

  /// Of the largest result, 32 in each lane: fewer leave less work between two barriers than these cost.
  static constexpr int64_t elementsOfWarp = 32 * 32;
  static constexpr int64_t rowsOfWarp = 32;
  /// 192 registers of each lane, beside what places and operands of instructions take.
  static constexpr int64_t heldByWarp = 32 * 192;
  /// Of blocks that keep nothing from step to step: measured on an H200, where twelve need no spills.
  static constexpr int64_t residentWarps = 12;
};
} // namespace
