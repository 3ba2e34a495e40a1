#include "compiler/derive/transition.h"
#include "compiler/derive/resets.h"
#include <limits>

using namespace mlir;
using namespace linmu;

Transition::Transition(pattern::FormOp form, const StoredState &stored) {
  Type f32 = Float32Type::get(form.getContext());
  is_matrix_ = !form.getFeedback().empty();
  auto add = [&](Type type) {
    types_.push_back(type);
    return unsigned(types_.size() - 1);
  };
  if (is_matrix_)
    add(RankedTensorType::get({stored.key_size, stored.key_size}, f32));
  int64_t sizes[] = {stored.key_size, stored.value_size};
  Value logarithms[] = {form.getDecay(), form.getValueDecay()};
  for (auto [axis, logarithm] : llvm::enumerate(logarithms)) {
    if (!logarithm)
      continue;
    Type product =
        isa<RankedTensorType>(logarithm.getType()) ? Type(RankedTensorType::get({sizes[axis]}, f32)) : f32;
    Decay &decay = decays_.emplace_back();
    decay.axis = axis;
    if (!is_matrix_)
      decay.product = add(product);
    if (mayReset(logarithm))
      decay.reset = add(product);
  }
}

SmallVector<Value> Transition::identity(TileBuilder &builder) const {
  SmallVector<Value> tiles;
  if (is_matrix_) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(types_.front()).getShape();
    Value diagonal =
        builder.compare(arith::CmpIPredicate::eq, builder.coordinate(shape, 0), builder.coordinate(shape, 1));
    tiles.push_back(
        builder.select(diagonal, builder.splat(types_.front(), 1), builder.splat(types_.front(), 0)));
  }
  for (const Decay &decay : decays_) {
    if (decay.product)
      tiles.push_back(builder.splat(types_[*decay.product], 1));
    if (decay.reset)
      tiles.push_back(builder.splat(types_[*decay.reset], 0));
  }
  return tiles;
}

SmallVector<Value> Transition::over(TileBuilder &builder, StateChunk &chunk, ValueRange tiles) const {
  SmallVector<Value> next;
  if (is_matrix_)
    next.append(chunk.nextWithoutValues(tiles.front()));
  for (const Decay &decay : decays_) {
    const ChunkDecay &of = decay.axis == 0 ? chunk.paths().decay() : chunk.paths().valueDecay();
    if (decay.product)
      next.push_back(builder.multiply(tiles[*decay.product], of.overChunk(builder)));
    if (decay.reset)
      next.push_back(builder.select(isReset(builder, of.leastLogarithm(builder)),
                                    builder.splat(types_[*decay.reset], 1), tiles[*decay.reset]));
  }
  return next;
}

/// A scalar, or a vector along an axis, over a state.
static Value spread(TileBuilder &builder, Value factors, int64_t axis, Type state) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(state).getShape();
  return rankOf(factors) == 0 ? builder.fill(factors, shape) : builder.along(factors, axis, shape);
}

static Value isZero(TileBuilder &builder, Value tile) {
  return arith::CmpFOp::create(builder, arith::CmpFPredicate::OEQ, tile, builder.splat(tile.getType(), 0));
}

Value Transition::apply(TileBuilder &builder, ValueRange tiles, Value state, Value end) const {
  if (is_matrix_)
    return applyMatrix(builder, tiles, state, end);
  Value left = state;
  Type type = state.getType();
  for (const Decay &decay : decays_)
    left = builder.multiply(spread(builder, tiles[*decay.product], decay.axis, type), left);
  // Last: the other axis' decays before a reset may be no numbers.
  for (const Decay &decay : decays_)
    if (decay.reset)
      left = builder.select(isZero(builder, spread(builder, tiles[*decay.reset], decay.axis, type)), left,
                            builder.splat(type, 0));
  return builder.add(left, end);
}

/// After a reset a zero of T forgets what it is multiplied with. What is no number is taken out of the
/// product then, and put where an element of T other than zero leads.
Value Transition::applyMatrix(TileBuilder &builder, ValueRange tiles, Value state, Value end) const {
  Value matrix = tiles.front();
  Value all = builder.dot(matrix, state, {.init = end});
  if (types_.size() == 1)
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
  return builder.select(isZero(builder, spread(builder, reset, 0, type)), all, remembered);
}
