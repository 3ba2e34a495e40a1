// Scores under row-wise decay: a dot for each pair of sub-chunks, a column at a time inside one; or a dot for
// the halves of blocks of each size.
#include "compiler/tile/DecayHalves.h"
#include "compiler/tile/DecayProducts.h"
#include "compiler/tile/DecaySubChunks.h"
#include "compiler/tile/MacroOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

/// Scores of a sub-chunk's reads against its own keys, [S, S].
static Value scoresInside(TileBuilder &builder, DecaySubChunks &chunks, size_t chunk, Value reads,
                          Value keys) {
  int64_t rows = extentOf(reads, 0), features = extentOf(reads, 1);
  SmallVector<int64_t> square{rows, rows};
  Value zeros = builder.splat(builder.f32Tile(square), 0);
  return chunks.forEachToken(chunk, zeros, [&](const DecaySubChunks::Token &token, Value scores) {
    Value key = ExtractOp::create(builder, builder.f32Tile({features}), keys, token.index);
    Value decayed = builder.multiply(token.factors, builder.along(key, 1, {rows, features}));
    Value column = builder.sum(builder.multiply(reads, decayed), 1);
    Value isColumn = builder.compare(arith::CmpIPredicate::eq, builder.coordinate(square, 1),
                                     builder.fill(token.i32, square));
    return builder.select(builder.both(isColumn, chunks.seen(token, square)),
                          builder.along(column, 0, square), scores);
  });
}

/// Whatever the decays are.
static Value bySubChunks(TileBuilder &builder, DecayScoresOp op, int64_t size) {
  DecaySubChunks chunks(builder, op.getDecays(), size, op.getExclusive());
  Value result = builder.splat(op.getType(), 0);
  SmallVector<Value> earlier; // keys of each earlier sub-chunk, decayed to the start of this one
  for (auto [chunk, span] : llvm::enumerate(chunks.spans())) {
    Value reads = rowsOf(builder, op.getReads(), span), keys = rowsOf(builder, op.getKeys(), span);
    if (chunk > 0) {
      Value decayed = builder.multiply(reads, chunks.fromStart(chunk));
      for (auto [from, key] : llvm::zip(chunks.spans(), earlier))
        result = withBlock(builder, result, builder.dot(decayed, key, {.transpose_rhs = true}), span.first,
                           from.first);
    }
    result =
        withBlock(builder, result, scoresInside(builder, chunks, chunk, reads, keys), span.first, span.first);
    if (chunk + 1 == chunks.spans().size())
      break;
    chunks.decayAcross(chunk, earlier);
    earlier.push_back(builder.multiply(keys, chunks.toEnd(chunk)));
  }
  return result;
}

/// By dots between the halves of blocks, whatever the decays are.
static Value byHalves(TileBuilder &builder, DecayScoresOp op) {
  DecayHalves halves(builder, op.getDecays(), op.getExclusive());
  ArrayRef<int64_t> square = op.getType().getShape();
  Value result = builder.splat(op.getType(), 0);
  if (!op.getExclusive()) {
    Value own = builder.sum(builder.multiply(op.getReads(), op.getKeys()), 1);
    Value diagonal = builder.compare(arith::CmpIPredicate::eq, halves.row(), halves.column());
    result = builder.select(diagonal, builder.along(own, 0, square), result);
  }
  for (int64_t half = 1; half < halves.tokens(); half *= 2) {
    Value product = builder.dot(builder.multiply(op.getReads(), halves.fromMiddle(half)),
                                builder.multiply(op.getKeys(), halves.toMiddle(half)),
                                {.transpose_rhs = true, .triangle = Triangle::result_lower});
    result = builder.add(result, halves.across(half, product));
  }
  return result;
}

Value tile::expandDecayScores(TileBuilder &builder, DecayScoresOp op, int64_t size, bool products,
                              bool halves) {
  if (!products)
    return halves ? byHalves(builder, op) : bySubChunks(builder, op, size);
  DecayProducts decays(builder, op.getDecays(), op.getExclusive());
  Value reads = decays.read(op.getReads()), keys = decays.written(op.getKeys());
  return decays.whereAllowed(
      op.getType(),
      [&] {
        return decays.visible(
            builder.dot(reads, keys, {.transpose_rhs = true, .triangle = Triangle::result_lower}));
      },
      [&] { return bySubChunks(builder, op, size); });
}
