#include "compiler/tile/DecaySubChunks.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_cumulative.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

DecaySubChunks::DecaySubChunks(TileBuilder &builder, Value decays, int64_t size, bool exclusive)
    : builder_(builder), exclusive_(exclusive), spans_(spansOf(extentOf(decays, 0), size)) {
  for (Span span : spans_)
    decays_.push_back(rowsOf(builder, decays, span));
}

Value DecaySubChunks::fromStart(size_t chunk) {
  return cumulativeProduct(builder_, decays_[chunk], {.exclusive = exclusive_});
}

Value DecaySubChunks::toEnd(size_t chunk) {
  return cumulativeProduct(builder_, decays_[chunk], {.exclusive = true, .reversed = true});
}

void DecaySubChunks::decayAcross(size_t chunk, MutableArrayRef<Value> tiles) {
  if (tiles.empty())
    return;
  Value products = cumulativeProduct(builder_, decays_[chunk], {});
  int64_t columns = extentOf(products, 1);
  Value all = ExtractOp::create(builder_, builder_.f32Tile({columns}), products,
                                builder_.index(spans_[chunk].size - 1));
  for (Value &tile : tiles)
    tile = builder_.multiply(tile, builder_.along(all, 1, {extentOf(tile, 0), columns}));
}

Value DecaySubChunks::seen(const Token &token, ArrayRef<int64_t> shape) {
  return builder_.compare(arith::CmpIPredicate::sge, builder_.coordinate(shape, 0),
                          builder_.fill(token.seenFrom, shape));
}

Value DecaySubChunks::forEachToken(size_t chunk, Value init, function_ref<Value(const Token &, Value)> body) {
  Value decays = decays_[chunk];
  SmallVector<int64_t> shape{spans_[chunk].size, extentOf(decays, 1)};
  Value last = builder_.index(shape[0] - 1);
  Value ones = builder_.splat(builder_.f32Tile(shape), 1);
  auto loop = scf::ForOp::create(builder_, builder_.index(0), builder_.index(shape[0]), builder_.index(1),
                                 ValueRange{init, ones});
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(loop.getBody());
  Token token;
  token.index = arith::SubIOp::create(builder_, last, loop.getInductionVar());
  token.i32 = toI32(builder_, token.index);
  token.factors = loop.getRegionIterArg(1);
  token.seenFrom = exclusive_ ? builder_.add(token.i32, builder_.splat(builder_.getI32Type(), 1)) : token.i32;
  Value next = body(token, loop.getRegionIterArg(0));
  // Readers that see this token see the one before it through this token's decay.
  Value decay = ExtractOp::create(builder_, builder_.f32Tile({shape[1]}), decays, token.index);
  Value factors = builder_.select(
      seen(token, shape), builder_.multiply(token.factors, builder_.along(decay, 1, shape)), token.factors);
  scf::YieldOp::create(builder_, ValueRange{next, factors});
  return loop.getResult(0);
}
