// Places the buffers of a kernel in its shared memory: those that are not alive at once may share it, where
// it is short.
#include "compiler/target/cuda/Passes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_ALLOCATESHARED
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

namespace {
/// A buffer, from the first op that touches it to the last, in the order of the kernel's text.
struct Life {
  memref::AllocOp alloc;
  int64_t first = 0, last = 0, bytes = 0, offset = 0;
  bool copied = false; ///< copies write to it, such as to a ring
  bool meets(const Life &other) const { return first <= other.last && other.first <= last; }
  bool overlaps(const Life &other) const {
    return offset < other.offset + other.bytes && other.offset < offset + bytes;
  }
};

struct AllocateShared : linmu::cuda::impl::AllocateSharedBase<AllocateShared> {
  using AllocateSharedBase::AllocateSharedBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>())
      place(kernel);
  }

private:
  void place(tile::KernelOp kernel);
  int64_t placeApart(MutableArrayRef<Life *> order, int64_t total) const;
  SmallVector<Life> livesOf(tile::KernelOp kernel);
};
} // namespace

SmallVector<Life> AllocateShared::livesOf(tile::KernelOp kernel) {
  DenseMap<Operation *, int64_t> numbers;
  int64_t count = 0;
  kernel.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) { numbers[op] = count++; });
  // The number behind the last op inside an op.
  auto endOf = [&](Operation *op) {
    int64_t last = numbers[op];
    op->walk([&](Operation *inner) { last = std::max(last, numbers[inner]); });
    return last;
  };
  SmallVector<Life> lives;
  kernel.getBody().walk([&](memref::AllocOp alloc) {
    Life life{alloc, numbers[alloc], numbers[alloc]};
    MemRefType type = alloc.getType();
    life.bytes = llvm::alignTo(type.getNumElements() * type.getElementTypeBitWidth() / 8, 128);
    for (Operation *user : alloc->getUsers()) {
      // What a loop inside reads of a buffer from outside is alive in all of it.
      Operation *in = user;
      while (in->getBlock() != alloc->getBlock())
        in = in->getParentOp();
      life.last = std::max(life.last, endOf(in));
      // Copies write to it until they are waited for.
      life.copied |= isa<CopyOp>(user);
      if (auto copy = dyn_cast<CopyOp>(user))
        for (Operation *next = in->getNextNode(); next; next = next->getNextNode())
          if (auto wait = dyn_cast<WaitOp>(next); wait && wait.getPending() == 0) {
            life.last = std::max(life.last, numbers[next]);
            break;
          }
    }
    lives.push_back(life);
  });
  return lives;
}

/// Moves what threads exchange behind all the rest while a multiprocessor holds as many blocks with it: where
/// nothing else lies, what is written need not wait until others have read. Gives the bytes of all.
int64_t AllocateShared::placeApart(MutableArrayRef<Life *> order, int64_t total) const {
  constexpr int64_t ofBlock = 1024; // that each takes beside its own; so much more has a multiprocessor
  if (total == 0 || total > int64_t(room))
    return total;
  int64_t blocks = (room + ofBlock) / (total + ofBlock), most = (room + ofBlock) / blocks - ofBlock;
  for (Life *life : llvm::reverse(order)) { // the smallest first
    bool shares = llvm::any_of(order, [&](Life *other) { return other != life && life->overlaps(*other); });
    if (life->copied || !shares || total + life->bytes > most)
      continue;
    life->offset = total;
    total += life->bytes;
  }
  return total;
}

void AllocateShared::place(tile::KernelOp kernel) {
  SmallVector<Life> lives = livesOf(kernel);
  int64_t total = 0, apart = 0;
  SmallVector<Life *> placed;
  SmallVector<Life *> order;
  for (Life &life : lives)
    order.push_back(&life);
  // The largest first.
  llvm::stable_sort(order, [](const Life *a, const Life *b) { return a->bytes > b->bytes; });
  for (Life *life : order) {
    bool moved = true;
    while (moved) {
      moved = false;
      for (Life *other : placed)
        if (life->meets(*other) && life->overlaps(*other)) {
          life->offset = other->offset + other->bytes;
          moved = true;
        }
    }
    placed.push_back(life);
    total = std::max(total, life->offset + life->bytes);
    apart += life->bytes;
  }
  total = placeApart(order, total);
  bytes += total;
  saved += apart - total;
  kernel.setSharedBytes(total);
  if (lives.empty())
    return;
  Block &body = kernel.getBody().front();
  OpBuilder builder(&body, body.begin());
  auto space = gpu::AddressSpaceAttr::get(&getContext(), gpu::AddressSpace::Workgroup);
  auto memory =
      MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(), MemRefLayoutAttrInterface(), space);
  Value all = gpu::DynamicSharedMemoryOp::create(builder, kernel.getLoc(), memory);
  for (Life &life : lives) {
    builder.setInsertionPointAfterValue(all);
    Value offset = arith::ConstantIndexOp::create(builder, life.alloc.getLoc(), life.offset);
    Value view =
        memref::ViewOp::create(builder, life.alloc.getLoc(), life.alloc.getType(), all, offset, ValueRange{});
    life.alloc.getResult().replaceAllUsesWith(view);
    life.alloc.erase();
  }
}
