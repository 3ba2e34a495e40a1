// The windowed algorithm: softmax attention inside the windows of each media item's grid.
//
// The work is cut into units: a cell of window_grid.h, or a share of its queries. A block serves one head of
// one sequence and every unit u = slot, slot + slots, ... of the items in turn. Slots are counted from the
// tokens, so that neither they nor the units depend on positions of windows outside the grid.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/window_softmax.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using arith::CmpIPredicate;

WindowTiles linmu::windowTilesOf(pattern::WindowAttentionOp op, const Schedule &schedule) {
  auto features = [](Value operand) { return cast<RankedTensorType>(operand.getType()).getDimSize(3); };
  return chooseWindowTiles({op.getVolume(), features(op.getKey()), features(op.getValue())}, schedule);
}

OpSchedule linmu::describeWindowed(const WindowTiles &tiles) {
  return {"windowed", {{"query_block", tiles.queries}, {"key_block", std::max(tiles.whole, tiles.keys)}}};
}

namespace {

class WindowKernel {
public:
  WindowKernel(pattern::WindowAttentionOp op, const WindowTiles &tiles, ProgramBuilder &program);
  LogicalResult run();
  LaunchPlan launch;

private:
  Value tokensInItems(Value from, Value to);
  void zeroTextTokens();
  LogicalResult walkItems();
  LogicalResult runUnit(const WindowItem &item, Value parts, Value unit);
  LogicalResult attend(const WindowQueries &queries);
  FailureOr<Value> attendFast(const WindowQueries &queries);

  Value fill(Value scalar, Value like) {
    return builder.fill(scalar, cast<RankedTensorType>(like.getType()).getShape());
  }
  Value constantLike(Value like, int64_t value) { return builder.splat(like.getType(), value); }
  /// The positions from, from + 1, ... as i32.
  Value range(Value from, int64_t count) {
    return builder.add(builder.fill(builder.toI32(from), {count}), builder.coordinate({count}));
  }
  Value ceilDivide(Value a, int64_t b) {
    return arith::DivUIOp::create(builder, builder.add(a, builder.index(b - 1)), builder.index(b));
  }

  pattern::WindowAttentionOp op;
  WindowTiles tiles;
  int64_t share; ///< queries of a unit, and tokens a slot
  IRMapping arguments;
  TileBuilder builder;
  Walk walk;
  Value media, slot, slots;
  std::optional<WindowGrid> grid;
  std::optional<WindowSoftmax> softmax;
};

} // namespace

WindowKernel::WindowKernel(pattern::WindowAttentionOp op, const WindowTiles &tiles, ProgramBuilder &program)
    : op(op), tiles(tiles), share(tiles.share), builder(op.getLoc(), op.getContext()) {
  launch = program.startKernel("windowed", op.getLoc(),
                               {op.getQuery(), op.getKey(), op.getValue(), op.getMedia(), op.getResult()},
                               arguments, builder);
  int64_t heads = cast<RankedTensorType>(op.getType()).getDimSize(2);
  launch.grid = {program.constant(heads), program.ceilDivide(program.tokens(), share), program.batch()};

  media = arguments.lookup(op.getMedia());
  walk.heads = heads;
  walk.tokens = tensor::DimOp::create(builder, arguments.lookup(op.getResult()), builder.index(1));
  walk.head = builder.blockId(0);
  walk.batch = builder.blockId(2);
  slot = builder.blockId(1);
  slots = tile::BlockCountOp::create(builder, builder.getIndexType(), 1);
  grid.emplace(op, builder, media);
  softmax.emplace(op, tiles, builder, *grid, walk, arguments);
}

/// The form that makes fewer products: all keys of the window at once, or as many blocks as the cell fills.
FailureOr<Value> WindowKernel::attendFast(const WindowQueries &queries) {
  if (op.getVolume() <= tiles.keys)
    return softmax->attendToWhole(queries);
  if (tiles.whole == 0)
    return softmax->attendByBlocks(queries);
  // Either no cell has more tokens than the whole tile, or that is one block.
  bool fits = op.getVolume() <= tiles.whole;
  Value whole =
      fits ? builder.compare(CmpIPredicate::sgt, queries.cell.tokens, builder.index(tiles.whole - tiles.keys))
           : builder.compare(CmpIPredicate::sle, queries.cell.tokens, builder.index(tiles.whole));
  auto choice = scf::IfOp::create(builder, builder.getF32Type(), whole, /*withElseRegion=*/true);
  auto fill = [&](Region &region, FailureOr<Value> (WindowSoftmax::*form)(const WindowQueries &)) {
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

LogicalResult WindowKernel::attend(const WindowQueries &queries) {
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

LogicalResult WindowKernel::runUnit(const WindowItem &item, Value parts, Value unit) {
  bool single = op.getVolume() <= share;
  Value cell = single ? unit : Value(arith::DivUIOp::create(builder, unit, parts));
  WindowQueries queries{.cell = grid->cellOf(item, cell)};
  queries.from = builder.index(0);
  queries.to = queries.cell.tokens;
  if (single)
    return attend(queries);
  queries.from = builder.multiply(arith::RemUIOp::create(builder, unit, parts), builder.index(share));
  queries.to = builder.minimum(queries.to, builder.add(queries.from, builder.index(share)));
  // Cells at the grid's ends have fewer queries than the largest, for which the parts are made.
  auto some = scf::IfOp::create(builder, builder.compare(CmpIPredicate::slt, queries.from, queries.to),
                                /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(some.thenBlock()->getTerminator());
  return attend(queries);
}

/// Unit i of an item whose units follow `base` earlier ones is this slot's where base + i = slot modulo the
/// slots.
LogicalResult WindowKernel::walkItems() {
  Value items = tensor::DimOp::create(builder, media, builder.index(0));
  Value zero = builder.index(0);
  auto loop = scf::ForOp::create(builder, zero, items, builder.index(1), zero);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  WindowItem item = grid->loadItem(loop.getInductionVar());
  Value parts = ceilDivide(item.largest, share);
  Value count = builder.multiply(item.count, parts);
  Value base = loop.getRegionIterArgs()[0];
  Value ahead = builder.subtract(builder.add(slot, slots), arith::RemUIOp::create(builder, base, slots));
  Value start = arith::RemUIOp::create(builder, ahead, slots);
  auto units = scf::ForOp::create(builder, start, count, slots);
  {
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPoint(units.getBody()->getTerminator());
    if (failed(runUnit(item, parts, units.getInductionVar())))
      return failure();
  }
  scf::YieldOp::create(builder, builder.add(base, count));
  return success();
}

/// How many of the tokens [from, to) are in items, which do not overlap; index.
Value WindowKernel::tokensInItems(Value from, Value to) {
  Value items = tensor::DimOp::create(builder, media, builder.index(0)), zero = builder.index(0);
  auto loop = scf::ForOp::create(builder, zero, items, builder.index(1), zero);
  OpBuilder::InsertionGuard guard(builder);
  if (!loop.getBody()->empty())
    loop.getBody()->back().erase();
  builder.setInsertionPointToEnd(loop.getBody());
  auto entry = [&](int64_t column) {
    return builder.toIndex(builder.load(media, {loop.getInductionVar(), builder.index(column)}));
  };
  Value first = entry(0);
  Value end = builder.add(first, builder.multiply(builder.multiply(entry(1), entry(2)), entry(3)));
  Value common = builder.subtract(builder.minimum(end, to), builder.maximum(first, from));
  scf::YieldOp::create(builder, builder.add(loop.getRegionIterArgs()[0], builder.maximum(common, zero)));
  return loop.getResult(0);
}

/// Of the share of tokens [slot * share, (slot + 1) * share) those in no item get zero.
void WindowKernel::zeroTextTokens() {
  constexpr int64_t step = 32;
  Value result = arguments.lookup(op.getResult());
  Value from = builder.multiply(slot, builder.index(share));
  Value to = builder.minimum(builder.add(from, builder.index(share)), walk.tokens);
  auto some = scf::IfOp::create(
      builder, builder.compare(CmpIPredicate::slt, tokensInItems(from, to), builder.subtract(to, from)),
      /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(some.thenBlock()->getTerminator());
  auto loop = scf::ForOp::create(builder, from, to, builder.index(step));
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  Value tokens = range(loop.getInductionVar(), step);
  Value live = builder.compare(CmpIPredicate::slt, tokens, fill(builder.toI32(to), tokens));

  Value items = tensor::DimOp::create(builder, media, builder.index(0));
  auto count =
      scf::ForOp::create(builder, builder.index(0), items, builder.index(1), constantLike(tokens, 0));
  {
    OpBuilder::InsertionGuard inner(builder);
    Block *body = count.getBody();
    if (!body->empty())
      body->back().erase();
    builder.setInsertionPointToEnd(body);
    auto entry = [&](int64_t column) {
      return builder.load(media, {count.getInductionVar(), builder.index(column)});
    };
    Value first = entry(0);
    Value size = builder.multiply(builder.multiply(entry(1), entry(2)), entry(3));
    Value inside =
        builder.both(builder.compare(CmpIPredicate::sge, tokens, fill(first, tokens)),
                     builder.compare(CmpIPredicate::slt, tokens, fill(builder.add(first, size), tokens)));
    scf::YieldOp::create(builder,
                         builder.select(inside, constantLike(tokens, 1), count.getRegionIterArgs()[0]));
  }
  Value outside = builder.compare(CmpIPredicate::eq, count.getResult(0), constantLike(tokens, 0));
  auto type = cast<RankedTensorType>(op.getType());
  Value zero = builder.splat(builder.tile({step, type.getDimSize(3)}, type.getElementType()), 0);
  builder.store(zero, result, walk.indices(builder, result, tokens), builder.both(live, outside));
}

LogicalResult WindowKernel::run() {
  zeroTextTokens();
  return walkItems();
}

FailureOr<OpPlan> linmu::deriveWindowed(pattern::WindowAttentionOp op, const Schedule &schedule,
                                        ProgramBuilder &program) {
  if (!op.getScore().empty())
    for (Operation &inner : op.getScore().front())
      for (Type type : llvm::concat<const Type>(llvm::to_vector(inner.getOperandTypes()),
                                                llvm::to_vector(inner.getResultTypes())))
        if (isa<RankedTensorType>(type))
          return inner.emitOpError("requires scalars in a score region, got ") << type;
  WindowTiles tiles = windowTilesOf(op, schedule);
  WindowKernel kernel(op, tiles, program);
  if (failed(kernel.run()))
    return failure();
  return OpPlan{describeWindowed(tiles), {kernel.launch}};
}
