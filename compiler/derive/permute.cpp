// Token orders: the index of a symbolic one, and copies of rows by an index.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/program_expressions.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;

static constexpr int64_t blockTokens = 64;

namespace {
/// The tokens [first, first + blockTokens) of one sequence, one a row.
struct TokenRange {
  Value batch, head; ///< index
  Value first, live; ///< index: the first token, and so many are tokens of the sequence
};
} // namespace

/// A grid of heads, ranges of tokens and batch, and this block's place in it.
static TokenRange rangeOfBlock(TileBuilder &builder, Value memory, int64_t heads, ProgramBuilder &program,
                               LaunchPlan &launch) {
  launch.grid = {program.constant(heads), ceilDivide(program, program.tokens(), blockTokens),
                 program.batch()};
  TokenRange range{builder.blockId(2), builder.blockId(0), {}, {}};
  range.first = builder.multiply(builder.blockId(1), builder.index(blockTokens));
  Value tokens = tensor::DimOp::create(builder, memory, builder.index(1));
  range.live = builder.subtract(tokens, range.first);
  return range;
}

FailureOr<OpPlan> linmu::derivePermute(pattern::PermuteOp permute, ProgramBuilder &program) {
  IRMapping arguments;
  TileBuilder builder(permute.getLoc(), permute.getContext());
  LaunchPlan launch =
      program.startKernel("permute", permute.getLoc(),
                          {permute.getSource(), permute.getOrder(), permute.getResult()}, arguments, builder);
  auto type = cast<RankedTensorType>(permute.getType());
  if (type.getRank() > 4)
    return permute.emitOpError("requires slices of rank 0 or 1, got ") << type;
  bool hasHeads = type.getRank() > 2;
  Value result = arguments.lookup(permute.getResult());
  TokenRange range = rangeOfBlock(builder, result, hasHeads ? type.getDimSize(2) : 1, program, launch);
  Value plain = tileRange(builder, range.first, blockTokens, {.to = range.live});
  Value ordered =
      tileRange(builder, range.first, blockTokens,
                {.to = range.live, .order = arguments.lookup(permute.getOrder()), .batch = range.batch});
  Value from = permute.getInverse() ? plain : ordered, to = permute.getInverse() ? ordered : plain;
  auto at = [&](Value token) {
    SmallVector<Value> indices{range.batch, token};
    if (hasHeads)
      indices.push_back(range.head);
    return indices;
  };
  Value rows = loadTile(builder, arguments.lookup(permute.getSource()), at(from));
  storeTile(builder, rows, result, at(to));
  return OpPlan{{"permute", {}}, {launch}};
}

/// Inside an item position i stands, in the order of `axes` from major to minor, at mixed-radix digits; these
/// are the coordinates of the token there. Text keeps its place.
FailureOr<OpPlan> linmu::deriveTokenOrder(pattern::TokenOrderOp order, ProgramBuilder &program) {
  IRMapping arguments;
  TileBuilder builder(order.getLoc(), order.getContext());
  LaunchPlan launch = program.startKernel("token_order", order.getLoc(),
                                          {order.getMedia(), order.getResult()}, arguments, builder);
  Value result = arguments.lookup(order.getResult()), media = arguments.lookup(order.getMedia());
  TokenRange range = rangeOfBlock(builder, result, 1, program, launch);
  Value positions = builder.add(builder.fill(toI32(builder, range.first), {blockTokens}),
                                builder.coordinate({blockTokens}));

  Value items = tensor::DimOp::create(builder, media, builder.index(0));
  auto loop = scf::ForOp::create(builder, builder.index(0), items, builder.index(1), positions);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *body = loop.getBody();
    if (!body->empty())
      body->back().erase();
    builder.setInsertionPointToEnd(body);
    auto entry = [&](int64_t column) {
      Value scalar = loadTile(builder, media, {loop.getInductionVar(), builder.index(column)});
      return builder.fill(scalar, {blockTokens});
    };
    Value first = entry(0), extents[3] = {entry(1), entry(2), entry(3)};
    Value zero = builder.splat(first.getType(), 0), one = builder.splat(first.getType(), 1);
    Value rest = builder.subtract(positions, first);
    Value volume = builder.multiply(builder.multiply(extents[0], extents[1]), extents[2]);
    Value inside = builder.both(builder.compare(arith::CmpIPredicate::sge, rest, zero),
                                builder.compare(arith::CmpIPredicate::slt, rest, volume));
    Value digits[3];
    ArrayRef<unsigned> axes = order.getAxes().getAxes();
    for (int place = 2; place >= 0; --place) {
      // Rows of another item may be negative and an extent may be zero; neither is used.
      Value extent = builder.maximum(extents[axes[place]], one);
      digits[axes[place]] = place == 0 ? rest : arith::RemSIOp::create(builder, rest, extent);
      rest = builder.divide(rest, extent);
    }
    Value token = builder.add(builder.multiply(digits[0], extents[1]), digits[1]);
    token = builder.add(builder.add(builder.multiply(token, extents[2]), digits[2]), first);
    scf::YieldOp::create(builder, builder.select(inside, token, loop.getRegionIterArgs()[0]));
  }
  storeTile(builder, loop.getResult(0), result,
            {range.batch, tileRange(builder, range.first, blockTokens, {.to = range.live})});
  return OpPlan{{"token_order", {}}, {launch}};
}
