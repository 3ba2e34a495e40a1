// Values that decay by column: every factor is a running product of decays.
#include "compiler/target/cpu/lower/Lowering.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Each value decays a token at a time as later rows meet it.
void linmu::cpu::lowerDecayValues(Lowering &lowering, tile::DecayValuesOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Buffers &buffers = kernel.buffers;
  constexpr int64_t width = Machine::width;
  int64_t tokens = shapeOf(op.getValues())[0], panels = panelsOf(shapeOf(op.getValues())[1]);
  Type f32 = emit.getF32Type();
  Buffer scores = buffers.find(op.getScores(), Layout::rows),
         values = buffers.find(op.getValues(), Layout::rows);
  Buffer decays = buffers.find(op.getDecays(), Layout::rows);
  Buffer result = buffers.allocate(op.getType(), Layout::rows);
  buffers.add(op.getResult(), result);
  emit.loop(0, panels, 1, [&](Value panel) {
    Value column = emit.multiply(panel, width);
    auto load = [&](const Buffer &buffer, Value row) {
      return buffers.load(buffer, f32, row, panel, column);
    };
    emit.loop(0, tokens, 1, [&](Value row) {
      buffers.store(emit.constant(vectorType(f32), 0), result, row, panel, column);
    });
    emit.loop(0, tokens, 1, [&](Value token) {
      auto accumulate = [&](Value row, Value value) {
        Value score = emit.splat(memref::LoadOp::create(emit, scores.memref, ValueRange{row, token}));
        Value to = op.getTransposed() ? token : row;
        if (op.getTransposed())
          value = arith::MulFOp::create(emit, value, load(values, row));
        buffers.store(vector::FMAOp::create(emit, score, value, load(result, to)), result, to, panel, column);
      };
      // What decays from the token to later rows: its value, or one that theirs are multiplied with.
      Value value = op.getTransposed() ? emit.constant(vectorType(f32), 1) : load(values, token);
      if (!op.getExclusive())
        accumulate(token, value);
      emit.loop(emit.add(token, 1), emit.index(tokens), 1, {value}, [&](Value row, ValueRange carried) {
        Value decayed = arith::MulFOp::create(emit, carried[0], load(decays, row));
        accumulate(row, op.getExclusive() ? carried[0] : decayed);
        return Vectors{decayed};
      });
    });
  });
}
