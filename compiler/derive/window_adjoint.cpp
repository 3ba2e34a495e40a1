// The gradients of window attention, by cells of window_grid.h: every token of a cell sees the whole cell, so
// that its tokens are the queries and the keys of all of its pairs. A first kernel takes blocks of queries,
// gives their gradients and leaves what softmax made of each row. From that a second one computes the weights
// again, transposed, for blocks of keys: no block adds to what another one writes.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loops.h"
#include "compiler/derive/window_score.h"
#include "compiler/derive/window_units.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "llvm/ADT/MapVector.h"
#include <limits>

using namespace mlir;
using namespace linmu;
using arith::CmpFPredicate;

static constexpr double infinity = std::numeric_limits<double>::infinity();

OpSchedule linmu::describeWindowAdjoint(const WindowTiles &tiles) {
  return {"window_adjoint", {{"query_block", tiles.queries}, {"key_block", tiles.keys}}};
}

namespace {

/// What the first kernel leaves of each query and head, [B, N, H] of f32: the exponents' offset, one over the
/// sum of the weights, and the mean of what the weights receive.
struct RowStatistics {
  Value offset, inverse, mean;
};

/// Tokens of a cell as one side of its pairs: queries and cotangents, or keys and values, f32.
struct Side {
  WindowPositions positions;
  Value score = {}, payload = {};
};

/// Pairs of a block of queries with one of keys, on whichever axes.
struct Pairs {
  Value products; ///< scaled
  Value scores;   ///< of the score region
  Value seen;     ///< i1
  Value received; ///< by the weight: cotangent . value
  PairCoordinates query, key;
};

/// Keys, and their pairs with the queries at hand.
struct KeyBlock {
  Side side;
  Pairs pairs;
};

class AdjointKernel {
public:
  AdjointKernel(pattern::WindowAdjointOp op, const WindowTiles &tiles, const RowStatistics &statistics,
                ProgramBuilder &program)
      : op(op), view(pattern::WindowView::of(op)), tiles(tiles), program(program), memory(statistics),
        builder(op.getLoc(), op.getContext()) {}

  /// Queries: their gradients and statistics.
  FailureOr<LaunchPlan> deriveQueries();
  /// The gradients `results` of keys and values with `groups` heads.
  FailureOr<LaunchPlan> deriveKeys(int64_t groups, ArrayRef<Value> results);

private:
  void start(StringRef name, int64_t blocks, ArrayRef<Value> results);
  using AddKeys = function_ref<FailureOr<Carried>(const KeyBlock &keys, ValueRange sums)>;
  FailureOr<Carried> overKeys(const WindowCell &cell, const Side &queries, ValueRange first,
                              std::optional<KeyBlock> &only, AddKeys add);
  LogicalResult sendToQueries(const WindowCell &cell, Value from);
  Carried addToRows(const Pairs &pairs, ValueRange sums);
  RowStatistics finishRows(const Side &queries, ValueRange sums);
  LogicalResult sendToKeys(const WindowCell &cell, Value from, int64_t groups);
  FailureOr<Carried> addQueries(const WindowCell &cell, const Side &keys, Value from, const Walk &of,
                                ValueRange sums);

  Side loadQueries(const WindowCell &cell, Value from, const Walk &of);
  Side loadKeys(const WindowCell &cell, Value from, const Walk &of);
  FailureOr<Pairs> pairsOf(const Side &queries, const Side &keys, int64_t queryAxis, Value head);
  Value weightsOf(const Pairs &pairs, const RowStatistics &rows, int64_t queryAxis);
  FailureOr<Value> scoreGradients(const Pairs &pairs, Value weights, Value mean, int64_t queryAxis,
                                  Value head);
  /// Rows that a product may multiply by the 0 of a pair that is not seen. What a seen pair reads is in its
  /// score, so that no other number is lost.
  Value finite(Value rows);
  void store(Value tile, Value to, const WindowPositions &at) {
    Type element = cast<RankedTensorType>(to.getType()).getElementType();
    storeTile(builder, roundTo(builder, tile, element), to, walk.indices(builder, to, at.rows), at.valid);
  }
  Value scaled(Value tile) { return builder.multiply(tile, constantLike(tile, view.scale)); }
  Value constantLike(Value like, double value) { return builder.splat(like.getType(), value); }

  pattern::WindowAdjointOp op;
  pattern::WindowView view;
  WindowTiles tiles;
  ProgramBuilder &program;
  RowStatistics memory; ///< of the program, then of the kernel
  IRMapping arguments;
  TileBuilder builder;
  LaunchPlan launch;
  Walk walk;
  std::optional<WindowGrid> grid;
  std::optional<WindowUnits> units;
};

} // namespace

static ArrayRef<int64_t> shapeOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

void AdjointKernel::start(StringRef name, int64_t blocks, ArrayRef<Value> results) {
  SmallVector<Value> operands{op.getQuery(), op.getKey(), op.getValue(), op.getCotangent(), op.getMedia()};
  llvm::append_range(operands, results);
  launch = program.startKernel(name, op.getLoc(), operands, arguments, builder);
  for (Value *statistic : {&memory.offset, &memory.inverse, &memory.mean})
    *statistic = ProgramBuilder::addMemory(launch, builder, *statistic);
  int64_t share = std::max(tiles.queries, tiles.keys);
  launch.grid = WindowUnits::grid(program, blocks, share);
  walk = WindowUnits::walkOf(builder, arguments.lookup(op.getQuery()), view.heads(), blocks);
  Value media = arguments.lookup(op.getMedia());
  grid.emplace(view, builder, media);
  units.emplace(view, share, share, builder, walk, *grid, media);
  if (!results.empty())
    units->zeroTextTokens(
        llvm::map_to_vector(results, [&](Value result) { return arguments.lookup(result); }));
}

Side AdjointKernel::loadQueries(const WindowCell &cell, Value from, const Walk &of) {
  Side side{.positions = grid->positions(cell, from, tiles.queries)};
  side.score = of.load(builder, arguments.lookup(op.getQuery()), side.positions.rows);
  side.payload = of.load(builder, arguments.lookup(op.getCotangent()), side.positions.rows);
  return side;
}

Side AdjointKernel::loadKeys(const WindowCell &cell, Value from, const Walk &of) {
  Side side{.positions = grid->positions(cell, from, tiles.keys)};
  side.score = of.load(builder, arguments.lookup(op.getKey()), side.positions.rows);
  side.payload = of.load(builder, arguments.lookup(op.getValue()), side.positions.rows);
  return side;
}

FailureOr<Pairs> AdjointKernel::pairsOf(const Side &queries, const Side &keys, int64_t queryAxis,
                                        Value head) {
  const Side &rows = queryAxis == 0 ? queries : keys, &columns = queryAxis == 0 ? keys : queries;
  Pairs pairs;
  // Operands stay what they are in memory, whatever a target rounds them to.
  pairs.products = scaled(builder.dot(rows.score, columns.score, {.transpose_rhs = true}));
  pairs.received = builder.dot(rows.payload, columns.payload, {.transpose_rhs = true});
  pairs.scores = pairs.products;
  ArrayRef<int64_t> shape = shapeOf(pairs.products);
  if (Block *score = view.scoreBlock()) {
    pairs.query = coordinatesOf(builder, queries.positions, queryAxis, shape);
    pairs.key = coordinatesOf(builder, keys.positions, 1 - queryAxis, shape);
    FailureOr<Value> scores = applyToPairs(builder, *score, head, pairs.products, pairs.query, pairs.key);
    if (failed(scores))
      return failure();
    pairs.scores = *scores;
  }
  Value present = builder.both(builder.along(rows.positions.valid, 0, shape),
                               builder.along(columns.positions.valid, 1, shape));
  pairs.scores = builder.select(present, pairs.scores, constantLike(pairs.scores, -infinity));
  // A NaN is seen, so that the comparison is an unordered one.
  pairs.seen =
      arith::CmpFOp::create(builder, CmpFPredicate::UNE, pairs.scores, constantLike(pairs.scores, -infinity));
  return pairs;
}

Value AdjointKernel::weightsOf(const Pairs &pairs, const RowStatistics &rows, int64_t queryAxis) {
  ArrayRef<int64_t> shape = shapeOf(pairs.scores);
  Value exponents = builder.subtract(pairs.scores, builder.along(rows.offset, queryAxis, shape));
  Value weights = builder.multiply(builder.exp(exponents), builder.along(rows.inverse, queryAxis, shape));
  return builder.select(pairs.seen, weights, constantLike(weights, 0));
}

/// ds of each pair.
FailureOr<Value> AdjointKernel::scoreGradients(const Pairs &pairs, Value weights, Value mean,
                                               int64_t queryAxis, Value head) {
  auto whereSeen = [&](Value tile) { return builder.select(pairs.seen, tile, constantLike(tile, 0)); };
  Value more = builder.subtract(pairs.received, builder.along(mean, queryAxis, shapeOf(weights)));
  Value gradients = whereSeen(builder.multiply(weights, more));
  if (op.getScoreGradient().empty())
    return gradients;
  FailureOr<Value> back = applyToPairs(builder, op.getScoreGradient().front(), head, pairs.products,
                                       pairs.query, pairs.key, gradients);
  if (failed(back))
    return failure();
  return whereSeen(*back);
}

Value AdjointKernel::finite(Value rows) {
  Value size = math::AbsFOp::create(builder, rows);
  Value isFinite = arith::CmpFOp::create(builder, CmpFPredicate::OLT, size, constantLike(size, infinity));
  return builder.select(isFinite, rows, constantLike(rows, 0));
}

/// The largest score so far, the sum of the weights, and of the weights times what they receive; with more
/// keys.
Carried AdjointKernel::addToRows(const Pairs &pairs, ValueRange sums) {
  Value largest = builder.maximum(sums[0], builder.reduce(tile::ReduceKind::max, pairs.scores, 1));
  Value offset = offsetOf(builder, largest);
  Value kept = builder.exp(builder.subtract(sums[0], offset));
  Value weights =
      builder.exp(builder.subtract(pairs.scores, builder.along(offset, 0, shapeOf(pairs.scores))));
  Value received =
      builder.select(pairs.seen, builder.multiply(weights, pairs.received), constantLike(weights, 0));
  return {largest, builder.add(builder.multiply(sums[1], kept), builder.sum(weights, 1)),
          builder.add(builder.multiply(sums[2], kept), builder.sum(received, 1))};
}

/// The statistics behind such sums, stored for the second kernel.
RowStatistics AdjointKernel::finishRows(const Side &queries, ValueRange sums) {
  Value inverse = inverseOf(builder, sums[1]);
  RowStatistics rows{offsetOf(builder, sums[0]), inverse, builder.multiply(sums[2], inverse)};
  store(rows.offset, memory.offset, queries.positions);
  store(rows.inverse, memory.inverse, queries.positions);
  store(rows.mean, memory.mean, queries.positions);
  return rows;
}

/// Sums over the blocks of keys of a cell; where one block holds every cell, its pairs are made once for all
/// sums.
FailureOr<Carried> AdjointKernel::overKeys(const WindowCell &cell, const Side &queries, ValueRange first,
                                           std::optional<KeyBlock> &only, AddKeys add) {
  auto load = [&](Value at) -> FailureOr<KeyBlock> {
    Side keys = loadKeys(cell, at, walk);
    FailureOr<Pairs> pairs = pairsOf(queries, keys, 0, walk.head);
    if (failed(pairs))
      return failure();
    return KeyBlock{keys, *pairs};
  };
  auto addBlock = [&](Value at, ValueRange sums) -> FailureOr<Carried> {
    FailureOr<KeyBlock> block = load(at);
    if (failed(block))
      return failure();
    return add(*block, sums);
  };
  if (view.volume() > tiles.keys)
    return loopOver(builder, builder.index(0), cell.tokens, builder.index(tiles.keys), first, addBlock);
  if (!only) {
    FailureOr<KeyBlock> block = load(builder.index(0));
    if (failed(block))
      return failure();
    only = *block;
  }
  return add(*only, first);
}

LogicalResult AdjointKernel::sendToQueries(const WindowCell &cell, Value from) {
  Side queries = loadQueries(cell, from, walk);
  std::optional<KeyBlock> only;
  Type row = builder.f32Tile({tiles.queries});
  Carried noRows{builder.splat(row, -infinity), builder.splat(row, 0), builder.splat(row, 0)};
  FailureOr<Carried> sums = overKeys(cell, queries, noRows, only, [&](const KeyBlock &keys, ValueRange sums) {
    return FailureOr<Carried>(addToRows(keys.pairs, sums));
  });
  if (failed(sums))
    return failure();
  RowStatistics rows = finishRows(queries, *sums);
  if (op.getDQuery().use_empty())
    return success();
  auto addKeys = [&](const KeyBlock &keys, ValueRange sums) -> FailureOr<Carried> {
    Value weights = weightsOf(keys.pairs, rows, 0);
    FailureOr<Value> gradients = scoreGradients(keys.pairs, weights, rows.mean, 0, walk.head);
    if (failed(gradients))
      return failure();
    return Carried{builder.dot(*gradients, finite(keys.side.score), {.init = sums[0]})};
  };
  Value none = builder.splat(builder.f32Tile({tiles.queries, view.keyFeatures()}), 0);
  FailureOr<Carried> sum = overKeys(cell, queries, none, only, addKeys);
  if (failed(sum))
    return failure();
  store(scaled(sum->front()), arguments.lookup(op.getDQuery()), queries.positions);
  return success();
}

FailureOr<LaunchPlan> AdjointKernel::deriveQueries() {
  SmallVector<Value> results;
  if (!op.getDQuery().use_empty())
    results.push_back(op.getDQuery());
  start("window_queries", view.heads(), results);
  auto ofUnit = [&](const WindowShare &unit) {
    return loopOver(builder, unit.from, unit.to, builder.index(tiles.queries),
                    [&](Value at) { return sendToQueries(unit.cell, at); });
  };
  if (failed(units->forEach(ofUnit)))
    return failure();
  return launch;
}

/// What the queries from `from` on send to the keys, added to the sums of the keys' gradients and the
/// values'.
FailureOr<Carried> AdjointKernel::addQueries(const WindowCell &cell, const Side &keys, Value from,
                                             const Walk &of, ValueRange sums) {
  Side queries = loadQueries(cell, from, of);
  auto load = [&](Value statistic) { return of.load(builder, statistic, queries.positions.rows); };
  FailureOr<Pairs> pairs = pairsOf(queries, keys, 1, of.head);
  if (failed(pairs))
    return failure();
  RowStatistics rows{load(memory.offset), load(memory.inverse), load(memory.mean)};
  Value weights = weightsOf(*pairs, rows, 1);
  FailureOr<Value> gradients = scoreGradients(*pairs, weights, rows.mean, 1, of.head);
  if (failed(gradients))
    return failure();
  return Carried{builder.dot(*gradients, finite(queries.score), {.init = sums[0]}),
                 builder.dot(weights, queries.payload, {.init = sums[1]})};
}

LogicalResult AdjointKernel::sendToKeys(const WindowCell &cell, Value from, int64_t groups) {
  Side shared = loadKeys(cell, from, walk);
  Carried none{builder.splat(builder.f32Tile({tiles.keys, view.keyFeatures()}), 0),
               builder.splat(builder.f32Tile({tiles.keys, view.valueFeatures()}), 0)};
  bool isShared = view.keyHeads() <= groups && view.valueHeads() <= groups;
  auto addHead = [&](Value number, ValueRange carried) {
    Walk of = walk;
    of.head = builder.add(walk.head, number);
    Side keys = isShared ? shared : loadKeys(cell, from, of);
    return loopOver(builder, builder.index(0), cell.tokens, builder.index(tiles.queries), carried,
                    [&](Value at, ValueRange sums) { return addQueries(cell, keys, at, of, sums); });
  };
  FailureOr<Carried> sums = loopOver(builder, builder.index(0), builder.index(view.heads() / groups),
                                     builder.index(1), none, addHead);
  if (failed(sums))
    return failure();
  if (Value to = arguments.lookupOrNull(op.getDKey()))
    store(scaled(sums->front()), to, shared.positions);
  if (Value to = arguments.lookupOrNull(op.getDValue()))
    store(sums->back(), to, shared.positions);
  return success();
}

FailureOr<LaunchPlan> AdjointKernel::deriveKeys(int64_t groups, ArrayRef<Value> results) {
  start("window_keys", groups, results);
  auto ofUnit = [&](const WindowShare &unit) {
    return loopOver(builder, unit.from, unit.to, builder.index(tiles.keys),
                    [&](Value at) { return sendToKeys(unit.cell, at, groups); });
  };
  if (failed(units->forEach(ofUnit)))
    return failure();
  return launch;
}

WindowTiles linmu::windowAdjointTilesOf(const pattern::WindowView &view, const Schedule &schedule) {
  return windowTilesOf(view, schedule, /*scores=*/3);
}

FailureOr<OpPlan> linmu::deriveWindowAdjoint(pattern::WindowAdjointOp op, const Schedule &schedule,
                                             ProgramBuilder &program) {
  if (failed(requireScalars(op.getScore())) || failed(requireScalars(op.getScoreGradient())))
    return failure();
  pattern::WindowView view = pattern::WindowView::of(op);
  WindowTiles tiles = windowAdjointTilesOf(view, schedule);
  constexpr int64_t any = ShapedType::kDynamic;
  auto type = RankedTensorType::get({any, any, view.heads()}, Float32Type::get(op.getContext()));
  auto temporary = [&] { return program.temporary(type, {program.batch(), program.tokens()}); };
  RowStatistics statistics{temporary(), temporary(), temporary()};
  OpPlan plan{describeWindowAdjoint(tiles), {}};
  auto add = [&](FailureOr<LaunchPlan> launch) {
    if (succeeded(launch))
      plan.launches.push_back(*launch);
    return success(succeeded(launch));
  };
  if (failed(add(AdjointKernel(op, tiles, statistics, program).deriveQueries())))
    return failure();
  // Keys and values that as many heads share are one launch's work.
  llvm::MapVector<int64_t, SmallVector<Value>> byHeads;
  if (!op.getDKey().use_empty())
    byHeads[view.keyHeads()].push_back(op.getDKey());
  if (!op.getDValue().use_empty())
    byHeads[view.valueHeads()].push_back(op.getDValue());
  for (auto &[groups, results] : byHeads)
    if (failed(add(AdjointKernel(op, tiles, statistics, program).deriveKeys(groups, results))))
      return failure();
  return plan;
}
