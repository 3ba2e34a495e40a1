#include "compiler/derive/chunk_decay.h"
#include "compiler/tile/tile_cumulative.h"

using namespace mlir;
using namespace linmu;

ChunkDecay::ChunkDecay(TileBuilder &builder, Value logarithm, Value sign) : logarithm_(logarithm) {
  if (!logarithm)
    return;
  if (sign)
    signs_ = cumulativeProduct(builder, sign, {});
  if (!isScalar()) {
    factors_ = builder.exp(logarithm);
    if (sign)
      factors_ = builder.multiply(factors_, sign);
    return;
  }
  if (sign)
    exclusive_signs_ = cumulativeProduct(builder, sign, {.exclusive = true});
  auto sum = [&](bool exclusive) {
    Type type = logarithm.getType();
    return tile::CumsumOp::create(builder, type, type, logarithm, exclusive, /*reversed=*/false);
  };
  auto with = sum(false), without = sum(true);
  sum_ = with.getSum();
  error_ = with.getError();
  exclusive_sum_ = without.getSum();
  exclusive_error_ = without.getError();
}

/// Sums and what rounding lost are subtracted apart, so that differences of large sums stay exact; above the
/// diagonal the exponent is cut off at 0.
Value ChunkDecay::betweenTokens(TileBuilder &builder, bool inclusive) const {
  int64_t chunk = cast<RankedTensorType>(logarithm_.getType()).getDimSize(0);
  SmallVector<int64_t> shape{chunk, chunk};
  auto difference = [&](Value reader, Value writer) {
    return builder.subtract(builder.along(reader, 0, shape), builder.along(writer, 1, shape));
  };
  Value exponent = builder.add(difference(inclusive ? sum_ : exclusive_sum_, sum_),
                               difference(inclusive ? error_ : exclusive_error_, error_));
  Value factor = builder.exp(builder.minimum(exponent, builder.splat(exponent.getType(), 0)));
  if (!signs_)
    return factor;
  Value signs = builder.multiply(builder.along(inclusive ? signs_ : exclusive_signs_, 0, shape),
                                 builder.along(signs_, 1, shape));
  return builder.multiply(factor, signs);
}

Value ChunkDecay::fromEntry(TileBuilder &builder, bool inclusive) const {
  if (!isScalar())
    return cumulativeProduct(builder, factors_, {.exclusive = !inclusive});
  if (Value known = inclusive ? prepared_.from_entry : prepared_.from_entry_exclusive)
    return known;
  Value factor =
      builder.exp(builder.add(inclusive ? sum_ : exclusive_sum_, inclusive ? error_ : exclusive_error_));
  return signs_ ? builder.multiply(factor, inclusive ? signs_ : exclusive_signs_) : factor;
}

/// The last element of a rank-1 tile, or the last row of a matrix.
static Value lastOf(TileBuilder &builder, Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  Type last = type.getRank() == 1 ? type.getElementType() : Type(builder.f32Tile(type.getShape().back()));
  return tile::ExtractOp::create(builder, last, tile, builder.index(type.getDimSize(0) - 1));
}

Value ChunkDecay::toExit(TileBuilder &builder) const {
  if (!isScalar())
    return cumulativeProduct(builder, factors_, {.exclusive = true, .reversed = true});
  if (prepared_.to_exit)
    return prepared_.to_exit;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(sum_.getType()).getShape();
  Value exponent = builder.add(builder.subtract(builder.fill(lastOf(builder, sum_), shape), sum_),
                               builder.subtract(builder.fill(lastOf(builder, error_), shape), error_));
  Value factor = builder.exp(builder.minimum(exponent, builder.splat(exponent.getType(), 0)));
  return signs_ ? builder.multiply(factor,
                                   builder.multiply(signs_, builder.fill(lastOf(builder, signs_), shape)))
                : factor;
}

Value ChunkDecay::overChunk(TileBuilder &builder) const {
  if (prepared_.from_entry)
    return lastOf(builder, prepared_.from_entry);
  Value factor = builder.exp(isScalar() ? builder.add(lastOf(builder, sum_), lastOf(builder, error_))
                                        : builder.sum(logarithm_, 0));
  return signs_ ? builder.multiply(factor, lastOf(builder, signs_)) : factor;
}

Value ChunkDecay::leastLogarithm(TileBuilder &builder) const {
  return builder.reduce(tile::ReduceKind::min, logarithm_, 0);
}

Value ChunkDecay::left(TileBuilder &builder, Value state, int64_t axis) const {
  if (!logarithm_)
    return state;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(state.getType()).getShape();
  Value factor = overChunk(builder);
  return builder.multiply(state,
                          isScalar() ? builder.fill(factor, shape) : builder.along(factor, axis, shape));
}
