#include "compiler/derive/adjoint_keys.h"
#include "compiler/tile/tile_cumulative.h"

using namespace mlir;
using namespace linmu;
using tile::Triangle;

Value linmu::crossedFromEntry(TileBuilder &builder, Value paths, bool inclusive) {
  return cumulativeSum(builder, paths, {.exclusive = !inclusive, .reversed = true});
}

Value linmu::crossedToExit(TileBuilder &builder, Value paths) {
  return cumulativeSum(builder, paths, {.exclusive = true});
}

Value AdjointKeys::products(int64_t read, int64_t write) {
  Value &known = products_[{read, write}];
  if (known)
    return known;
  SmallVector<int64_t> shape{paths().size(), paths().size()};
  Value given = writes_.dRead(read), written = writes_.writes()[write];
  if (const ChunkDecay &decay = paths().valueDecay())
    return products_[{read, write}] = tile::DecayScoresOp::create(
               builder_, builder_.f32Tile(shape), given, written, decay.factors(), !writes_.inclusive(read));
  Value product = builder_.dot(given, written, {.transpose_rhs = true, .triangle = Triangle::result_lower});
  Value seen =
      builder_.compare(writes_.inclusive(read) ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt,
                       builder_.coordinate(shape, 0), builder_.coordinate(shape, 1));
  return products_[{read, write}] = builder_.select(seen, product, builder_.splat(product.getType(), 0));
}

Value AdjointKeys::decayedProducts(int64_t read, int64_t write) {
  if (auto known = decayed_products_.find({read, write}); known != decayed_products_.end())
    return known->second;
  Value result = products(read, write);
  if (Value factor = paths().factorBetween(read, write))
    result = builder_.multiply(result, factor);
  return decayed_products_[{read, write}] = result;
}

Value AdjointKeys::fromState(int64_t read, int64_t q) {
  Value &known = from_states_[{read, q}];
  if (!known)
    known = builder_.dot(writes_.dRead(read), writes_.states()[q], {.transpose_rhs = true});
  return known;
}

Value AdjointKeys::fromAdjoint(int64_t write, int64_t p) {
  Value &known = from_adjoints_[{write, p}];
  if (!known)
    known = builder_.dot(writes_.writes()[write], writes_.adjoints()[p], {.transpose_rhs = true});
  return known;
}

/// The sum of rows times a factor a token, of coupled states.
static void accumulate(TileBuilder &builder, Value &sum, Value rows, Value factor) {
  Value part =
      builder.multiply(rows, builder.along(factor, 0, cast<RankedTensorType>(rows.getType()).getShape()));
  sum = sum ? builder.add(sum, part) : part;
}

/// (dY S^T) E
Value AdjointKeys::readKeyEntry(int64_t read) {
  const ChunkDecay &decay = paths().decay();
  bool inclusive = writes_.inclusive(read);
  if (auto known = read_key_entries_.find(read); known != read_key_entries_.end())
    return known->second;
  Value sum;
  if (ChunkCoupling &coupling = paths().coupling()) {
    for (int64_t q = 0; q < coupling.states(); ++q)
      if (paths().seesState(read, q))
        accumulate(builder_, sum, fromState(read, q),
                   coupling.fromEntry(paths().stateOfRead(read), q, inclusive));
    return read_key_entries_[read] = sum;
  }
  Value &known = read_key_entries_[read];
  if (!known) {
    Value given = entered(builder_, paths().valueDecay(), writes_.dRead(read), inclusive);
    known =
        entered(builder_, decay, builder_.dot(given, writes_.state(), {.transpose_rhs = true}), inclusive);
    if (decay) {
      Value leads = builder_.multiply(paths().inputs().reads[read], known);
      paths_from_entry_[read] =
          decay.isScalar() ? builder_.sum(leads, 1) : crossedFromEntry(builder_, leads, inclusive);
    }
  }
  return known;
}

/// (W D^T) X
Value AdjointKeys::writeKeyExit(int64_t write) {
  const ChunkDecay &decay = paths().decay();
  if (auto known = write_key_exits_.find(write); known != write_key_exits_.end())
    return known->second;
  Value sum;
  if (ChunkCoupling &coupling = paths().coupling()) {
    SmallVector<int64_t, 2> q = paths().statesOfWrite(write);
    for (int64_t p = 0; p < coupling.states(); ++p)
      if (coupling.leads(p, q))
        accumulate(builder_, sum, fromAdjoint(write, p), coupling.toExit(p, q));
    return write_key_exits_[write] = sum;
  }
  Value &known = write_key_exits_[write];
  if (!known) {
    Value given = exiting(builder_, paths().valueDecay(), writes_.writes()[write]);
    known = exiting(builder_, decay, builder_.dot(given, writes_.adjoint(), {.transpose_rhs = true}));
    if (decay) {
      Value leads = builder_.multiply(paths().inputs().keys[write], known);
      paths_to_exit_[write] = decay.isScalar() ? builder_.sum(leads, 1) : crossedToExit(builder_, leads);
    }
  }
  return known;
}

Value AdjointKeys::pathsFromEntry(int64_t read) {
  readKeyEntry(read);
  return paths_from_entry_[read];
}
Value AdjointKeys::pathsToExit(int64_t write) {
  writeKeyExit(write);
  return paths_to_exit_[write];
}

Value AdjointKeys::readKey(int64_t read) {
  const ChunkDecay &decay = paths().decay();
  if (!writes_.dRead(read))
    return builder_.splat(paths().inputs().reads[read].getType(), 0);
  Value sum = readKeyEntry(read);
  for (int64_t write = 0; write < writes_.countWrites(); ++write) {
    if (!paths().sees(read, write))
      continue;
    Value weights = decayedProducts(read, write), key = paths().inputs().keys[write];
    sum = decay.isVector()
              ? builder_.add(sum, tile::DecayValuesOp::create(builder_, key.getType(), weights, key,
                                                              decay.factors(), !writes_.inclusive(read),
                                                              /*transposed=*/false))
              : builder_.dot(weights, key, {.triangle = Triangle::lhs_lower, .init = sum});
  }
  return sum;
}

Value AdjointKeys::writeKey(int64_t write) {
  const ChunkDecay &decay = paths().decay();
  Value sum = writeKeyExit(write);
  for (int64_t read = 0; read < writes_.countReads(); ++read) {
    if (!writes_.dRead(read) || !paths().sees(read, write))
      continue;
    Value weights = decayedProducts(read, write), key = paths().inputs().reads[read];
    sum = decay.isVector()
              ? builder_.add(sum, decayTransposed(builder_, decay, weights, key, writes_.inclusive(read)))
              : builder_.dot(weights, key, {.transpose_lhs = true, .init = sum});
  }
  return sum;
}
