// Products of scores with values that decay by column: a dot for each pair of sub-chunks, a token at a time
// inside one; or dots between the halves of blocks.
#include "compiler/tile/DecayHalves.h"
#include "compiler/tile/DecayProducts.h"
#include "compiler/tile/DecaySubChunks.h"
#include "compiler/tile/MacroOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

/// `sum` [S, V] plus what a sub-chunk's values give to its own rows.
static Value addInside(TileBuilder &builder, DecaySubChunks &chunks, size_t chunk, Value scores, Value values,
                       Value sum) {
  int64_t rows = extentOf(values, 0), columns = extentOf(values, 1);
  SmallVector<int64_t> shape{rows, columns};
  Value byToken = TransposeOp::create(builder, scores.getType(), scores);
  return chunks.forEachToken(chunk, sum, [&](const DecaySubChunks::Token &token, Value total) {
    Value value = ExtractOp::create(builder, builder.f32Tile({columns}), values, token.index);
    Value weight = ExtractOp::create(builder, builder.f32Tile({rows}), byToken, token.index);
    Value decayed = builder.multiply(token.factors, builder.along(value, 1, shape));
    Value added = builder.add(total, builder.multiply(builder.along(weight, 0, shape), decayed));
    return builder.select(chunks.seen(token, shape), added, total);
  });
}

/// Whatever the decays are.
static Value bySubChunks(TileBuilder &builder, DecayValuesOp op, int64_t size) {
  DecaySubChunks chunks(builder, op.getDecays(), size, op.getExclusive());
  Value result = builder.splat(op.getType(), 0);
  SmallVector<Value> earlier; // values of each earlier sub-chunk, decayed to the start of this one
  for (auto [chunk, span] : llvm::enumerate(chunks.spans())) {
    Value values = rowsOf(builder, op.getValues(), span), sum;
    for (auto [from, value] : llvm::zip(chunks.spans(), earlier))
      sum = builder.dot(blockOf(builder, op.getScores(), span, from), value, {.init = sum});
    sum = sum ? builder.multiply(sum, chunks.fromStart(chunk)) : builder.splat(values.getType(), 0);
    Value scores = blockOf(builder, op.getScores(), span, span);
    sum = addInside(builder, chunks, chunk, scores, values, sum);
    result = withBlock(builder, result, sum, span.first, 0);
    if (chunk + 1 == chunks.spans().size())
      break;
    chunks.decayAcross(chunk, earlier);
    earlier.push_back(builder.multiply(values, chunks.toEnd(chunk)));
  }
  return result;
}

/// `sum` [S, V] plus what a sub-chunk's own rows give to each of its tokens.
static Value addInsideTransposed(TileBuilder &builder, DecaySubChunks &chunks, size_t chunk, Value scores,
                                 Value values, Value sum) {
  int64_t rows = extentOf(values, 0), columns = extentOf(values, 1);
  SmallVector<int64_t> shape{rows, columns};
  Value byToken = TransposeOp::create(builder, scores.getType(), scores);
  return chunks.forEachToken(chunk, sum, [&](const DecaySubChunks::Token &token, Value total) {
    Value weight = ExtractOp::create(builder, builder.f32Tile({rows}), byToken, token.index);
    Value given = builder.multiply(builder.along(weight, 0, shape), builder.multiply(token.factors, values));
    Value seen = builder.select(chunks.seen(token, shape), given, builder.splat(given.getType(), 0));
    Value isToken = builder.compare(arith::CmpIPredicate::eq, builder.coordinate(shape, 0),
                                    builder.fill(token.i32, shape));
    return builder.select(isToken, builder.add(total, builder.along(builder.sum(seen, 0), 1, shape)), total);
  });
}

/// The transpose, from the last sub-chunk to the first.
static Value transposedBySubChunks(TileBuilder &builder, DecayValuesOp op, int64_t size) {
  DecaySubChunks chunks(builder, op.getDecays(), size, op.getExclusive());
  Value result = builder.splat(op.getType(), 0);
  SmallVector<Value> later; // values of each later sub-chunk, the last one first, decayed from this one's end
  for (size_t chunk = chunks.spans().size(); chunk-- > 0;) {
    Span span = chunks.spans()[chunk];
    Value values = rowsOf(builder, op.getValues(), span), sum;
    for (auto [from, value] : llvm::zip(llvm::reverse(chunks.spans()), later))
      sum = builder.dot(blockOf(builder, op.getScores(), from, span), value,
                        {.transpose_lhs = true, .init = sum});
    sum = sum ? builder.multiply(sum, chunks.toEnd(chunk)) : builder.splat(values.getType(), 0);
    Value scores = blockOf(builder, op.getScores(), span, span);
    sum = addInsideTransposed(builder, chunks, chunk, scores, values, sum);
    result = withBlock(builder, result, sum, span.first, 0);
    if (chunk == 0)
      break;
    chunks.decayAcross(chunk, later);
    later.push_back(builder.multiply(values, chunks.fromStart(chunk)));
  }
  return result;
}

/// By dots between the halves of blocks, whatever the decays are.
static Value byHalves(TileBuilder &builder, DecayValuesOp op) {
  DecayHalves halves(builder, op.getDecays(), op.getExclusive());
  Value values = op.getValues(), result;
  if (!op.getExclusive())
    result = builder.multiply(halves.own(op.getScores(), extentOf(values, 1)), values);
  for (int64_t half = 1; half < halves.tokens(); half *= 2) {
    Value scores = halves.across(half, op.getScores());
    Value given = op.getTransposed() ? halves.fromMiddle(half) : halves.toMiddle(half);
    Value taken = op.getTransposed() ? halves.toMiddle(half) : halves.fromMiddle(half);
    Value product =
        builder.dot(scores, builder.multiply(values, given), {.transpose_lhs = op.getTransposed()});
    Value part = builder.multiply(product, taken);
    result = result ? builder.add(result, part) : part;
  }
  return result ? result : builder.splat(op.getType(), 0);
}

Value tile::expandDecayValues(TileBuilder &builder, DecayValuesOp op, int64_t size, bool products,
                              bool halves) {
  if (halves)
    return byHalves(builder, op);
  auto exactly = [&] {
    return op.getTransposed() ? transposedBySubChunks(builder, op, size) : bySubChunks(builder, op, size);
  };
  if (!products)
    return exactly();
  DecayProducts decays(builder, op.getDecays(), op.getExclusive());
  Value values = op.getTransposed() ? decays.read(op.getValues()) : decays.written(op.getValues());
  Value scores = decays.visible(op.getScores());
  auto product = [&] {
    return op.getTransposed() ? decays.written(builder.dot(scores, values, {.transpose_lhs = true}))
                              : decays.read(builder.dot(scores, values, {.triangle = Triangle::lhs_lower}));
  };
  return decays.whereAllowed(op.getType(), product, exactly);
}
