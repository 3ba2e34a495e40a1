#include "compiler/derive/window_softmax.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <limits>
#include <numbers>

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
  block.rows = walk.load(builder, arguments.lookup(view.query), block.positions.rows);
  return block;
}

WindowSoftmax::Keys WindowSoftmax::loadKeys(const WindowCell &cell, Value from, int64_t count) {
  Keys keys{.positions = grid.positions(cell, from, count)};
  if (tiles.whole_blocks)
    keys.all =
        builder.compare(arith::CmpIPredicate::sle, builder.add(from, builder.index(count)), cell.tokens);
  keys.key = walk.load(builder, arguments.lookup(view.key), keys.positions.rows);
  keys.value = walk.load(builder, arguments.lookup(view.value), keys.positions.rows);
  return keys;
}

FailureOr<Value> WindowSoftmax::applyScore(Value scores, ArrayRef<StepTile> query, ArrayRef<StepTile> key) {
  mlir::Block *region = view.scoreBlock();
  return region ? applyToPairs(builder, *region, walk.head, scores, query, key) : FailureOr<Value>(scores);
}

FailureOr<Value> WindowSoftmax::scores(const Block &queries, const Keys &keys) {
  // Operands stay what they are in memory, whatever a target rounds them to: it is the scores that are
  // scaled, where nothing comes in between by their exponentials.
  Value products = builder.dot(queries.rows, keys.key, {.transpose_rhs = true});
  if (!scaledByExponentials())
    products = builder.multiply(products, constantLike(products, view.scale));
  ArrayRef<int64_t> shape = shapeOf(products);
  FailureOr<Value> scores = applyScore(products, coordinatesOf(builder, queries.positions, 0, shape),
                                       coordinatesOf(builder, keys.positions, 1, shape));
  if (failed(scores))
    return failure();
  auto ofPresent = [&] {
    Value present = builder.along(keys.positions.valid, 1, shape);
    return builder.select(present, *scores, constantLike(*scores, -infinity));
  };
  if (!keys.all)
    return ofPresent();
  auto choice = scf::IfOp::create(builder, scores->getType(), keys.all, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(choice.thenBlock());
  scf::YieldOp::create(builder, *scores);
  builder.setInsertionPointToEnd(choice.elseBlock());
  scf::YieldOp::create(builder, ofPresent());
  return choice.getResult(0);
}

WindowSoftmax::Sums WindowSoftmax::addKeys(const Sums &before, Value scores, Value value) {
  Sums after;
  double factor = scaledByExponentials() ? view.scale : 1;
  after.largest = builder.reduce(tile::ReduceKind::max, scores, 1);
  Value grew;
  if (before.largest && tiles.growth) {
    double growth = double(tiles.growth) * std::numbers::ln2 / factor;
    Value limit = builder.add(before.largest, constantLike(before.largest, growth));
    grew = arith::CmpFOp::create(builder, CmpFPredicate::OGT, after.largest, limit);
    after.largest = builder.select(grew, after.largest, before.largest);
  } else if (before.largest) {
    after.largest = builder.maximum(before.largest, after.largest);
  }
  // exp(a (s - largest)) as exp(a s - a largest): one fused operation, whose second product is rounded alike
  // for all weights of a query, so that it cancels.
  Value offset = offsetOf(builder, after.largest);
  offset = builder.multiply(offset, constantLike(offset, -factor));
  auto power = [&](Value tile, Value less) {
    auto exponent = math::FmaOp::create(builder, tile, constantLike(tile, factor), less);
    exponent->setAttr(tile::cancelsAttribute, builder.getUnitAttr());
    return builder.exp(exponent);
  };
  Value weight = power(scores, builder.along(offset, 0, shapeOf(scores)));
  after.total = builder.sum(weight, 1);
  Value kept, init;
  if (before.largest) {
    kept = power(before.largest, offset);
    if (grew) // else 1 to the bit: the exponent is what rounding left
      kept = builder.select(grew, kept, constantLike(kept, 1));
    after.total = builder.add(builder.multiply(before.total, kept), after.total);
    init = builder.multiply(before.mixed, builder.along(kept, 0, shapeOf(before.mixed)));
    if (grew && init.getDefiningOp<arith::MulFOp>())
      init.getDefiningOp()->setAttr(tile::usuallyOneAttribute, builder.getUnitAttr());
  }
  after.mixed = builder.dot(weight, value, {.init = init});
  return after;
}

/// The largest weight is at least 1 but for what rounding the exponent's second product leaves of it, which
/// for scores of 10^9 and more may be any power of two. Where the weights are too small for their sum to
/// tell, NaN, so that the vote goes for the exact form.
Value WindowSoftmax::average(const Sums &sums) {
  Value total = sums.total;
  Value inverse = builder.select(compare(CmpFPredicate::OGT, total, 0x1p-100),
                                 builder.divide(constantLike(total, 1), total),
                                 constantLike(total, std::numeric_limits<double>::quiet_NaN()));
  Value none = compare(CmpFPredicate::OEQ, sums.largest, -infinity);
  inverse = builder.select(none, constantLike(total, 0), inverse);
  return builder.multiply(sums.mixed, builder.along(inverse, 0, shapeOf(sums.mixed)));
}

FailureOr<Value> WindowSoftmax::forEachBlock(const WindowShare &queries,
                                             function_ref<FailureOr<Value>(const Block &block)> attend) {
  Value votes = builder.splat(builder.f32Tile({tiles.queries}), 0);
  auto loop = scf::ForOp::create(builder, queries.from, queries.to, builder.index(tiles.queries), votes);
  {
    OpBuilder::InsertionGuard guard(builder);
    if (!loop.getBody()->empty())
      loop.getBody()->back().erase();
    builder.setInsertionPointToEnd(loop.getBody());
    Block block = loadQueries(queries.cell, loop.getInductionVar());
    FailureOr<Value> mixed = attend(block);
    if (failed(mixed))
      return failure();
    Value sum = builder.sum(*mixed, 1); // infinite or NaN where a result is
    Value vote = builder.multiply(sum, constantLike(sum, 0));
    Value result = arguments.lookup(view.op->getResult(0));
    storeTile(builder, roundTo(builder, *mixed, getElementTypeOrSelf(result.getType())), result,
              walk.indices(builder, result, block.positions.rows), block.positions.valid);
    scf::YieldOp::create(builder, builder.add(loop.getRegionIterArgs()[0], vote));
  }
  return builder.sum(loop.getResult(0), 0);
}

FailureOr<WindowSoftmax::Sums> WindowSoftmax::sumBlocks(const WindowCell &cell, const Block &queries) {
  int64_t features = view.valueFeatures();
  Type row = builder.f32Tile({tiles.queries}), matrix = builder.f32Tile({tiles.queries, features});
  SmallVector<Value> inits{builder.splat(row, -infinity), builder.splat(row, 0), builder.splat(matrix, 0)};
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
  scf::YieldOp::create(builder, ValueRange{sums.largest, sums.total, sums.mixed});
  return unpack(loop.getResults());
}

FailureOr<Value> WindowSoftmax::attendToWhole(const WindowShare &queries) {
  Keys keys = loadKeys(queries.cell, builder.index(0), tiles.whole);
  return forEachBlock(queries, [&](const Block &block) -> FailureOr<Value> {
    FailureOr<Value> score = scores(block, keys);
    if (failed(score))
      return failure();
    return average(addKeys({}, *score, keys.value));
  });
}

FailureOr<Value> WindowSoftmax::attendByBlocks(const WindowShare &queries) {
  return forEachBlock(queries, [&](const Block &block) -> FailureOr<Value> {
    FailureOr<Sums> sums = sumBlocks(queries.cell, block);
    if (failed(sums))
      return failure();
    return average(*sums);
  });
}
