// Window attention of values that are no numbers: one query at a time, without products of tiles.
#include "compiler/derive/window_softmax.h"
#include "compiler/tile/tile_conversions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <limits>

using namespace mlir;
using namespace linmu;
using arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// Weights of seen keys, and of what was summed, are positive however small: an infinity stays one.
static constexpr double smallestWeight = 1e-37;

/// `query` holds the query's features, `before` scalars and one row.
FailureOr<WindowSoftmax::Sums> WindowSoftmax::addKeysExactly(const Sums &before, Value query,
                                                             ArrayRef<StepTile> coordinates,
                                                             const Keys &keys) {
  auto shapeOf = [](Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); };
  Value products = builder.sum(builder.multiply(keys.key, builder.along(query, 1, shapeOf(keys.key))), 1);
  SmallVector<StepTile, 3> key;
  for (Value coordinate : keys.positions.coordinates)
    key.push_back({coordinate, true});
  FailureOr<Value> scored = applyScore(products, coordinates, key);
  if (failed(scored))
    return failure();
  Value scores = builder.select(keys.positions.valid, *scored, constantLike(*scored, -infinity));

  Sums after;
  after.largest = builder.maximum(before.largest, builder.reduce(tile::ReduceKind::max, scores, 0));
  Value offset = offsetOf(builder, after.largest);
  auto positive = [&](Value exponent) {
    Value weight = builder.exp(exponent);
    return builder.maximum(weight, constantLike(weight, smallestWeight));
  };
  // A NaN score is seen, so that the comparison is an unordered one.
  Value seen = compare(CmpFPredicate::UNE, scores, -infinity);
  Value weights =
      builder.select(seen, positive(builder.subtract(scores, builder.fill(offset, shapeOf(scores)))),
                     constantLike(scores, 0));
  Value kept = positive(builder.subtract(before.largest, offset));
  after.total = builder.add(builder.multiply(before.total, kept), builder.sum(weights, 0));
  ArrayRef<int64_t> shape = shapeOf(keys.value);
  Value weighted = builder.multiply(keys.value, builder.along(weights, 0, shape));
  weighted = builder.select(builder.along(seen, 0, shape), weighted, constantLike(weighted, 0));
  Value old = builder.multiply(before.mixed, builder.fill(kept, shapeOf(before.mixed)));
  after.mixed = builder.add(old, builder.sum(weighted, 0));
  return after;
}

LogicalResult WindowSoftmax::attendExactly(const WindowShare &queries) {
  auto loop = scf::ForOp::create(builder, queries.from, queries.to, builder.index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  WindowPositions positions = grid.positions(queries.cell, loop.getInductionVar(), 1);
  auto only = [&](Value tile) -> Value {
    return tile::ExtractOp::create(builder, builder.getI32Type(), tile, builder.index(0));
  };
  SmallVector<StepTile, 3> coordinates;
  for (Value coordinate : positions.coordinates)
    coordinates.push_back({only(coordinate), false});
  Value row = toIndex(builder, only(positions.rows));
  Value query = walk.load(builder, arguments.lookup(view.query), row);
  query = builder.multiply(query, constantLike(query, view.scale));

  Type scalar = builder.getF32Type();
  int64_t features = view.valueFeatures();
  SmallVector<Value> inits{builder.splat(scalar, -infinity), builder.splat(scalar, 0),
                           builder.splat(builder.f32Tile({features}), 0)};
  auto blocks =
      scf::ForOp::create(builder, builder.index(0), queries.cell.tokens, builder.index(tiles.keys), inits);
  {
    OpBuilder::InsertionGuard inner(builder);
    if (!blocks.getBody()->empty())
      blocks.getBody()->back().erase();
    builder.setInsertionPointToEnd(blocks.getBody());
    ValueRange carried = blocks.getRegionIterArgs();
    Keys keys = loadKeys(queries.cell, blocks.getInductionVar(), tiles.keys);
    FailureOr<Sums> sums = addKeysExactly({carried[0], carried[1], carried[2]}, query, coordinates, keys);
    if (failed(sums))
      return failure();
    scf::YieldOp::create(builder, ValueRange{sums->largest, sums->total, sums->mixed});
  }
  Value inverse = inverseOf(builder, blocks.getResult(1)), mixed = blocks.getResult(2);
  mixed = builder.multiply(mixed, builder.fill(inverse, {features}));
  walk.store(builder, mixed, arguments.lookup(view.op->getResult(0)), row);
  return success();
}
