#include "compiler/tile/DecayHalves.h"
#include "compiler/tile/Slices.h"
#include "compiler/tile/tile_cumulative.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

DecayHalves::DecayHalves(TileBuilder &builder, Value decays, bool exclusive)
    : builder_(builder), decays_(decays), exclusive_(exclusive), tokens_(extentOf(decays, 0)) {
  SmallVector<int64_t> square{tokens_, tokens_};
  row_ = builder.coordinate(square, 0);
  column_ = builder.coordinate(square, 1);
  apart_ = arith::XOrIOp::create(builder, row_, column_);
}

Value DecayHalves::fromMiddle(int64_t half) {
  return cumulativeProduct(builder_, decays_, {.exclusive = exclusive_, .every = half});
}

Value DecayHalves::toMiddle(int64_t half) {
  return cumulativeProduct(builder_, decays_, {.exclusive = true, .reversed = true, .every = half});
}

Value DecayHalves::inSecond(int64_t half, ArrayRef<int64_t> shape) {
  Value row = builder_.coordinate(shape, 0);
  Value bit = builder_.both(row, constant(row, half));
  return builder_.compare(arith::CmpIPredicate::ne, bit, constant(bit, 0));
}

Value DecayHalves::parted(int64_t half) {
  Value inBlock = builder_.compare(arith::CmpIPredicate::ult, apart_, constant(apart_, 2 * half));
  return builder_.both(inBlock, builder_.compare(arith::CmpIPredicate::uge, apart_, constant(apart_, half)));
}

Value DecayHalves::together(int64_t half) {
  return builder_.compare(arith::CmpIPredicate::ult, apart_, constant(apart_, half));
}

Value DecayHalves::across(int64_t half, Value weights) {
  Value later = builder_.compare(arith::CmpIPredicate::sgt, row_, column_);
  return builder_.select(builder_.both(parted(half), later), weights, constant(weights, 0));
}

Value DecayHalves::own(Value weights, int64_t columns) {
  Value diagonal = builder_.compare(arith::CmpIPredicate::eq, row_, column_);
  Value own = builder_.sum(builder_.select(diagonal, weights, constant(weights, 0)), 1);
  return builder_.along(own, 0, {tokens_, columns});
}
