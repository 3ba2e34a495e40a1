#include "compiler/derive/chunk_paths.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

ChunkPaths::ChunkPaths(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs)
    : builder_(builder), form_(form), inputs_(std::move(inputs)),
      decay_(builder, inputs_.logarithm, inputs_.sign),
      value_decay_(builder, inputs_.value_logarithm, inputs_.value_sign),
      coupling_(builder, form, inputs_.coupling, inputs_.live),
      size_(cast<RankedTensorType>(inputs_.live.getType()).getDimSize(0)) {}

Value ChunkPaths::factorBetween(int64_t read, int64_t write) {
  if (coupling_)
    return coupling_.between(stateOfRead(read), statesOfWrite(write), inclusive(read));
  return decay_.isScalar() ? decay_.betweenTokens(builder_, inclusive(read)) : Value();
}

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
  if (Value factor = factorBetween(read, write))
    product = builder_.multiply(product, factor);
  Value visible = builder_.compare(inclusive(read) ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt,
                                   builder_.coordinate(shape, 0), builder_.coordinate(shape, 1));
  return known = builder_.select(visible, product, builder_.splat(product.getType(), 0));
}

static int64_t columnsOf(Value tile) { return cast<RankedTensorType>(tile.getType()).getDimSize(1); }

/// A row's factor in each of the columns of `like`.
static Value alongRows(TileBuilder &builder, Value rows, Value like) {
  return builder.along(rows, 0, cast<RankedTensorType>(like.getType()).getShape());
}

Value ChunkPaths::enteredKey(int64_t read, int64_t q) {
  Value key = inputs_.reads[read];
  return builder_.multiply(
      key, alongRows(builder_, coupling_.fromEntry(stateOfRead(read), q, inclusive(read)), key));
}

Value ChunkPaths::exitingKey(int64_t write, int64_t p) {
  Value key = inputs_.keys[write];
  return builder_.multiply(key, alongRows(builder_, coupling_.toExit(p, statesOfWrite(write)), key));
}

Value ChunkPaths::fromEntry(int64_t read, ValueRange states) {
  Value keys = inputs_.reads[read], state = states.front();
  if (coupling_) {
    Value sum;
    for (int64_t q = 0; q < coupling_.states(); ++q)
      if (seesState(read, q))
        sum = builder_.dot(enteredKey(read, q), states[q], {.init = sum});
    return sum;
  }
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
  if (!sees(read, write))
    return sum;
  Value weights = scores(read, write);
  if (!value_decay_)
    return builder_.dot(weights, rows, {.triangle = Triangle::lhs_lower, .init = sum});
  Value inside = tile::DecayValuesOp::create(builder_, sum.getType(), weights, rows, value_decay_.factors(),
                                             !inclusive(read));
  return builder_.add(sum, inside);
}

Value ChunkPaths::leftOfOne(Value state) {
  return value_decay_.left(builder_, decay_.left(builder_, state, 0), 1);
}

SmallVector<Value> ChunkPaths::left(ValueRange states, bool transposed) {
  if (!coupling_)
    return {leftOfOne(states.front())};
  SmallVector<Value> result(states.size());
  for (int64_t to = 0; to < coupling_.states(); ++to)
    for (int64_t from = 0; from < coupling_.states(); ++from) {
      auto [p, q] = transposed ? std::pair(from, to) : std::pair(to, from);
      if (!coupling_.leads(p, q))
        continue;
      ArrayRef<int64_t> shape = cast<RankedTensorType>(states[from].getType()).getShape();
      Value part = builder_.multiply(states[from], builder_.fill(coupling_.overChunk(p, q), shape));
      result[to] = result[to] ? builder_.add(result[to], part) : part;
    }
  return result;
}

SmallVector<Value> ChunkPaths::exit(ValueRange states, ArrayRef<std::pair<int64_t, Value>> writes) {
  if (coupling_) {
    SmallVector<Value> results = left(states);
    for (auto [number, write] : writes)
      for (int64_t p = 0; p < coupling_.states(); ++p)
        if (coupling_.leads(p, statesOfWrite(number)))
          results[p] =
              builder_.dot(exitingKey(number, p), write, {.transpose_lhs = true, .init = results[p]});
    return results;
  }
  Value result = leftOfOne(states.front());
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
  return {result};
}
