// The windowed algorithm: softmax attention inside the windows of each media item's grid.
//
// A block serves one head of one sequence and every window w = slot, slot + slots, ... of the items in turn.
// A window's keys and values are gathered once; its queries are scored against them in blocks of Q rows.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/step_emitter.h"
#include "compiler/derive/walk.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;
using arith::CmpIPredicate;

/// Below every score, and finite, so that differences stay numbers.
static constexpr double masked = -1e30;

static int64_t volumeOf(pattern::WindowAttentionOp op) {
  ArrayRef<int64_t> window = op.getWindow();
  return window[0] * window[1] * window[2];
}

int64_t linmu::queryBlockOf(pattern::WindowAttentionOp op, const Schedule &schedule) {
  return std::min(schedule.query_block, (volumeOf(op) + 7) / 8 * 8);
}

namespace {

/// One row of the media table: i32 scalars.
struct Item {
  Value first, extents[3];
  Value shifts[3];         ///< 0 on an axis that one window spans
  Value windows[3], count; ///< index: windows on each axis, and their product
};

/// Positions of a window as tiles of i32, one element a position.
struct Positions {
  Value coordinates[3]; ///< in the item's grid
  Value sides;          ///< bit a: beyond the wrap of axis a; null where nothing wraps or pairs may join
  Value rows;           ///< tokens; those of invalid positions are valid tokens all the same
  Value valid;          ///< i1
};

class WindowKernel {
public:
  WindowKernel(pattern::WindowAttentionOp op, int64_t queries, ProgramBuilder &program);
  LogicalResult run();
  LaunchPlan launch;

private:
  void zeroTextTokens();
  LogicalResult walkItems();
  LogicalResult attend(const Item &item, Value window);
  Item loadItem(Value index);
  Positions describe(const Item &item, ArrayRef<Value> origin, Value positions);
  FailureOr<Value> applyScore(Value scores, const Positions &query, const Positions &key);

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
  int64_t queries, volume;
  IRMapping arguments;
  TileBuilder builder;
  Walk walk;
  Value media, slot, slots;
  bool mayWrap;
};

} // namespace

WindowKernel::WindowKernel(pattern::WindowAttentionOp op, int64_t queries, ProgramBuilder &program)
    : op(op), queries(queries), volume(volumeOf(op)), builder(op.getLoc(), op.getContext()),
      mayWrap(!op.getJoinWrapped() && llvm::any_of(op.getShift(), [](int64_t shift) { return shift > 0; })) {
  launch = program.startKernel("windowed", op.getLoc(),
                               {op.getQuery(), op.getKey(), op.getValue(), op.getMedia(), op.getResult()},
                               arguments, builder);
  int64_t heads = cast<RankedTensorType>(op.getType()).getDimSize(2);
  launch.grid = {program.constant(heads), program.ceilDivide(program.tokens(), volume), program.batch()};

  media = arguments.lookup(op.getMedia());
  walk.heads = heads;
  walk.tokens = tensor::DimOp::create(builder, arguments.lookup(op.getResult()), builder.index(1));
  walk.head = builder.blockId(0);
  walk.batch = builder.blockId(2);
  slot = builder.blockId(1);
  slots = tile::BlockCountOp::create(builder, builder.getIndexType(), 1);
}

Item WindowKernel::loadItem(Value index) {
  Item item;
  auto entry = [&](int64_t column) { return builder.load(media, {index, builder.index(column)}); };
  item.first = entry(0);
  for (unsigned axis = 0; axis < 3; ++axis) {
    int64_t size = op.getWindow()[axis];
    item.extents[axis] = entry(axis + 1);
    Value several = builder.compare(CmpIPredicate::sgt, item.extents[axis], builder.i32(size));
    item.shifts[axis] = builder.select(several, builder.i32(op.getShift()[axis]), builder.i32(0));
    item.windows[axis] = ceilDivide(builder.toIndex(item.extents[axis]), size);
    item.count = axis == 0 ? item.windows[0] : builder.multiply(item.count, item.windows[axis]);
  }
  return item;
}

/// Position p of a window stands, after the shift, at origin + (p's digits), and so at coordinate
/// (origin + digits + shift) mod extent.
Positions WindowKernel::describe(const Item &item, ArrayRef<Value> origin, Value positions) {
  Positions result;
  Value rest = positions, token;
  result.valid = builder.compare(CmpIPredicate::slt, positions, constantLike(positions, volume));
  Value digits[3];
  for (int axis = 2; axis >= 0; --axis) {
    Value size = constantLike(positions, op.getWindow()[axis]);
    digits[axis] = axis == 0 ? rest : builder.remainder(rest, size);
    rest = builder.divide(rest, size);
  }
  for (unsigned axis = 0; axis < 3; ++axis) {
    Value extent = fill(item.extents[axis], positions);
    Value place = builder.add(digits[axis], fill(origin[axis], positions));
    result.valid = builder.both(result.valid, builder.compare(CmpIPredicate::slt, place, extent));
    Value coordinate = place;
    if (op.getShift()[axis] > 0) {
      Value shifted = builder.add(place, fill(item.shifts[axis], positions));
      Value beyond = builder.compare(CmpIPredicate::sge, shifted, extent);
      coordinate = builder.select(beyond, builder.subtract(shifted, extent), shifted);
      if (mayWrap) {
        Value side = builder.select(beyond, constantLike(positions, 1 << axis), constantLike(positions, 0));
        result.sides = result.sides ? builder.add(result.sides, side) : side;
      }
    }
    result.coordinates[axis] = coordinate;
    token = axis == 0 ? coordinate : builder.add(builder.multiply(token, extent), coordinate);
  }
  Value first = fill(item.first, positions);
  result.rows = builder.select(result.valid, builder.add(first, token), first);
  return result;
}

/// The score region on a tile of Q x P scores.
FailureOr<Value> WindowKernel::applyScore(Value scores, const Positions &query, const Positions &key) {
  if (op.getScore().empty())
    return scores;
  Block &block = op.getScore().front();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(scores.getType()).getShape();
  StepEmitter step(builder, shape, nullptr);
  step.bind(block.getArgument(0), {scores, true});
  for (unsigned axis = 0; axis < 3; ++axis) {
    step.bind(block.getArgument(1 + axis), {builder.along(query.coordinates[axis], 0, shape), true});
    step.bind(block.getArgument(4 + axis), {builder.along(key.coordinates[axis], 1, shape), true});
  }
  step.bind(block.getArgument(7), {builder.toI32(walk.head), false});
  if (failed(step.emit(block)))
    return failure();
  builder.setLoc(op.getLoc());
  return step.rows(cast<pattern::YieldOp>(block.getTerminator()).getOutputs()[0]);
}

LogicalResult WindowKernel::attend(const Item &item, Value window) {
  // The window's place on each axis, x fastest.
  Value origin[3], place[3], rest = window;
  for (int axis = 2; axis >= 0; --axis) {
    place[axis] = axis == 0 ? rest : Value(arith::RemUIOp::create(builder, rest, item.windows[axis]));
    if (axis > 0)
      rest = arith::DivUIOp::create(builder, rest, item.windows[axis]);
    origin[axis] = builder.toI32(builder.multiply(place[axis], builder.index(op.getWindow()[axis])));
  }
  auto memory = [&](Value value) { return arguments.lookup(value); };
  Positions keys = describe(item, origin, builder.coordinate({volume}));
  Value key = walk.load(builder, memory(op.getKey()), keys.rows);
  Value value = walk.load(builder, memory(op.getValue()), keys.rows);

  // Frames past the item's end come last: no query stands there.
  Value frames =
      builder.minimum(builder.subtract(item.extents[0], origin[0]), builder.i32(op.getWindow()[0]));
  Value last =
      builder.multiply(builder.toIndex(frames), builder.index(op.getWindow()[1] * op.getWindow()[2]));
  auto loop = scf::ForOp::create(builder, builder.index(0), last, builder.index(queries));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  Positions query = describe(item, origin, range(loop.getInductionVar(), queries));
  Value rows = walk.load(builder, memory(op.getQuery()), query.rows);
  rows = builder.multiply(rows, builder.splat(rows.getType(), op.getScale().convertToDouble()));

  SmallVector<int64_t> shape{queries, volume};
  FailureOr<Value> scores = applyScore(builder.dot(rows, key, {.transpose_rhs = true}), query, keys);
  if (failed(scores))
    return failure();
  Value visible = builder.along(keys.valid, 1, shape);
  if (query.sides)
    visible = builder.both(visible, builder.compare(CmpIPredicate::eq, builder.along(query.sides, 0, shape),
                                                    builder.along(keys.sides, 1, shape)));
  Value score = builder.select(visible, *scores, builder.splat(scores->getType(), masked));
  Value largest = builder.reduce(tile::ReduceKind::max, score, 1);
  Value weight = builder.exp(builder.subtract(score, builder.along(largest, 0, shape)));
  Value total = builder.sum(weight, 1);
  Value inverse = builder.divide(builder.splat(total.getType(), 1), total);
  Value mixed = builder.dot(weight, value, {});
  ArrayRef<int64_t> resultShape = cast<RankedTensorType>(mixed.getType()).getShape();
  mixed = builder.multiply(mixed, builder.along(inverse, 0, resultShape));
  Value result = memory(op.getResult());
  mixed = builder.round(mixed, getElementTypeOrSelf(result.getType()));
  builder.store(mixed, result, walk.indices(builder, result, query.rows), query.valid);
  return success();
}

/// Window i of an item whose windows follow `base` earlier ones is this slot's where base + i = slot modulo
/// the slots.
LogicalResult WindowKernel::walkItems() {
  Value items = tensor::DimOp::create(builder, media, builder.index(0));
  Value zero = builder.index(0);
  auto loop = scf::ForOp::create(builder, zero, items, builder.index(1), zero);
  OpBuilder::InsertionGuard guard(builder);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  Item item = loadItem(loop.getInductionVar());
  Value base = loop.getRegionIterArgs()[0];
  Value ahead = builder.subtract(builder.add(slot, slots), arith::RemUIOp::create(builder, base, slots));
  Value start = arith::RemUIOp::create(builder, ahead, slots);
  auto windows = scf::ForOp::create(builder, start, item.count, slots);
  {
    OpBuilder::InsertionGuard inner(builder);
    builder.setInsertionPoint(windows.getBody()->getTerminator());
    if (failed(attend(item, windows.getInductionVar())))
      return failure();
  }
  scf::YieldOp::create(builder, builder.add(base, item.count));
  return success();
}

/// Tokens [slot * volume, (slot + 1) * volume) that are in no item get zero.
void WindowKernel::zeroTextTokens() {
  constexpr int64_t step = 32;
  Value result = arguments.lookup(op.getResult());
  Value from = builder.multiply(slot, builder.index(volume));
  Value to = builder.minimum(builder.add(from, builder.index(volume)), walk.tokens);
  auto loop = scf::ForOp::create(builder, from, to, builder.index(step));
  OpBuilder::InsertionGuard guard(builder);
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
  int64_t queries = queryBlockOf(op, schedule);
  WindowKernel kernel(op, queries, program);
  if (failed(kernel.run()))
    return failure();
  return OpPlan{"windowed(queries=" + std::to_string(queries) + ")", {kernel.launch}};
}
