#include "compiler/derive/chunk_inputs.h"

using namespace mlir;
using namespace linmu;

Value linmu::whereLive(TileBuilder &builder, Value live, Value rows) {
  if (rankOf(rows) == 2)
    live = builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape());
  return builder.select(live, rows, builder.splat(rows.getType(), 0));
}

ChunkInputs ChunkInputs::of(TileBuilder &builder, pattern::FormOp form, StepEmitter &step, int64_t chunk,
                            Value live, unsigned firstToken, unsigned endOfTokens) {
  // [C] as [C, 1]; matrices as they are.
  auto matrix = [&](Value rows) { return rankOf(rows) == 1 ? builder.along(rows, 0, {chunk, 1}) : rows; };
  auto masked = [&](Value value, Value rows) {
    auto argument = dyn_cast<BlockArgument>(value);
    bool isToken = argument && argument.getArgNumber() >= firstToken && argument.getArgNumber() < endOfTokens;
    return isToken ? rows : whereLive(builder, live, rows);
  };
  ChunkInputs inputs;
  inputs.live = live;
  if (Value logarithm = form.getDecay())
    inputs.logarithm = masked(logarithm, step.rows(logarithm));
  if (Value logarithm = form.getValueDecay())
    inputs.value_logarithm = masked(logarithm, step.sliceRows(logarithm));
  // Rows past the end keep the sign.
  auto positive = [&](Value rows) {
    Value isLive =
        rankOf(rows) == 2 ? builder.along(live, 0, cast<RankedTensorType>(rows.getType()).getShape()) : live;
    return builder.select(isLive, rows, builder.splat(rows.getType(), 1));
  };
  if (Value sign = form.getSign())
    inputs.sign = positive(step.rows(sign));
  if (Value sign = form.getValueSign())
    inputs.value_sign = positive(step.sliceRows(sign));
  for (Value key : form.getReads())
    inputs.reads.push_back(matrix(step.rows(key)));
  for (Value key : form.getWrites())
    inputs.keys.push_back(masked(key, matrix(step.rows(key))));
  for (Value value : form.getValues())
    inputs.values.push_back(masked(value, matrix(step.sliceRows(value))));
  for (Value weight : form.getFeedback())
    inputs.feedback.push_back(step.rows(weight));
  for (auto [term, factor] : llvm::enumerate(form.getCoupling())) {
    Value rows = step.rows(factor);
    bool diagonal = form.getCouplingIndex()[2 * term] == form.getCouplingIndex()[2 * term + 1];
    inputs.coupling.push_back(builder.select(live, rows, builder.splat(rows.getType(), diagonal ? 1 : 0)));
  }
  return inputs;
}
