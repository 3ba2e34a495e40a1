#include "compiler/derive/chunk_decay.h"

using namespace mlir;
using namespace linmu;

ChunkDecay::ChunkDecay(TileBuilder &builder, Value logarithm, bool byValue)
    : logarithm_(logarithm), by_value_(byValue) {
  if (!isScalar()) {
    factors_ = builder.exp(logarithm);
    return;
  }
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
  return builder.exp(builder.minimum(exponent, builder.splat(exponent.getType(), 0)));
}

Value ChunkDecay::fromEntry(TileBuilder &builder, bool inclusive) const {
  if (!isScalar())
    return builder.cumprod(factors_, {.exclusive = !inclusive});
  if (Value known = inclusive ? prepared_.from_entry : prepared_.from_entry_exclusive)
    return known;
  return builder.exp(builder.add(inclusive ? sum_ : exclusive_sum_, inclusive ? error_ : exclusive_error_));
}

/// The last element of a rank-1 tile.
static Value lastOf(TileBuilder &builder, Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  return tile::ExtractOp::create(builder, type.getElementType(), tile, builder.index(type.getDimSize(0) - 1));
}

Value ChunkDecay::toExit(TileBuilder &builder) const {
  if (!isScalar())
    return builder.cumprod(factors_, {.exclusive = true, .reversed = true});
  if (prepared_.to_exit)
    return prepared_.to_exit;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(sum_.getType()).getShape();
  Value exponent = builder.add(builder.subtract(builder.fill(lastOf(builder, sum_), shape), sum_),
                               builder.subtract(builder.fill(lastOf(builder, error_), shape), error_));
  return builder.exp(builder.minimum(exponent, builder.splat(exponent.getType(), 0)));
}

Value ChunkDecay::overChunk(TileBuilder &builder) const {
  if (!isScalar())
    return builder.exp(builder.sum(logarithm_, 0));
  if (prepared_.from_entry)
    return lastOf(builder, prepared_.from_entry);
  return builder.exp(builder.add(lastOf(builder, sum_), lastOf(builder, error_)));
}
