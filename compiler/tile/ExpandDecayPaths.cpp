// Paths across decays by column: between two sub-chunks dots, inside one the paths of a writer after the
// other.
#include "compiler/tile/DecaySubChunks.h"
#include "compiler/tile/MacroOps.h"
#include "compiler/tile/tile_cumulative.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

namespace {
class DecayPaths {
public:
  DecayPaths(TileBuilder &builder, DecayPathsOp op, int64_t size)
      : builder_(builder), op_(op), chunks_(builder, op.getDecays(), size, op.getExclusive()) {}

  Value run();

private:
  struct Pair {
    size_t from, to;
    Value paths; ///< [S, D]: of each reader those from all writers of the other sub-chunk
  };
  void pairChunks();
  Value leaving(size_t chunk, ArrayRef<Value> later);
  Value inside(size_t chunk, Value sum);
  Value weights(size_t reader, size_t writer) {
    return blockOf(builder_, op_.getWeights(), chunks_.spans()[reader], chunks_.spans()[writer]);
  }
  Value readersOf(size_t chunk) { return rowsOf(builder_, op_.getReaders(), chunks_.spans()[chunk]); }
  Value writersOf(size_t chunk) { return rowsOf(builder_, op_.getWriters(), chunks_.spans()[chunk]); }

  TileBuilder &builder_;
  DecayPathsOp op_;
  DecaySubChunks chunks_;
  SmallVector<Pair> pairs_;
};
} // namespace

/// The paths between each two sub-chunks, by their readers.
void DecayPaths::pairChunks() {
  SmallVector<Value> earlier; // writers of each earlier sub-chunk, decayed to the start of this one
  for (size_t to = 0; to < chunks_.spans().size(); ++to) {
    if (to > 0) {
      Value readers = builder_.multiply(readersOf(to), chunks_.fromStart(to));
      for (auto [from, writers] : llvm::enumerate(earlier))
        pairs_.push_back(
            {from, to, builder_.multiply(readers, builder_.dot(weights(to, from), writers, {}))});
    }
    chunks_.decayAcross(to, earlier);
    earlier.push_back(builder_.multiply(writersOf(to), chunks_.toEnd(to)));
  }
}

/// Of each writer of a sub-chunk the paths to later ones, whose readers are decayed from this one's end.
Value DecayPaths::leaving(size_t chunk, ArrayRef<Value> later) {
  Value sum;
  for (auto [index, readers] : llvm::enumerate(later))
    sum = builder_.dot(weights(chunks_.spans().size() - 1 - index, chunk), readers,
                       {.transpose_lhs = true, .init = sum});
  return sum ? builder_.multiply(builder_.multiply(writersOf(chunk), chunks_.toEnd(chunk)), sum) : Value();
}

/// `sum` [S, D] plus the paths inside a sub-chunk.
Value DecayPaths::inside(size_t chunk, Value sum) {
  Value readers = readersOf(chunk), writers = writersOf(chunk), own = weights(chunk, chunk);
  int64_t rows = extentOf(readers, 0), columns = extentOf(readers, 1);
  SmallVector<int64_t> shape{rows, columns};
  Value byWriter = TransposeOp::create(builder_, own.getType(), own);
  Value zero = builder_.splat(readers.getType(), 0);
  return chunks_.forEachToken(chunk, sum, [&](const DecaySubChunks::Token &token, Value total) {
    Value writer = ExtractOp::create(builder_, builder_.f32Tile({columns}), writers, token.index);
    Value weight = ExtractOp::create(builder_, builder_.f32Tile({rows}), byWriter, token.index);
    Value paths = builder_.multiply(builder_.multiply(token.factors, builder_.along(writer, 1, shape)),
                                    builder_.multiply(readers, builder_.along(weight, 0, shape)));
    Value behind = builder_.compare(arith::CmpIPredicate::sgt, builder_.coordinate(shape, 0),
                                    builder_.fill(token.i32, shape));
    // Across a token lead those to it and to later ones.
    Value crossing = cumulativeSum(builder_, builder_.select(behind, paths, zero),
                                   {.exclusive = op_.getExclusive(), .reversed = true});
    return builder_.add(total, builder_.select(behind, crossing, zero));
  });
}

Value DecayPaths::run() {
  pairChunks();
  Value result = builder_.splat(op_.getType(), 0);
  SmallVector<Value>
      later; // readers of each later sub-chunk, the last one first, decayed from this one's end
  for (size_t chunk = chunks_.spans().size(); chunk-- > 0;) {
    Span span = chunks_.spans()[chunk];
    Value sum, over; // [S, D], and [D] of the paths that cross all of the sub-chunk
    auto add = [&](Value &to, Value part) { to = to ? builder_.add(to, part) : part; };
    if (Value paths = leaving(chunk, later))
      add(sum, cumulativeSum(builder_, paths, {.exclusive = true}));
    Value arriving;
    for (const Pair &pair : pairs_) {
      if (pair.to == chunk)
        add(arriving, pair.paths);
      else if (pair.from < chunk && chunk < pair.to)
        add(over, builder_.sum(pair.paths, 0));
    }
    if (arriving)
      add(sum, cumulativeSum(builder_, arriving, {.exclusive = op_.getExclusive(), .reversed = true}));
    if (over)
      add(sum, builder_.along(over, 1, {span.size, extentOf(result, 1)}));
    if (!sum)
      sum = builder_.splat(builder_.f32Tile({span.size, extentOf(result, 1)}), 0);
    result = withBlock(builder_, result, inside(chunk, sum), span.first, 0);
    chunks_.decayAcross(chunk, later);
    later.push_back(builder_.multiply(readersOf(chunk), chunks_.fromStart(chunk)));
  }
  return result;
}

Value tile::expandDecayPaths(TileBuilder &builder, DecayPathsOp op, int64_t size) {
  return DecayPaths(builder, op, size).run();
}
