// The windowed algorithm: softmax attention inside the windows of each media item's grid.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/window_softmax.h"
#include "compiler/derive/window_units.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using arith::CmpIPredicate;

WindowTiles linmu::windowTilesOf(const pattern::WindowView &view, const Schedule &schedule, int64_t scores) {
  return chooseWindowTiles({view.volume(), view.keyFeatures(), view.valueFeatures(), scores}, schedule);
}

OpSchedule linmu::describeWindowed(const WindowTiles &tiles) {
  return {"windowed", {{"query_block", tiles.queries}, {"key_block", std::max(tiles.whole, tiles.keys)}}};
}

namespace {

class WindowKernel {
public:
  WindowKernel(pattern::WindowAttentionOp op, const WindowTiles &tiles, int64_t slotTokens,
               ProgramBuilder &program);
  LogicalResult run();
  LaunchPlan launch;

private:
  LogicalResult attend(const WindowShare &queries);
  FailureOr<Value> attendFast(const WindowShare &queries);

  pattern::WindowView view;
  WindowTiles tiles;
  int64_t share; ///< queries of a unit
  IRMapping arguments;
  TileBuilder builder;
  Walk walk;
  Value result;
  std::optional<WindowGrid> grid;
  std::optional<WindowUnits> units;
  std::optional<WindowSoftmax> softmax;
};

} // namespace

WindowKernel::WindowKernel(pattern::WindowAttentionOp op, const WindowTiles &tiles, int64_t slotTokens,
                           ProgramBuilder &program)
    : view(pattern::WindowView::of(op)), tiles(tiles), share(tiles.share),
      builder(op.getLoc(), op.getContext()) {
  launch = program.startKernel("windowed", op.getLoc(),
                               {op.getQuery(), op.getKey(), op.getValue(), op.getMedia(), op.getResult()},
                               arguments, builder);
  launch.grid = WindowUnits::grid(program, view.heads(), slotTokens);
  result = arguments.lookup(op.getResult());
  walk = WindowUnits::walkOf(builder, result, view.heads(), view.heads());
  Value media = arguments.lookup(op.getMedia());
  grid.emplace(view, builder, media);
  units.emplace(view, share, slotTokens, builder, walk, *grid, media);
  softmax.emplace(view, tiles, builder, *grid, walk, arguments);
}

/// The form that makes fewer products: all keys of the window at once, or as many blocks as the cell fills.
FailureOr<Value> WindowKernel::attendFast(const WindowShare &queries) {
  if (view.volume() <= tiles.keys)
    return softmax->attendToWhole(queries);
  if (tiles.whole == 0)
    return softmax->attendByBlocks(queries);
  // Either no cell has more tokens than the whole tile, or that is one block.
  bool fits = view.volume() <= tiles.whole;
  Value whole =
      fits ? builder.compare(CmpIPredicate::sgt, queries.cell.tokens, builder.index(tiles.whole - tiles.keys))
           : builder.compare(CmpIPredicate::sle, queries.cell.tokens, builder.index(tiles.whole));
  auto choice = scf::IfOp::create(builder, builder.getF32Type(), whole, /*withElseRegion=*/true);
  auto fill = [&](Region &region, FailureOr<Value> (WindowSoftmax::*form)(const WindowShare &)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&region.front());
    FailureOr<Value> vote = ((*softmax).*form)(queries);
    if (succeeded(vote))
      scf::YieldOp::create(builder, *vote);
    return success(succeeded(vote));
  };
  if (failed(fill(choice.getThenRegion(), &WindowSoftmax::attendToWhole)) ||
      failed(fill(choice.getElseRegion(), &WindowSoftmax::attendByBlocks)))
    return failure();
  return choice.getResult(0);
}

LogicalResult WindowKernel::attend(const WindowShare &queries) {
  FailureOr<Value> vote = attendFast(queries);
  if (failed(vote))
    return failure();
  Value again = arith::CmpFOp::create(builder, arith::CmpFPredicate::UNE, *vote,
                                      builder.splat(builder.getF32Type(), 0));
  auto exact = scf::IfOp::create(builder, again, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(exact.thenBlock()->getTerminator());
  return softmax->attendExactly(queries);
}

LogicalResult WindowKernel::run() {
  units->zeroTextTokens(result);
  return units->forEach([&](const WindowShare &queries) { return attend(queries); });
}

FailureOr<OpPlan> linmu::deriveWindowed(pattern::WindowAttentionOp op, const Schedule &schedule,
                                        ProgramBuilder &program) {
  if (failed(requireScalars(op.getScore())))
    return failure();
  WindowTiles tiles = windowTilesOf(pattern::WindowView::of(op), schedule);
  // Blocks for more tokens than a unit has go over several one after the other, where the schedule says so.
  int64_t slotTokens = tiles.share;
  if (schedule.given.contains("window_share"))
    slotTokens = std::max(slotTokens, schedule.costs.window_share);
  WindowKernel kernel(op, tiles, slotTokens, program);
  if (failed(kernel.run()))
    return failure();
  return OpPlan{describeWindowed(tiles), {kernel.launch}};
}
