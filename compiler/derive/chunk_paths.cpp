#include "compiler/derive/chunk_paths.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

ChunkPaths::ChunkPaths(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs)
    : builder_(builder), form_(form), inputs_(std::move(inputs)),
      decay_(builder, inputs_.logarithm, inputs_.sign),
      value_decay_(builder, inputs_.value_logarithm, inputs_.value_sign),
      size_(cast<RankedTensorType>(inputs_.live.getType()).getDimSize(0)) {}

Value ChunkPaths::scores(int64_t read, int64_t write) {
  Value &known = scores_[{read, write}];
  if (known)
    return known;
  SmallVector<int64_t> shape{size_, size_};
  if (decay_.isVector())
    return known = tile::DecayScoresOp::create(builder_, builder_.f32Tile(shape), inputs_.reads[read],
                                               inputs_.keys[write], decay_.factors(), !inclusive(read));
  Value product = builder_.dot(inputs_.reads[read], inputs_.keys[write],
                               {.transpose_rhs = true, .triangle = Triangle::result_lower});
  if (decay_.isScalar())
    product = builder_.multiply(product, decay_.betweenTokens(builder_, inclusive(read)));
  Value visible = builder_.compare(inclusive(read) ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt,
                                   builder_.coordinate(shape, 0), builder_.coordinate(shape, 1));
  return known = builder_.select(visible, product, builder_.splat(product.getType(), 0));
}

static int64_t columnsOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getDimSize(1); }

/// A row's factor in each of the columns of `like`.
static Value alongRows(TileBuilder &builder, Value rows, Value like) {
  return builder.along(rows, 0, cast<RankedTensorType>(like.getType()).getShape());
}

Value ChunkPaths::fromEntry(int64_t read, Value state) {
  Value keys = inputs_.reads[read];
  if (decay_.isVector())
    keys = builder_.multiply(keys, decay_.fromEntry(builder_, inclusive(read)));
  Value product = builder_.dot(keys, state, {});
  if (decay_.isScalar())
    product =
        builder_.multiply(product, alongRows(builder_, decay_.fromEntry(builder_, inclusive(read)), product));
  return value_decay_ ? builder_.multiply(product, value_decay_.fromEntry(builder_, inclusive(read)))
                      : product;
}

Value ChunkPaths::fromWrite(int64_t read, int64_t write, Value rows, Value sum) {
  Value weights = scores(read, write);
  if (!value_decay_)
    return builder_.dot(weights, rows, {.triangle = Triangle::lhs_lower, .init = sum});
  Value inside = tile::DecayValuesOp::create(builder_, sum.getType(), weights, rows, value_decay_.factors(),
                                             !inclusive(read));
  return builder_.add(sum, inside);
}

Value ChunkPaths::left(Value state) {
  return value_decay_.left(builder_, decay_.left(builder_, state, 0), 1);
}

Value ChunkPaths::exit(Value state, ArrayRef<std::pair<int64_t, Value>> writes) {
  Value result = left(state);
  Value weight = decay_ ? decay_.toExit(builder_) : Value();
  Value valueWeight = value_decay_ ? value_decay_.toExit(builder_) : Value();
  for (auto [number, write] : writes) {
    Value key = inputs_.keys[number], value = write;
    // What belongs to a token goes with the side that is smaller.
    Value &weighted = decay_.isScalar() && columnsOf(value) < columnsOf(key) ? value : key;
    if (weight)
      weighted =
          builder_.multiply(weighted, decay_.isScalar() ? alongRows(builder_, weight, weighted) : weight);
    if (valueWeight)
      value = builder_.multiply(value, valueWeight);
    result = builder_.dot(key, value, {.transpose_lhs = true, .init = result});
  }
  return result;
}
