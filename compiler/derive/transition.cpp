#include "compiler/derive/transition.h"
#include "compiler/derive/resets.h"
#include <limits>

using namespace mlir;
using namespace linmu;

Transition::Transition(pattern::FormOp form, const StoredState &stored) {
  Type f32 = Float32Type::get(form.getContext());
  is_matrix_ = !form.getFeedback().empty();
  decays_ = form.getDecay() != nullptr;
  resets_ = mayReset(form);
  by_value_ = form.getDecayByValue();
  Type product = f32;
  if (decays_ && isa<RankedTensorType>(form.getDecay().getType()))
    product = RankedTensorType::get({by_value_ ? stored.value_size : stored.key_size}, f32);
  if (is_matrix_)
    types_.push_back(RankedTensorType::get({stored.key_size, stored.key_size}, f32));
  else if (decays_)
    types_.push_back(product);
  if (resets_)
    types_.push_back(product);
}

SmallVector<Value> Transition::identity(TileBuilder &builder) const {
  SmallVector<Value> tiles;
  if (is_matrix_) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(types_.front()).getShape();
    Value diagonal =
        builder.compare(arith::CmpIPredicate::eq, builder.coordinate(shape, 0), builder.coordinate(shape, 1));
    tiles.push_back(
        builder.select(diagonal, builder.splat(types_.front(), 1), builder.splat(types_.front(), 0)));
  } else if (decays_) {
    tiles.push_back(builder.splat(types_.front(), 1));
  }
  if (resets_)
    tiles.push_back(builder.splat(types_.back(), 0));
  return tiles;
}

SmallVector<Value> Transition::over(TileBuilder &builder, StateChunk &chunk, ValueRange tiles) const {
  SmallVector<Value> next;
  if (is_matrix_)
    next.push_back(chunk.nextWithoutValues(tiles.front()));
  else if (decays_)
    next.push_back(builder.multiply(tiles.front(), chunk.decayOverChunk()));
  if (resets_)
    next.push_back(builder.select(isReset(builder, chunk.leastLogarithm()), builder.splat(types_.back(), 1),
                                  tiles.back()));
  return next;
}

/// A scalar, [K] or [V] over a state.
Value Transition::decayed(TileBuilder &builder, Value factors, Type state) const {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(state).getShape();
  return rankOf(factors) == 0 ? builder.fill(factors, shape)
                              : builder.along(factors, by_value_ ? 1 : 0, shape);
}

static Value isZero(TileBuilder &builder, Value tile) {
  return arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, tile, builder.splat(tile.getType(), 0));
}

Value Transition::apply(TileBuilder &builder, ValueRange tiles, Value state, Value end) const {
  if (is_matrix_)
    return applyMatrix(builder, tiles, state, end);
  if (!decays_)
    return builder.add(state, end);
  Value left = builder.multiply(decayed(builder, tiles.front(), state.getType()), state);
  if (resets_)
    left = builder.select(isZero(builder, decayed(builder, tiles.back(), state.getType())), left,
                          builder.splat(left.getType(), 0));
  return builder.add(left, end);
}

/// After a reset a zero of T forgets what it is multiplied with. What is no number is taken out of the
/// product then, and put where an element of T other than zero leads.
Value Transition::applyMatrix(TileBuilder &builder, ValueRange tiles, Value state, Value end) const {
  Value matrix = tiles.front();
  Value all = builder.dot(matrix, state, {.init = end});
  if (!resets_)
    return all;
  Type type = state.getType();
  Value zero = builder.splat(type, 0), one = builder.splat(type, 1);
  Value finite = isZero(builder, builder.multiply(state, zero));
  Value known = builder.dot(matrix, builder.select(finite, state, zero), {.init = end});
  Value leads = builder.select(isZero(builder, matrix), builder.splat(matrix.getType(), 0),
                               builder.splat(matrix.getType(), 1));
  Value reached = builder.dot(leads, builder.select(finite, zero, one), {});
  Value remembered = builder.select(isZero(builder, reached), known,
                                    builder.splat(type, std::numeric_limits<double>::quiet_NaN()));
  Value reset = tiles.back();
  while (rankOf(reset) > 0)
    reset = builder.reduce(tile::ReduceKind::max, reset, rankOf(reset) - 1);
  return builder.select(isZero(builder, decayed(builder, reset, type)), all, remembered);
}
