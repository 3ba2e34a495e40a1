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
      tile::BufferType type = alloc.getResult().getType();
      LinearLayout memory =
          type.getShape().size() == 1
              ? LinearLayout::identity(offsetInput, rowOutput, llvm::Log2_64(type.getShape()[0]))
              : matrixOf(alloc, type);
      alloc->setAttr("layout", LayoutAttr::get(&getContext(), memory));
    });
  }

private:
  LinearLayout matrixOf(tile::AllocOp alloc, tile::BufferType type) {
    Extents tile{llvm::Log2_64(type.getShape()[0]), llvm::Log2_64(type.getShape()[1])};
    unsigned bytes = std::max(type.getElementType().getIntOrFloatBitWidth() / 8, 1u);
    // Parts are taken as they come.
    if (llvm::any_of(alloc->getUsers(), [](Operation *user) { return isa<ReadPartOp, WritePartOp>(user); }))
      return sharedLayout(tile, bytes);
    std::vector<SharedAccess> accesses;
    for (Operation *user : alloc->getUsers()) {
      if (auto write = dyn_cast<tile::WriteOp>(user))
        accesses.push_back({layoutOf(write.getValue().getType()).getLayout(), AccessForm::vector});
      if (auto read = dyn_cast<tile::ReadOp>(user)) {
        LinearLayout registers = layoutOf(read.getResult().getType()).getLayout();
        bool matrix = bytes == 2 && matrixAccess(registers, sharedLayout(tile, bytes), bytes).has_value();
        accesses.push_back({registers, matrix ? AccessForm::matrix : AccessForm::vector});
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
