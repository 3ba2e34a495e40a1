// Values that decay by column: every factor is a running product of decays.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Each value decays a token at a time as later rows meet it.
void KernelLowering::lowerDecayValues(tile::DecayValuesOp op) {
  constexpr int64_t width = Machine::width;
  int64_t tokens = shapeOf(op.getValues())[0], panels = roundUp(shapeOf(op.getValues())[1], width) / width;
  Type f32 = builder_.getF32Type();
  Buffer scores = *find(op.getScores(), Layout::rows), values = *find(op.getValues(), Layout::rows);
  Buffer decays = *find(op.getDecays(), Layout::rows);
  Buffer result = allocate(op.getType(), Layout::rows);
  buffers_[op.getResult()].push_back(result);
  loop(0, panels, 1, [&](Value panel) {
    Value column = multiply(panel, width);
    auto load = [&](const Buffer &buffer, Value row) { return loadBuffer(buffer, f32, row, panel, column); };
    loop(0, tokens, 1,
         [&](Value row) { storeBuffer(constant(vectorType(f32), 0), result, row, panel, column); });
    loop(0, tokens, 1, [&](Value token) {
      auto accumulate = [&](Value row, Value value) {
        Value score =
            splat(memref::LoadOp::create(builder_, location_, scores.memref, ValueRange{row, token}));
        storeBuffer(vector::FMAOp::create(builder_, location_, score, value, load(result, row)), result, row,
                    panel, column);
      };
      Value value = load(values, token);
      if (!op.getExclusive())
        accumulate(token, value);
      loop(add(token, 1), index(tokens), 1, {value}, [&](Value row, ValueRange carried) {
        Value decayed = arith::MulFOp::create(builder_, location_, carried[0], load(decays, row));
        accumulate(row, op.getExclusive() ? carried[0] : decayed);
        return Vectors{decayed};
      });
    });
  });
}
