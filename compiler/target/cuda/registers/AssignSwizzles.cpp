// Where each element of a buffer lies in shared memory.
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/layout/SharedMemory.h"
#include "compiler/target/cuda/registers/TileLayouts.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_ASSIGNSWIZZLES
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

namespace {
struct AssignSwizzles : linmu::cuda::impl::AssignSwizzlesBase<AssignSwizzles> {
  using AssignSwizzlesBase::AssignSwizzlesBase;

  void runOnOperation() override {
    getOperation().walk([&](tile::AllocOp alloc) {
      Uses uses = usesOf(alloc);
      LinearLayout memory = uses.shape.size() == 1
                                ? LinearLayout::identity(offsetInput, rowOutput, llvm::Log2_64(uses.shape[0]))
                                : matrixOf(uses, alloc.getResult().getType().getElementType());
      alloc->setAttr("layout", LayoutAttr::get(&getContext(), memory));
    });
  }

private:
  /// What reads and writes a buffer, or the slots of a ring, and the shape of one.
  struct Uses {
    SmallVector<int64_t> shape;
    SmallVector<Operation *> accesses;
  };

  static Uses usesOf(tile::AllocOp alloc) {
    Uses uses{llvm::to_vector(alloc.getResult().getType().getShape()), {}};
    for (Operation *user : alloc->getUsers()) {
      auto slot = dyn_cast<tile::SlotOp>(user);
      if (!slot) {
        uses.accesses.push_back(user);
        continue;
      }
      uses.shape = llvm::to_vector(slot.getResult().getType().getShape());
      llvm::append_range(uses.accesses, slot->getUsers());
    }
    return uses;
  }

  static bool isPartBetween(Operation *op) {
    ArrayRef<int64_t> offsets, sizes;
    if (auto write = dyn_cast<WritePartOp>(op)) {
      offsets = write.getOffsets();
      sizes = cast<RankedTensorType>(write.getValue().getType()).getShape();
    } else if (auto read = dyn_cast<ReadPartOp>(op)) {
      offsets = read.getOffsets();
      sizes = cast<RankedTensorType>(read.getResult().getType()).getShape();
    }
    return llvm::any_of(llvm::zip(offsets, sizes),
                        [](auto part) { return std::get<0>(part) % std::get<1>(part) != 0; });
  }

  LinearLayout matrixOf(const Uses &uses, Type element) {
    Extents tile{llvm::Log2_64(uses.shape[0]), llvm::Log2_64(uses.shape[1])};
    unsigned bytes = std::max(element.getIntOrFloatBitWidth() / 8, 1u);
    LinearLayout plain = sharedLayout(tile, bytes);
    // Parts that begin elsewhere than at multiples of their sizes need their places in order.
    if (llvm::any_of(uses.accesses, [](Operation *user) { return isPartBetween(user); }))
      return plain;
    std::vector<SharedAccess> accesses;
    for (Operation *user : uses.accesses) {
      auto formOf = [&](const LinearLayout &registers) {
        bool matrix = bytes == 2 && matrixAccess(registers, plain, bytes).has_value();
        return matrix ? AccessForm::matrix : AccessForm::vector;
      };
      auto add = [&](Type type) {
        LinearLayout registers = partOf(layoutOf(type).getLayout(), plain);
        accesses.push_back({registers, formOf(registers)});
      };
      if (auto write = dyn_cast<tile::WriteOp>(user))
        add(write.getValue().getType());
      if (auto write = dyn_cast<WritePartOp>(user))
        add(write.getValue().getType());
      if (auto read = dyn_cast<tile::ReadOp>(user))
        add(read.getResult().getType());
      if (auto read = dyn_cast<ReadPartOp>(user))
        add(read.getResult().getType());
      if (isa<tile::CopyOp>(user))
        accesses.push_back({user->getAttrOfType<LayoutAttr>("layout").getLayout(), AccessForm::vector});
    }
    auto swizzle = chooseSwizzle(tile, bytes, accesses);
    if (!swizzle)
      return plain;
    LinearLayout memory = sharedLayout(tile, bytes, *swizzle);
    for (const SharedAccess &access : accesses)
      conflicts += bankConflicts(access, memory, bytes);
    if (!swizzle->masks.empty())
      ++swizzled;
    return memory;
  }
};
} // namespace
