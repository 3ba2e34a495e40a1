#include "compiler/derive/adjoint_decays.h"
#include "compiler/tile/tile_cumulative.h"

using namespace mlir;
using namespace linmu;

Value linmu::axisDecayGradient(TileBuilder &builder, AdjointWrites &writes, AdjointKeys &keys, bool byValue) {
  ChunkPaths &paths = writes.paths();
  Value factors = (byValue ? paths.valueDecay() : paths.decay()).factors();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(factors.getType()).getShape();
  // Entry to exit.
  Value through =
      builder.sum(builder.multiply(paths.left(writes.states()).front(), writes.adjoint()), byValue ? 0 : 1);
  Value total = builder.along(through, 1, shape);
  // A write before the token to the exit.
  for (int64_t write = 0; write < writes.countWrites(); ++write)
    total = builder.add(total, byValue ? crossedToExit(builder, builder.multiply(writes.writes()[write],
                                                                                 writes.fromExit(write)))
                                       : keys.pathsToExit(write));
  for (int64_t read = 0; read < writes.countReads(); ++read) {
    // By value there is no feedback, so that dY is gY.
    Value given = writes.dRead(read);
    if (!given)
      continue;
    bool inclusive = writes.inclusive(read);
    total = builder.add(
        total, byValue ? crossedFromEntry(
                             builder, builder.multiply(given, writes.forward().entry(read, writes.states())),
                             inclusive)
                       : keys.pathsFromEntry(read));
    for (int64_t write = 0; write < writes.countWrites(); ++write) {
      Value weights = byValue ? paths.scores(read, write) : keys.products(read, write);
      Value reader = byValue ? given : paths.inputs().reads[read];
      Value writer = byValue ? writes.writes()[write] : paths.inputs().keys[write];
      total = builder.add(total, tile::DecayPathsOp::create(builder, reader.getType(), weights, reader,
                                                            writer, factors, !inclusive));
    }
  }
  return total;
}

Value linmu::scalarDecayGradient(TileBuilder &builder, AdjointWrites &writes, AdjointKeys &keys) {
  ChunkPaths &paths = writes.paths();
  int64_t chunk = paths.size();
  SmallVector<int64_t> shape{chunk, chunk};
  Type square = builder.f32Tile(shape);
  Value zero = builder.splat(square, 0);
  Value token = builder.coordinate(shape, 0), other = builder.coordinate(shape, 1);
  // Entry to exit.
  Value through =
      builder.sum(builder.sum(builder.multiply(paths.left(writes.states()).front(), writes.adjoint()), 1), 0);
  Value total = builder.fill(through, {chunk});
  // A write before the token to the exit.
  Value exits;
  for (int64_t write = 0; write < writes.countWrites(); ++write) {
    Value part = keys.pathsToExit(write);
    exits = exits ? builder.add(exits, part) : part;
  }
  auto addRows = [&](arith::CmpIPredicate predicate, Value elements) {
    Value crosses = builder.compare(predicate, other, token);
    total = builder.add(total, builder.sum(builder.select(crosses, elements, zero), 1));
  };
  if (exits)
    addRows(arith::CmpIPredicate::slt, builder.along(exits, 1, shape));
  for (bool kind : {false, true}) {
    Value entries, pairs;
    for (int64_t read = 0; read < writes.countReads(); ++read) {
      if (writes.inclusive(read) != kind || !writes.dRead(read))
        continue;
      Value part = keys.pathsFromEntry(read);
      entries = entries ? builder.add(entries, part) : part;
      for (int64_t write = 0; write < writes.countWrites(); ++write) {
        Value pair = builder.multiply(paths.scores(read, write), keys.products(read, write));
        pairs = pairs ? builder.add(pairs, pair) : pair;
      }
    }
    if (!entries)
      continue;
    // The entry, or a write before the token, to a read behind it: row t holds the sum over those writes.
    Value before = builder.along(entries, 1, shape);
    if (pairs) {
      Value byWrite = tile::TransposeOp::create(builder, square, pairs);
      before = builder.add(before, cumulativeSum(builder, byWrite, {.exclusive = true}));
    }
    addRows(kind ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sgt, before);
  }
  return total;
}
