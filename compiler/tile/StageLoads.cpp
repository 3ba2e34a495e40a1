// stage-loads: what a loop loads is copied into rings of buffers, some steps ahead of its use.
#include "compiler/tile/Neighbours.h"
#include "compiler/tile/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_STAGELOADS
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

static int64_t bytesOf(RankedTensorType tile) {
  return tile.getNumElements() * std::max<int64_t>(tile.getElementType().getIntOrFloatBitWidth() / 8, 1);
}

/// Whether an op may be done for steps that do not happen: it is pure, or divides by what is at least 1.
static bool mayBeDoneAhead(Operation *op) {
  if (op->getNumRegions() > 0)
    return false;
  if (isPure(op))
    return true;
  if (!isa<arith::DivUIOp, arith::RemUIOp>(op))
    return false;
  auto maximum = op->getOperand(1).getDefiningOp<arith::MaxSIOp>();
  return maximum && llvm::any_of(maximum->getOperands(), [](Value operand) {
           std::optional<int64_t> constant = getConstantIntValue(operand);
           return constant && *constant >= 1;
         });
}

namespace {
/// The loads of one loop that are staged, and the ring of each.
class LoopStages {
public:
  LoopStages(scf::ForOp loop, int64_t stages) : loop_(loop), stages_(stages) {}

  /// Takes a load unless its ring would need more than `bytes`; gives what it needs, or 0.
  int64_t take(tile::LoadOp load, int64_t bytes);
  void setStages(int64_t stages) { stages_ = stages; }
  void run();
  int64_t count() const { return int64_t(loads_.size()); }

private:
  bool isKnownAhead(Value value, bool &moves);
  Value copied(OpBuilder &builder, tile::LoadOp load, Value step, Value ring, Value slot, int64_t ahead);
  Value slotAfter(OpBuilder &builder, Value slot, int64_t steps);
  bool isWaitedForInside();

  scf::ForOp loop_;
  int64_t stages_;
  SmallVector<tile::LoadOp> loads_;
};
} // namespace

/// Whether a value of the loop's body can be had for later steps: from the induction variable alone. `moves`
/// is set where it depends on it.
bool LoopStages::isKnownAhead(Value value, bool &moves) {
  if (value == loop_.getInductionVar())
    return moves = true;
  if (loop_.isDefinedOutsideOfLoop(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || !mayBeDoneAhead(op))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) { return isKnownAhead(operand, moves); });
}

int64_t LoopStages::take(tile::LoadOp load, int64_t bytes) {
  auto tile = dyn_cast<RankedTensorType>(load.getType());
  if (!tile || tile::isStored(load.getSource()))
    return 0;
  // A matrix of f32 that no product waits for, such as a state that is added, goes straight to registers.
  if (tile.getRank() == 2 && tile.getElementType().isF32() && loop_.getBody()->getOps<tile::DotOp>().empty())
    return 0;
  RankedTensorType memory = load.getSource().getType();
  int64_t last = memory.getRank() - 1, width = tile.getElementTypeBitWidth();
  if (width < 32 && !tile::isOfWholeWords(load))
    return 0;
  // What can be left out as a whole where a step does not exist: elements of a range, rows that are named.
  bool moves = false, canBeLeftOut = llvm::any_of(load.getIndices(), [](Value index) {
                        return isa<tile::RangeType, RankedTensorType>(index.getType());
                      });
  for (auto [axis, index] : llvm::enumerate(load.getIndices())) {
    bool moved = false;
    if (!isKnownAhead(index, moved))
      return 0;
    if (moved && (!canBeLeftOut || (int64_t(axis) == last && width < 32)))
      return 0;
    moves |= moved;
  }
  int64_t needed = stages_ * bytesOf(tile);
  if (!moves || needed > bytes)
    return 0;
  loads_.push_back(load);
  return needed;
}

/// (slot + steps) mod stages.
Value LoopStages::slotAfter(OpBuilder &builder, Value slot, int64_t steps) {
  Location loc = loop_.getLoc();
  Value next = arith::AddIOp::create(builder, loc, slot, arith::ConstantIndexOp::create(builder, loc, steps));
  Value stages = arith::ConstantIndexOp::create(builder, loc, stages_);
  Value wraps = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, next, stages);
  return arith::SelectOp::create(builder, loc, wraps, arith::SubIOp::create(builder, loc, next, stages),
                                 next);
}

/// Starts to copy what `load` reads at a step that need not exist: then nothing is read.
Value LoopStages::copied(OpBuilder &builder, tile::LoadOp load, Value step, Value ring, Value slot,
                         int64_t ahead) {
  Location loc = load.getLoc();
  IRMapping at;
  at.map(loop_.getInductionVar(), step);
  Value exists = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, step, loop_.getUpperBound());
  // Of a step that does not exist nothing is copied, of any range.
  auto limit = [&](tile::RangeOp range) {
    OpBuilder before(range);
    Value end =
        range.getTo()
            ? range.getTo()
            : Value(arith::ConstantIndexOp::create(before, loc, range.getResult().getType().getSize()));
    Value none = arith::ConstantIndexOp::create(before, loc, 0);
    range.getToMutable().assign(arith::SelectOp::create(before, loc, exists, end, none));
  };
  bool limited = false;
  std::function<Value(Value)> there = [&](Value value) -> Value {
    if (at.contains(value) || loop_.isDefinedOutsideOfLoop(value))
      return at.lookupOrDefault(value);
    bool moves = false;
    isKnownAhead(value, moves);
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      at.map(operand, there(operand));
    Operation *clone = builder.clone(*op, at);
    if (auto range = dyn_cast<tile::RangeOp>(clone); range && moves) {
      limit(range);
      limited = true;
    }
    at.map(value, clone->getResult(0));
    return clone->getResult(0);
  };
  bool named =
      llvm::any_of(load.getIndices(), [](Value index) { return isa<RankedTensorType>(index.getType()); });
  SmallVector<Value> indices = llvm::map_to_vector(load.getIndices(), there);
  limited |= named;
  for (Value &index : indices)
    if (auto range = index.getDefiningOp<tile::RangeOp>(); range && !limited) {
      auto own = cast<tile::RangeOp>(builder.clone(*range));
      limit(own);
      index = own.getResult();
      limited = true;
    }
  auto tile = cast<RankedTensorType>(load.getType());
  Value buffer = tile::SlotOp::create(
      builder, loc, tile::BufferType::get(builder.getContext(), tile.getShape(), tile.getElementType()), ring,
      slot, builder.getI64IntegerAttr(ahead));
  tile::CopyOp::create(builder, loc, load.getSource(), indices, buffer, named ? exists : Value());
  return buffer;
}

/// Whether loops inside alone read what is loaded, and wait for all copies before they do: those of this step
/// are then under way together with their own first ones.
bool LoopStages::isWaitedForInside() {
  auto waits = [&](Operation *user) {
    auto inner = dyn_cast<scf::ForOp>(loop_.getBody()->findAncestorOpInBlock(*user));
    auto wait = inner ? dyn_cast<tile::WaitOp>(inner.getBody()->front()) : tile::WaitOp();
    return wait && wait.getPending() == 0;
  };
  return llvm::all_of(loads_, [&](tile::LoadOp load) { return llvm::all_of(load->getUsers(), waits); });
}

void LoopStages::run() {
  OpBuilder builder(loop_);
  Location loc = loop_.getLoc();
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(builder, loc, value); };
  SmallVector<Value> rings;
  for (tile::LoadOp load : loads_) {
    auto tile = cast<RankedTensorType>(load.getType());
    SmallVector<int64_t> shape{stages_};
    llvm::append_range(shape, tile.getShape());
    rings.push_back(tile::AllocOp::create(
        builder, load.getLoc(), tile::BufferType::get(builder.getContext(), shape, tile.getElementType())));
  }
  // The first steps before the loop.
  Value step = loop_.getLowerBound();
  for (int64_t ahead = 0; ahead + 1 < stages_; ++ahead) {
    for (auto [load, ring] : llvm::zip(loads_, rings))
      copied(builder, load, step, ring, index(ahead), ahead);
    step = arith::AddIOp::create(builder, loc, step, loop_.getStep());
  }
  // One more value is carried: the slot of the step.
  IRRewriter rewriter(builder);
  auto grown = cast<scf::ForOp>(
      *loop_.replaceWithAdditionalYields(rewriter, index(0), /*replaceInitOperandUsesInLoop=*/false,
                                         [&](OpBuilder &at, Location, ArrayRef<BlockArgument> arguments) {
                                           return SmallVector<Value>{slotAfter(at, arguments.front(), 1)};
                                         }));
  loop_ = grown;
  Value slot = loop_.getRegionIterArgs().back();
  builder.setInsertionPointToStart(loop_.getBody());
  if (!isWaitedForInside())
    tile::WaitOp::create(builder, loc, builder.getI64IntegerAttr((stages_ - 2) * count()));
  // Behind the first product: those who wait for its operands do not wait for copies to be sent off as well,
  // and what orders its operands with the copies before orders the slot's last reads with these. Without one,
  // both need it here.
  auto products = loop_.getBody()->getOps<tile::DotOp>();
  if (products.empty())
    tile::BarrierOp::create(builder, loc);
  else
    builder.setInsertionPointAfter(*products.begin());
  Value later = loop_.getInductionVar();
  for (int64_t ahead = 1; ahead < stages_; ++ahead)
    later = arith::AddIOp::create(builder, loc, later, loop_.getStep());
  Value behind = slotAfter(builder, slot, stages_ - 1);
  // Around loops there are few steps, of which the last would find out for nothing what a next one loads.
  // With more stages a wait counts the copies of steps that do not exist.
  if (stages_ == 2 && !loop_.getBody()->getOps<scf::ForOp>().empty()) {
    Value exists =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, later, loop_.getUpperBound());
    auto branch = scf::IfOp::create(builder, loc, exists, /*withElseRegion=*/false);
    builder.setInsertionPointToStart(branch.thenBlock());
  }
  for (auto [load, ring] : llvm::zip(loads_, rings))
    copied(builder, load, later, ring, behind, stages_ - 1);
  for (auto [load, ring] : llvm::zip(loads_, rings)) {
    builder.setInsertionPoint(load);
    auto tile = cast<RankedTensorType>(load.getType());
    Value buffer = tile::SlotOp::create(
        builder, load.getLoc(),
        tile::BufferType::get(builder.getContext(), tile.getShape(), tile.getElementType()), ring, slot,
        builder.getI64IntegerAttr(0));
    load.replaceAllUsesWith(tile::ReadOp::create(builder, load.getLoc(), tile, buffer).getResult());
    load.erase();
  }
  // Those of steps that do not exist: their slots may hold other things behind the loop.
  builder.setInsertionPointAfter(loop_);
  tile::WaitOp::create(builder, loc, builder.getI64IntegerAttr(0));
}

namespace {
struct StageLoads : tile::impl::StageLoadsBase<StageLoads> {
  using StageLoadsBase::StageLoadsBase;

  void runOnOperation() override {
    if (stages < 2) {
      getOperation().emitError("stage-loads requires two stages at least, got ") << stages.getValue();
      return signalPassFailure();
    }
    for (auto kernel : getOperation().getOps<tile::KernelOp>())
      run(kernel);
  }

private:
  struct Loop {
    LoopStages loads;
    size_t outer;       ///< the number of the loop around it, or its own
    int64_t slot;       ///< bytes that its loads take of one step
    int64_t slots = 0;  ///< of its rings
    int64_t inside = 0; ///< bytes of the rings of loops in it, which have theirs in turn, in the same place
    int64_t bytes() const { return slots * slot; }
  };

  void run(tile::KernelOp kernel) {
    auto own = kernel->getAttrOfType<IntegerAttr>("ring_bytes");
    int64_t room = own ? own.getInt() : bytes;
    SmallVector<scf::ForOp> ops; // inner loops first
    kernel.getBody().walk([&](scf::ForOp loop) { ops.push_back(loop); });
    DenseMap<Operation *, size_t> numbers;
    for (auto [number, op] : llvm::enumerate(ops))
      numbers[op] = number;
    std::vector<Loop> loops;
    for (auto [number, op] : llvm::enumerate(ops)) {
      auto around = op->getParentOfType<scf::ForOp>();
      loops.push_back({LoopStages(op, stages), around ? numbers.lookup(around) : number, 0});
    }
    auto tellOuter = [&](size_t number) {
      for (Loop *loop = &loops[number]; loop->outer != size_t(loop - loops.data());) {
        Loop &outer = loops[loop->outer];
        outer.inside = std::max(outer.inside, loop->inside + loop->bytes());
        loop = &outer;
      }
    };
    for (auto [number, op] : llvm::enumerate(ops)) {
      Loop &loop = loops[number];
      int64_t needed = take(loop.loads, op, room - loop.inside);
      loop.slot = needed / stages;
      loop.slots = needed ? stages : 0;
      tellOuter(number);
    }
    if (auto deep = kernel->getAttrOfType<IntegerAttr>("deep_ring_bytes"))
      for (auto [number, loop] : llvm::enumerate(loops)) {
        int64_t around = 0;
        for (size_t at = number; loops[at].outer != at;)
          around += loops[at = loops[at].outer].bytes();
        while (loop.slot && loop.inside == 0 && loop.slots < most &&
               around + loop.bytes() + loop.slot <= std::min(room, deep.getInt()))
          ++loop.slots;
      }
    for (Loop &loop : loops)
      if (loop.slots) {
        loop.loads.setStages(loop.slots);
        staged += loop.loads.count();
        loop.loads.run();
      }
  }

  /// Takes the loads of a loop whose rings fit; gives the bytes of these.
  static int64_t take(LoopStages &stages, scf::ForOp loop, int64_t room) {
    // Small ones first: each saves the same wait.
    auto loads = llvm::to_vector(loop.getBody()->getOps<tile::LoadOp>());
    auto sizeOf = [](tile::LoadOp load) {
      auto tile = dyn_cast<RankedTensorType>(load.getType());
      return tile ? bytesOf(tile) : 0;
    };
    llvm::stable_sort(loads, [&](tile::LoadOp a, tile::LoadOp b) { return sizeOf(a) < sizeOf(b); });
    int64_t needed = 0;
    for (tile::LoadOp load : loads)
      needed += stages.take(load, room - needed);
    return needed;
  }
};
} // namespace
