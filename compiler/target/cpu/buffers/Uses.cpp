#include "compiler/target/cpu/buffers/Uses.h"
#include "compiler/target/cpu/Access.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

std::optional<Layout> linmu::cpu::layoutReadBy(OpOperand &use) {
  if (rankOf(use.get().getType()) != 2)
    return std::nullopt;
  Operation *user = use.getOwner();
  unsigned operand = use.getOperandNumber();
  if (auto dot = dyn_cast<tile::DotOp>(user)) {
    if (operand == 0)
      return Layout::rows;
    if (operand == 1)
      return dot.getTransposeRhs() ? Layout::transposedPanels : Layout::panels;
    return std::nullopt;
  }
  if (auto solve = dyn_cast<tile::SolveOp>(user))
    return operand < solve.getSystems().size() ? std::optional(Layout::rows) : std::nullopt;
  if (isa<tile::DecayScoresOp, tile::DecayValuesOp, tile::DecayPathsOp, tile::ExtractOp, tile::TransposeOp>(
          user))
    return Layout::rows;
  return std::nullopt;
}

std::optional<Layout> linmu::cpu::layoutWrittenBy(Operation *op) {
  // Solutions are ready to be the right-hand sides of products.
  if (isa<tile::SolveOp>(op))
    return Layout::panels;
  if (isa<tile::ReduceOp, tile::CumsumOp, tile::CumprodOp, tile::TransposeOp, tile::ExtractOp,
          tile::DecayScoresOp, tile::DecayValuesOp, tile::DecayPathsOp, tile::ReadOp, scf::IfOp>(op))
    return Layout::rows;
  return std::nullopt;
}

bool linmu::cpu::isElementwise(Operation *op) {
  return op && op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1 &&
         isa<arith::ArithDialect, math::MathDialect>(op->getDialect());
}

static std::string printed(ArrayRef<Layout> layouts) {
  return "[" +
         llvm::join(llvm::map_range(layouts, [](Layout layout) { return nameOf(layout).str(); }), ", ") + "]";
}

/// That `tile` has what its uses read; `what` names it in messages of `owner`.
static LogicalResult checkTile(Operation *owner, const Twine &what, Value tile, ArrayRef<Layout> layouts) {
  if (rankOf(tile.getType()) < 2) {
    bool onlyRows = llvm::all_of(layouts, [](Layout layout) { return layout == Layout::rows; });
    if (!onlyRows || int64_t(layouts.size()) > rankOf(tile.getType()))
      return owner->emitOpError("requires ")
             << what << " of type " << tile.getType() << " to have "
             << (rankOf(tile.getType()) ? "at most one buffer, in rows" : "no buffer") << ", got "
             << printed(layouts);
    return success();
  }
  for (OpOperand &use : tile.getUses())
    if (auto wanted = layoutReadBy(use); wanted && !llvm::is_contained(layouts, *wanted))
      return owner->emitOpError("requires ")
             << what << " to have a buffer in " << nameOf(*wanted) << ", which '" << use.getOwner()->getName()
             << "' reads, got " << printed(layouts);
  return success();
}

static LogicalResult checkAttribute(Operation *op, StringRef name, size_t count,
                                    std::optional<SmallVector<Layouts>> &lists) {
  lists = layoutsIn(op, name);
  if (!lists)
    return op->emitOpError("requires the attribute '")
           << name
           << "' to hold a list of \"rows\", \"panels\" and \"transposed-panels\" for each value; run "
           << "assign-buffers";
  if (lists->size() != count)
    return op->emitOpError("requires '") << name << "' to hold a list for each of " << count
                                         << " values, got " << lists->size() << " lists";
  return success();
}

static LogicalResult checkLoop(scf::ForOp loop, ArrayRef<Layouts> results) {
  std::optional<SmallVector<Layouts>> carried;
  auto arguments = loop.getRegionIterArgs();
  if (failed(checkAttribute(loop, carriedAttribute, arguments.size(), carried)))
    return failure();
  auto next = nextValuesOf(loop);
  if (!next || next->size() != arguments.size())
    return loop.emitOpError("requires '")
           << nextAttribute
           << "' to hold one of \"scalar\", \"kept\", \"in-place\" and \"staged\" for each of "
           << arguments.size() << " carried values; run assign-buffers";
  for (auto [number, argument] : llvm::enumerate(arguments)) {
    ArrayRef<Layout> layouts = (*carried)[number];
    std::string what = "carried value " + std::to_string(number);
    if (failed(checkTile(loop, what, argument, layouts)))
      return failure();
    bool isTile = rankOf(argument.getType()) > 0;
    if (isTile == ((*next)[number] == NextValue::scalar))
      return loop.emitOpError("requires ")
             << what << " of type " << argument.getType() << " to be "
             << (isTile ? "kept, in-place or staged" : "scalar") << ", got " << nameOf((*next)[number]);
    if (isTile && (layouts.empty() || layouts.front() == Layout::transposedPanels ||
                   results[number].empty() || results[number].front() != layouts.front()))
      return loop.emitOpError("requires ")
             << what << " and the loop's result to be in one buffer of rows or panels, got "
             << printed(layouts) << " and " << printed(results[number]);
  }
  return success();
}

static LogicalResult checkOp(Operation *op) {
  auto loop = dyn_cast<scf::ForOp>(op);
  bool hasTiles = llvm::any_of(op->getResultTypes(), [](Type type) { return rankOf(type) > 0; });
  if (!hasTiles && !loop)
    return success();
  std::optional<SmallVector<Layouts>> buffers;
  if (failed(checkAttribute(op, buffersAttribute, op->getNumResults(), buffers)))
    return failure();
  std::optional<Layout> written = layoutWrittenBy(op);
  for (auto [result, layouts] : llvm::zip(op->getResults(), *buffers)) {
    std::string what = "result " + std::to_string(result.getResultNumber());
    if (failed(checkTile(op, what, result, layouts)))
      return failure();
    if (written && rankOf(result.getType()) > 0 && (layouts.empty() || layouts.front() != *written))
      return op->emitOpError("requires ")
             << what << " to have its first buffer in " << nameOf(*written) << ", got " << printed(layouts);
  }
  auto load = dyn_cast<tile::LoadOp>(op);
  if (load && buffers->front().empty() && !load->use_empty() && Access::of(load).isElements())
    return load.emitOpError("requires a buffer for elements of several rows, which are loaded one by one");
  return loop ? checkLoop(loop, *buffers) : success();
}

LogicalResult linmu::cpu::checkBuffers(tile::KernelOp kernel) {
  WalkResult result = kernel.getBody().walk<WalkOrder::PreOrder>([](Operation *op) {
    // What the target does not lower is reported where it would be.
    bool isKnown = isa<scf::ForOp, scf::IfOp>(op) || !op->getNumRegions();
    if (!isKnown)
      return WalkResult::skip();
    return failed(checkOp(op)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
