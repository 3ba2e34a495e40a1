#include "compiler/derive/separability.h"
#include "compiler/derive/stored_state.h"
#include "compiler/tile/tile_builder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace linmu;

namespace {
class Columns {
public:
  explicit Columns(pattern::NormalScanOp scan) : scan_(scan) {}

  /// Marks arguments of a block that exist for some of the columns only.
  void markArguments(Block &block, ArrayRef<bool> sliced);
  /// Follows what is sliced through a block; the first op that needs all columns of it, or null.
  Operation *follow(Block &block);
  /// The first op, behind a value, that cannot be made for some of the columns; null where it can.
  Operation *obstacleTo(Value value);
  bool isSliced(Value value) const { return sliced_.contains(value); }

private:
  static bool isByElement(Operation *op) {
    return isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) ||
           isa<pattern::BroadcastOp, pattern::AssumeOp, pattern::SigmoidOp, pattern::SoftplusOp,
               pattern::LagOp>(op);
  }

  pattern::NormalScanOp scan_;
  DenseSet<Value> sliced_;
  DenseSet<Value> by_column_; ///< without an obstacle behind them
};
} // namespace

void Columns::markArguments(Block &block, ArrayRef<bool> sliced) {
  unsigned bound = scan_.getParams().size() + scan_.getTokens().size();
  for (auto [index, isSliced] : llvm::enumerate(sliced))
    if (isSliced)
      sliced_.insert(block.getArgument(bound + index));
}

Operation *Columns::obstacleTo(Value value) {
  if (rankOf(value) != 1 || isSliced(value) || isa<BlockArgument>(value) || by_column_.contains(value))
    return nullptr;
  Operation *op = value.getDefiningOp();
  if (!isByElement(op))
    return op;
  for (Value operand : op->getOperands())
    if (Operation *obstacle = obstacleTo(operand))
      return obstacle;
  by_column_.insert(value);
  return nullptr;
}

Operation *Columns::follow(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (!llvm::any_of(op.getOperands(), [&](Value operand) { return isSliced(operand); }))
      continue;
    if (!isByElement(&op) || rankOf(op.getResult(0)) != 1)
      return &op;
    for (Value operand : op.getOperands())
      if (Operation *obstacle = obstacleTo(operand))
        return obstacle;
    sliced_.insert(op.getResult(0));
  }
  return nullptr;
}

Separability::Separability(pattern::NormalScanOp scan) {
  Columns of(scan);
  SmallVector<bool> sliced; // of the results of the states so far: reads, then writes of each
  for (unsigned number = 0; number < scan.getNumStages(); ++number) {
    Block &stage = scan.getStage(number);
    pattern::FormOp form = scan.getForm(number);
    of.markArguments(stage, sliced);
    if ((states = of.follow(stage)))
      return;
    int64_t size = StoredState(scan, scan.getFirstState(number)).value_size;
    bool hasColumns = size > 1;
    if (hasColumns && columns > 1 && columns != size) {
      states = form;
      return;
    }
    columns = hasColumns ? size : columns;
    // Keys, weights and decays by row are needed whole.
    SmallVector<Value> whole, perColumn(form.getValues());
    for (OperandRange operands : {form.getReads(), form.getWrites(), form.getFeedback(), form.getCoupling()})
      llvm::append_range(whole, operands);
    for (Value value : {form.getDecay(), form.getSign()})
      if (value)
        whole.push_back(value);
    for (Value value : {form.getValueDecay(), form.getValueSign()})
      if (value)
        perColumn.push_back(value);
    if (llvm::any_of(whole, [&](Value value) { return of.isSliced(value); }))
      states = form;
    for (Value value : perColumn)
      if (hasColumns && !states)
        states = of.obstacleTo(value);
      else if (!hasColumns && of.isSliced(value))
        states = form;
    if (states)
      return;
    sliced.append(form.getReads().size() + form.getWrites().size(), hasColumns);
  }
  of.markArguments(scan.getFinish(), sliced);
  finish = of.follow(scan.getFinish());
}
