// assign-buffers: which tiles are materialised, and in which layouts.
//
// Values with random access (operands of products and solves) and costly values with several uses are
// materialised where they are defined; all others are recomputed, a register block at a time, wherever a
// consumer asks for them, so that a chain of elementwise ops behind a product becomes part of the product's
// own loop nest.
#include "compiler/target/cpu/Access.h"
#include "compiler/target/cpu/Passes.h"
#include "compiler/target/cpu/buffers/Uses.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

namespace linmu::cpu {
#define GEN_PASS_DEF_ASSIGNBUFFERS
#include "compiler/target/cpu/Passes.h.inc"
} // namespace linmu::cpu

namespace {

/// Which layouts the uses of a matrix read, and how often others ask for blocks of it.
struct Demand {
  bool rows = false, panels = false, transposed = false;
  int64_t others = 0;

  bool any() const { return rows || panels || transposed; }

  static Demand of(Value tile) {
    Demand demand;
    for (OpOperand &use : tile.getUses()) {
      std::optional<Layout> layout = layoutReadBy(use);
      demand.rows |= layout == Layout::rows;
      demand.panels |= layout == Layout::panels;
      demand.transposed |= layout == Layout::transposedPanels;
      // A consumer in an inner loop asks again and again.
      if (!layout)
        demand.others += use.getOwner()->getBlock() == tile.getParentBlock() ? 1 : 2;
    }
    return demand;
  }
};

/// Decides for the ops of a kernel in program order.
class Assignment {
public:
  void assign(mlir::Block &body);

  std::int64_t materialised = 0, recomputed = 0;

private:
  void assignOp(Operation &op);
  void assignLoop(scf::ForOp loop);
  void assignNextValues(scf::ForOp loop);
  Layouts layoutsOf(Value tile, std::optional<Layout> written);
  Layouts layoutsOfVector(Value tile);
  Layouts layoutsOfMatrix(Value tile, std::optional<Layout> written);
  bool isExpensive(Value tile, int &budget);
  bool hasBuffer(Value tile) const { return !layouts_.lookup(tile).empty(); }
  /// Whether blocks of the tile itself can be read from a buffer.
  bool isReadable(Value tile) const;
  void collectReads(Value tile, llvm::SetVector<Value> &sameBlock, llvm::SetVector<Value> &anywhere) const;
  void note(Value tile, const Layouts &layouts);

  llvm::DenseMap<Value, Layouts> layouts_;
};

void addMissing(Layouts &layouts, Layout layout) {
  if (!llvm::is_contained(layouts, layout))
    layouts.push_back(layout);
}

bool Assignment::isReadable(Value tile) const {
  Layouts layouts = layouts_.lookup(tile);
  return llvm::is_contained(layouts, Layout::rows) || llvm::is_contained(layouts, Layout::panels);
}

void Assignment::note(Value tile, const Layouts &layouts) {
  layouts_[tile] = layouts;
  if (rankOf(tile.getType()) > 0)
    ++(layouts.empty() ? recomputed : materialised);
}

void Assignment::assign(mlir::Block &body) {
  for (Operation &op : body)
    assignOp(op);
}

void Assignment::assignOp(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return assignLoop(loop);
  for (Region &region : op.getRegions())
    for (mlir::Block &block : region)
      assign(block);
  bool hasTiles = llvm::any_of(op.getResultTypes(), [](Type type) { return rankOf(type) > 0; });
  if (!hasTiles)
    return;
  std::optional<Layout> written = layoutWrittenBy(&op);
  SmallVector<Layouts> results;
  for (Value result : op.getResults()) {
    results.push_back(layoutsOf(result, written));
    note(result, results.back());
  }
  setLayouts(&op, buffersAttribute, results);
}

/// A carried tile lives in one buffer, also before the first and after the last iteration.
void Assignment::assignLoop(scf::ForOp loop) {
  SmallVector<Layouts> carried, results;
  for (auto [argument, result] : llvm::zip(loop.getRegionIterArgs(), loop.getResults())) {
    Layouts &ofArgument = carried.emplace_back(), &ofResult = results.emplace_back();
    if (rankOf(argument.getType()) == 0)
      continue;
    // Panels serve both products and elementwise access.
    Demand demand = Demand::of(argument);
    Layout written = demand.panels ? Layout::panels : Layout::rows;
    ofArgument = {written};
    if (demand.rows)
      addMissing(ofArgument, Layout::rows);
    if (demand.transposed)
      addMissing(ofArgument, Layout::transposedPanels);
    ofResult = layoutsOf(result, written);
    note(argument, ofArgument);
    layouts_[result] = ofResult;
  }
  assign(*loop.getBody());
  setLayouts(loop, carriedAttribute, carried);
  setLayouts(loop, buffersAttribute, results);
  assignNextValues(loop);
}

/// What computing blocks of `tile` where it is used reads: tiles at the same block, and tiles anywhere.
void Assignment::collectReads(Value tile, llvm::SetVector<Value> &sameBlock,
                              llvm::SetVector<Value> &anywhere) const {
  if (rankOf(tile.getType()) == 0)
    return;
  if (hasBuffer(tile)) {
    sameBlock.insert(tile);
    return;
  }
  Operation *op = tile.getDefiningOp();
  if (!op || isa<arith::ConstantOp, tile::CoordinateOp, tile::LoadOp>(op))
    return;
  if (auto dot = dyn_cast<tile::DotOp>(op)) {
    anywhere.insert(dot.getLhs());
    anywhere.insert(dot.getRhs());
    if (dot.getInit())
      collectReads(dot.getInit(), sameBlock, anywhere);
    return;
  }
  if (isa<tile::BroadcastOp>(op)) {
    // A vector laid along an axis is read by every block of the other.
    llvm::SetVector<Value> inner;
    collectReads(op->getOperand(0), inner, anywhere);
    anywhere.insert(inner.begin(), inner.end());
    return;
  }
  for (Value operand : op->getOperands())
    collectReads(operand, sameBlock, anywhere);
}

/// A tile whose next value reads its old one only at the block that it writes, and whose old value no other
/// next value reads, is computed in place.
void Assignment::assignNextValues(scf::ForOp loop) {
  struct Update {
    size_t number;
    Value argument, value;
    llvm::SetVector<Value> sameBlock, anywhere;
  };
  SmallVector<Update> updates;
  SmallVector<NextValue> next(loop.getNumRegionIterArgs(), NextValue::scalar);
  for (auto [number, argument, value] :
       llvm::enumerate(loop.getRegionIterArgs(), loop.getBody()->getTerminator()->getOperands())) {
    if (rankOf(value.getType()) == 0)
      continue;
    next[number] = NextValue::kept;
    if (value == argument)
      continue;
    Update update{number, argument, value, {}, {}};
    collectReads(value, update.sameBlock, update.anywhere);
    updates.push_back(std::move(update));
  }
  for (Update &update : updates) {
    bool inPlace = rankOf(update.value.getType()) == 2 && !hasBuffer(update.value) &&
                   !update.anywhere.contains(update.argument);
    for (Update &other : updates)
      if (&other != &update &&
          (other.sameBlock.contains(update.argument) || other.anywhere.contains(update.argument)))
        inPlace = false;
    next[update.number] = inPlace ? NextValue::inPlace : NextValue::staged;
  }
  setNextValues(loop, next);
}

Layouts Assignment::layoutsOf(Value tile, std::optional<Layout> written) {
  if (rankOf(tile.getType()) == 0)
    return {};
  if (rankOf(tile.getType()) == 1)
    return written ? Layouts{*written} : layoutsOfVector(tile);
  return layoutsOfMatrix(tile, written);
}

static bool isTrivial(Operation *op) {
  return isa<arith::ConstantOp, tile::CoordinateOp>(op) ||
         (isa<tile::BroadcastOp>(op) && rankOf(op->getOperand(0).getType()) == 0);
}

Layouts Assignment::layoutsOfVector(Value tile) {
  // Bits are recomputed from what they compare; everything else of one axis is small.
  Operation *op = tile.getDefiningOp();
  auto load = dyn_cast<tile::LoadOp>(op);
  bool passThrough = load && !Access::of(load).isElements() &&
                     llvm::all_of(tile.getUsers(), [](Operation *user) { return isa<arith::ExtFOp>(user); });
  bool isBits = getElementTypeOrSelf(tile.getType()).isInteger(1);
  if (isTrivial(op) || tile.use_empty() || passThrough || (isBits && !load))
    return {};
  return {Layout::rows};
}

Layouts Assignment::layoutsOfMatrix(Value tile, std::optional<Layout> written) {
  Operation *op = tile.getDefiningOp();
  Demand demand = Demand::of(tile);
  int budget = 8;
  bool passThrough = isa<tile::LoadOp>(op) && demand.others == 1 && !demand.any();
  bool isCostly =
      !written && demand.others > 1 && !isTrivial(op) && !passThrough && isExpensive(tile, budget);
  Layouts layouts;
  if (written)
    layouts.push_back(*written);
  if (demand.rows || isCostly || (demand.transposed && demand.others > 0 && !demand.panels))
    addMissing(layouts, Layout::rows);
  if (demand.panels)
    addMissing(layouts, Layout::panels);
  if (demand.transposed)
    addMissing(layouts, Layout::transposedPanels);
  return layouts;
}

/// Whether recomputing the tile costs more than reading it back.
bool Assignment::isExpensive(Value tile, int &budget) {
  if (rankOf(tile.getType()) < 2 || isReadable(tile))
    return false;
  Operation *op = tile.getDefiningOp();
  if (!op || isa<arith::ConstantOp, tile::BroadcastOp, tile::CoordinateOp>(op))
    return false;
  if (isa<tile::LoadOp, tile::DotOp, arith::DivFOp>(op) || isa<math::MathDialect>(op->getDialect()) ||
      --budget < 0)
    return true;
  return llvm::any_of(op->getOperands(), [&](Value operand) { return isExpensive(operand, budget); });
}

struct AssignBuffers : linmu::cpu::impl::AssignBuffersBase<AssignBuffers> {
  using AssignBuffersBase::AssignBuffersBase;

  void runOnOperation() override {
    getOperation().walk([&](tile::KernelOp kernel) {
      Assignment assignment;
      assignment.assign(kernel.getBody().front());
      materialised += assignment.materialised;
      recomputed += assignment.recomputed;
    });
  }
};

} // namespace
