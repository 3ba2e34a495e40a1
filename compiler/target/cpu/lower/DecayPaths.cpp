// Paths from writers to readers, by the tokens that they cross: every factor is a running product of decays.
#include "compiler/target/cpu/lower/Lowering.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Of each writer the paths to all later readers, then, from the last reader on, what they come to.
void linmu::cpu::lowerDecayPaths(Lowering &lowering, tile::DecayPathsOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Buffers &buffers = kernel.buffers;
  constexpr int64_t width = Machine::width;
  int64_t tokens = shapeOf(op.getReaders())[0], panels = panelsOf(shapeOf(op.getReaders())[1]);
  Type f32 = emit.getF32Type();
  auto rows = [&](Value tile) { return buffers.find(tile, Layout::rows); };
  Buffer weights = rows(op.getWeights()), readers = rows(op.getReaders()), writers = rows(op.getWriters());
  Buffer decays = rows(op.getDecays());
  Buffer result = buffers.allocate(op.getType(), Layout::rows);
  Buffer paths = buffers.allocate(op.getType(), Layout::rows); ///< of one writer
  buffers.add(op.getResult(), result);
  bool exclusive = op.getExclusive();
  emit.loop(0, panels, 1, [&](Value panel) {
    Value column = emit.multiply(panel, width), end = emit.index(tokens), last = emit.index(tokens - 1);
    auto load = [&](const Buffer &buffer, Value row) {
      return buffers.load(buffer, f32, row, panel, column);
    };
    auto store = [&](Value value, const Buffer &buffer, Value row) {
      buffers.store(value, buffer, row, panel, column);
    };
    Value none = emit.constant(vectorType(f32), 0);
    emit.loop(0, tokens, 1, [&](Value row) { store(none, result, row); });
    emit.loop(0, tokens, 1, [&](Value writer) {
      emit.loop(emit.add(writer, 1), end, 1, {load(writers, writer)}, [&](Value reader, ValueRange carried) {
        Value decayed = arith::MulFOp::create(emit, carried[0], load(decays, reader));
        Value weight = emit.splat(memref::LoadOp::create(emit, weights.memref, ValueRange{reader, writer}));
        Value path = arith::MulFOp::create(emit, exclusive ? carried[0] : decayed, weight);
        store(arith::MulFOp::create(emit, path, load(readers, reader)), paths, reader);
        return Vectors{decayed};
      });
      Value count = arith::SubIOp::create(emit, last, writer);
      emit.loop(emit.index(0), count, 1, {none}, [&](Value step, ValueRange carried) {
        Value token = arith::SubIOp::create(emit, last, step);
        Value sum = arith::AddFOp::create(emit, carried[0], load(paths, token));
        store(arith::AddFOp::create(emit, load(result, token), exclusive ? carried[0] : sum), result, token);
        return Vectors{sum};
      });
    });
  });
}
