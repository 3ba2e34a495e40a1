#include "compiler/derive/window_softmax.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <limits>

using namespace mlir;
using namespace linmu;
using arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();

static ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

Value WindowSoftmax::compare(CmpFPredicate predicate, Value a, double b) {
  return arith::CmpFOp::create(builder, predicate, a, constantLike(a, b));
}

WindowSoftmax::Block WindowSoftmax::loadQueries(const WindowCell &cell, Value from) {
  Block block{.positions = grid.positions(cell, from, tiles.queries)};
  Value rows = walk.load(builder, arguments.lookup(op.getQuery()), block.positions.rows);
  block.rows = builder.multiply(rows, constantLike(rows, op.getScale().convertToDouble()));
  return block;
}

WindowSoftmax::Keys WindowSoftmax::loadKeys(const WindowCell &cell, Value from, int64_t count) {
  Keys keys{.positions = grid.positions(cell, from, count)};
  keys.key = walk.load(builder, arguments.lookup(op.getKey()), keys.positions.rows);
  keys.value = walk.load(builder, arguments.lookup(op.getValue()), keys.positions.rows);
  return keys;
}

FailureOr<Value> WindowSoftmax::applyScore(Value scores, ArrayRef<StepTile> query, ArrayRef<StepTile> key) {
  if (op.getScore().empty())
    return scores;
  mlir::Block &block = op.getScore().front();
  StepEmitter step(builder, shapeOf(scores), nullptr);
  step.bind(block.getArgument(0), {scores, true});
  for (unsigned axis = 0; axis < 3; ++axis) {
    step.bind(block.getArgument(1 + axis), query[axis]);
    step.bind(block.getArgument(4 + axis), key[axis]);
  }
  step.bind(block.getArgument(7), {builder.toI32(walk.head), false});
  if (failed(step.emit(block)))
    return failure();
  builder.setLoc(op.getLoc());
  return step.rows(cast<pattern::YieldOp>(block.getTerminator()).getOutputs()[0]);
}

FailureOr<Value> WindowSoftmax::scores(const Block &queries, const Keys &keys) {
  Value products = builder.dot(queries.rows, keys.key, {.transpose_rhs = true});
  ArrayRef<int64_t> shape = shapeOf(products);
  SmallVector<StepTile, 3> query, key;
  for (unsigned axis = 0; axis < 3; ++axis) {
    query.push_back({builder.along(queries.positions.coordinates[axis], 0, shape), true});
    key.push_back({builder.along(keys.positions.coordinates[axis], 1, shape), true});
  }
  FailureOr<Value> scores = applyScore(products, query, key);
  if (failed(scores))
    return failure();
  Value present = builder.along(keys.positions.valid, 1, shape);
  return builder.select(present, *scores, constantLike(*scores, -infinity));
}

Value WindowSoftmax::offsetOf(Value largest) {
  return builder.select(compare(CmpFPredicate::OEQ, largest, -infinity), constantLike(largest, 0), largest);
}

WindowSoftmax::Sums WindowSoftmax::addKeys(const Sums &before, Value scores, Value value) {
  Sums after;
  after.largest = builder.reduce(tile::ReduceKind::max, scores, 1);
  if (before.largest)
    after.largest = builder.maximum(before.largest, after.largest);
  Value offset = offsetOf(after.largest);
  Value weight = builder.exp(builder.subtract(scores, builder.along(offset, 0, shapeOf(scores))));
  after.total = builder.sum(weight, 1);
  Value kept, init;
  if (before.largest) {
    kept = builder.exp(builder.subtract(before.largest, offset));
    after.total = builder.add(builder.multiply(before.total, kept), after.total);
    init = builder.multiply(before.mixed, builder.along(kept, 0, shapeOf(before.mixed)));
  }
  after.mixed = builder.dot(weight, value, {.init = init});
  return after;
}

Value WindowSoftmax::inverseOf(Value total) {
  Value none = compare(CmpFPredicate::OEQ, total, 0);
  return builder.select(none, constantLike(total, 0), builder.divide(constantLike(total, 1), total));
}

Value WindowSoftmax::average(const Sums &sums) {
  return builder.multiply(sums.mixed, builder.along(inverseOf(sums.total), 0, shapeOf(sums.mixed)));
}

FailureOr<Value>
WindowSoftmax::forEachBlock(const WindowQueries &queries, Value votes,
                            function_ref<FailureOr<Value>(const Block &block, Value &votes)> attend) {
  auto loop = scf::ForOp::create(builder, queries.from, queries.to, builder.index(tiles.queries), votes);
  {
    OpBuilder::InsertionGuard guard(builder);
    if (!loop.getBody()->empty())
      loop.getBody()->back().erase();
    builder.setInsertionPointToEnd(loop.getBody());
    Block block = loadQueries(queries.cell, loop.getInductionVar());
    Value counted = loop.getRegionIterArgs()[0];
    FailureOr<Value> mixed = attend(block, counted);
    if (failed(mixed))
      return failure();
    Value result = arguments.lookup(op.getResult());
    builder.store(builder.round(*mixed, getElementTypeOrSelf(result.getType())), result,
                  walk.indices(builder, result, block.positions.rows), block.positions.valid);
    scf::YieldOp::create(builder, counted);
  }
  return builder.sum(loop.getResult(0), 0);
}

FailureOr<WindowSoftmax::Sums> WindowSoftmax::sumBlocks(const WindowCell &cell, const Block &queries,
                                                        Value &votes) {
  int64_t features = cast<RankedTensorType>(op.getValue().getType()).getDimSize(3);
  Type row = builder.f32Tile({tiles.queries}), matrix = builder.f32Tile({tiles.queries, features});
  SmallVector<Value> inits{builder.splat(row, -infinity), builder.splat(row, 0), builder.splat(matrix, 0),
                           votes};
  auto loop = scf::ForOp::create(builder, builder.index(0), cell.tokens, builder.index(tiles.keys), inits);
  OpBuilder::InsertionGuard guard(builder);
  if (!loop.getBody()->empty())
    loop.getBody()->back().erase();
  builder.setInsertionPointToEnd(loop.getBody());
  auto unpack = [](ValueRange values) { return Sums{values[0], values[1], values[2]}; };
  Keys keys = loadKeys(cell, loop.getInductionVar(), tiles.keys);
  FailureOr<Value> score = scores(queries, keys);
  if (failed(score))
    return failure();
  Sums sums = addKeys(unpack(loop.getRegionIterArgs()), *score, keys.value);
  votes = builder.add(loop.getRegionIterArgs()[3], votesOf(keys.value));
  scf::YieldOp::create(builder, ValueRange{sums.largest, sums.total, sums.mixed, votes});
  votes = loop.getResult(3);
  return unpack(loop.getResults());
}

FailureOr<Value> WindowSoftmax::attendToWhole(const WindowQueries &queries) {
  Keys keys = loadKeys(queries.cell, builder.index(0), tiles.whole);
  return forEachBlock(queries, votesOf(keys.value), [&](const Block &block, Value &) -> FailureOr<Value> {
    FailureOr<Value> score = scores(block, keys);
    if (failed(score))
      return failure();
    return average(addKeys({}, *score, keys.value));
  });
}

FailureOr<Value> WindowSoftmax::attendByBlocks(const WindowQueries &queries) {
  int64_t features = cast<RankedTensorType>(op.getValue().getType()).getDimSize(3);
  Value none = builder.splat(builder.f32Tile({features}), 0);
  return forEachBlock(queries, none, [&](const Block &block, Value &votes) -> FailureOr<Value> {
    FailureOr<Sums> sums = sumBlocks(queries.cell, block, votes);
    if (failed(sums))
      return failure();
    return average(*sums);
  });
}
