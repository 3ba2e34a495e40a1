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

  LinearLayout matrixOf(const Uses &uses, Type element) {
    Extents tile{llvm::Log2_64(uses.shape[0]), llvm::Log2_64(uses.shape[1])};
    unsigned bytes = std::max(element.getIntOrFloatBitWidth() / 8, 1u);
    // Parts are taken as they come.
    if (llvm::any_of(uses.accesses, [](Operation *user) { return isa<ReadPartOp, WritePartOp>(user); }))
      return sharedLayout(tile, bytes);
    std::vector<SharedAccess> accesses;
    for (Operation *user : uses.accesses) {
      auto formOf = [&](const LinearLayout &registers) {
        bool matrix = bytes == 2 && matrixAccess(registers, sharedLayout(tile, bytes), bytes).has_value();
        return matrix ? AccessForm::matrix : AccessForm::vector;
      };
      if (auto write = dyn_cast<tile::WriteOp>(user)) {
        LinearLayout registers = layoutOf(write.getValue().getType()).getLayout();
        accesses.push_back({registers, formOf(registers)});
      }
      if (isa<tile::CopyOp>(user))
        accesses.push_back({user->getAttrOfType<LayoutAttr>("layout").getLayout(), AccessForm::vector});
      if (auto read = dyn_cast<tile::ReadOp>(user)) {
        LinearLayout registers = layoutOf(read.getResult().getType()).getLayout();
        accesses.push_back({registers, formOf(registers)});
      }
    }
    auto swizzle = chooseSwizzle(tile, bytes, accesses);
    if (!swizzle)
      return sharedLayout(tile, bytes);
    LinearLayout memory = sharedLayout(tile, bytes, *swizzle);
    for (const SharedAccess &access : accesses)
      conflicts += bankConflicts(access, memory, bytes);
    if (!swizzle->masks.empty())
      ++swizzled;
    return memory;
  }
};
} // namespace
