// narrow-temporaries: what launches hand over in f32, only to round it, is handed over rounded.
#include "compiler/tile/Passes.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_NARROWTEMPORARIES
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

namespace {
/// One temporary and the kernels' arguments that stand for it.
class Temporary {
public:
  explicit Temporary(tile::TemporaryOp op) : op_(op) {}

  /// The type that all loads round it to; null where one does not, or two differ.
  Type roundedTo();
  void narrow(Type element);

private:
  bool findArguments();

  tile::TemporaryOp op_;
  SmallVector<BlockArgument> arguments_;
};
} // namespace

/// Whether it is nothing but an operand of launches.
bool Temporary::findArguments() {
  auto program = op_->getParentOfType<tile::ProgramOp>();
  for (OpOperand &use : op_.getResult().getUses()) {
    auto launch = dyn_cast<tile::LaunchOp>(use.getOwner());
    if (!launch)
      return false;
    auto kernel = cast<tile::KernelOp>(SymbolTable::lookupSymbolIn(program, launch.getKernelAttr()));
    unsigned number = use.getOperandNumber() - launch.getArguments().getBeginOperandIndex();
    BlockArgument argument = kernel.getBody().getArgument(number);
    // Other launches of the kernel may have something else there.
    for (auto variant : program.getOps<tile::VariantOp>())
      for (auto other : variant.getOps<tile::LaunchOp>())
        if (other.getKernel() == launch.getKernel() && other.getArguments()[number] != op_.getResult())
          return false;
    if (!llvm::is_contained(arguments_, argument))
      arguments_.push_back(argument);
  }
  return true;
}

Type Temporary::roundedTo() {
  if (!op_.getResult().getType().getElementType().isF32() || !findArguments())
    return {};
  Type element;
  for (BlockArgument argument : arguments_)
    for (Operation *user : argument.getUsers()) {
      auto load = dyn_cast<tile::LoadOp>(user);
      if (!load && !isa<tile::StoreOp>(user))
        return {};
      if (!load)
        continue;
      for (Operation *reader : load->getUsers()) {
        auto round = dyn_cast<arith::TruncFOp>(reader);
        Type to = round ? getElementTypeOrSelf(round.getType()) : Type();
        if (!to || (element && element != to))
          return {};
        element = to;
      }
    }
  return element;
}

void Temporary::narrow(Type element) {
  auto narrowed = [&](Type type) { return cast<RankedTensorType>(type).clone(element); };
  op_.getResult().setType(narrowed(op_.getResult().getType()));
  for (BlockArgument argument : arguments_) {
    argument.setType(narrowed(argument.getType()));
    for (Operation *user : llvm::make_early_inc_range(argument.getUsers())) {
      if (auto store = dyn_cast<tile::StoreOp>(user)) {
        OpBuilder builder(store);
        Type type = store.getValue().getType();
        Type to = isa<RankedTensorType>(type) ? Type(narrowed(type)) : element;
        store.getValueMutable().assign(
            arith::TruncFOp::create(builder, store.getLoc(), to, store.getValue()));
        continue;
      }
      auto load = cast<tile::LoadOp>(user);
      Type type = load.getResult().getType();
      load.getResult().setType(isa<RankedTensorType>(type) ? Type(narrowed(type)) : element);
      for (Operation *reader : llvm::make_early_inc_range(load->getUsers())) {
        reader->getResult(0).replaceAllUsesWith(load.getResult());
        reader->erase();
      }
    }
  }
}

namespace {
struct NarrowTemporaries : tile::impl::NarrowTemporariesBase<NarrowTemporaries> {
  using NarrowTemporariesBase::NarrowTemporariesBase;

  void runOnOperation() override {
    for (auto op : llvm::make_early_inc_range(getOperation().getOps<tile::TemporaryOp>())) {
      Temporary temporary(op);
      Type element = temporary.roundedTo();
      if (!element)
        continue;
      temporary.narrow(element);
      ++narrowed;
    }
  }
};
} // namespace
