// Control flow, scalars and elementwise ops; the other files have what is particular to tiles.
#include "compiler/interpreter/tile/Block.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/APFloat.h"
#include <stdexcept>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::interpreter {

StepValue shaped(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return StepValue::scalar(0);
  return StepValue::filled({tensor.getShape().begin(), tensor.getShape().end()}, 0);
}

double rounded(double value, FloatType type) {
  llvm::APFloat number(value);
  bool inexact = false;
  number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &inexact);
  return number.convertToDouble();
}

const StepValue &Block::get(Value value) const {
  auto found = values_.find(value);
  if (found == values_.end())
    throw std::runtime_error("the interpreter met a value that has not been computed");
  return found->second;
}

void Block::run(mlir::Block &block) {
  for (Operation &op : block)
    run(op);
}

bool Block::runControl(Operation &op) {
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    std::vector<StepValue> carried;
    for (Value init : loop.getInitArgs())
      carried.push_back(get(init));
    std::int64_t to = integer(loop.getUpperBound()), step = integer(loop.getStep());
    for (std::int64_t i = integer(loop.getLowerBound()); i < to; i += step) {
      set(loop.getInductionVar(), StepValue::scalar(double(i)));
      for (auto [argument, value] : llvm::zip(loop.getRegionIterArgs(), carried))
        set(argument, value);
      run(*loop.getBody());
      for (auto [value, yielded] : llvm::zip(carried, loop.getBody()->getTerminator()->getOperands()))
        value = get(yielded);
    }
    for (auto [result, value] : llvm::zip(loop.getResults(), carried))
      set(result, value);
  } else if (auto choice = dyn_cast<scf::IfOp>(op)) {
    Region &region = integer(choice.getCondition()) ? choice.getThenRegion() : choice.getElseRegion();
    if (region.empty())
      return true;
    run(region.front());
    for (auto [result, yielded] : llvm::zip(op.getResults(), region.front().getTerminator()->getOperands()))
      set(result, get(yielded));
  } else {
    return isa<scf::YieldOp>(op);
  }
  return true;
}

/// Of indices, which are never negative.
static std::int64_t divided(Operation &op, std::int64_t a, std::int64_t b) {
  if (b == 0)
    throw std::runtime_error("an index is divided by 0");
  if (isa<arith::DivUIOp>(op))
    return a / b;
  return isa<arith::RemUIOp>(op) ? a % b : (a + b - 1) / b;
}

bool Block::runScalar(Operation &op) {
  auto give = [&](double value) { set(op.getResult(0), StepValue::scalar(value)); };
  if (auto id = dyn_cast<tile::BlockIdOp>(op))
    give(double(id_[id.getDimension()]));
  else if (auto count = dyn_cast<tile::BlockCountOp>(op))
    give(double(count_[count.getDimension()]));
  else if (auto dim = dyn_cast<tensor::DimOp>(op))
    give(double(memory_.at(dim.getSource())->shape[integer(dim.getIndex())]));
  else if (isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op) && op.getResult(0).getType().isIndex())
    give(double(divided(op, integer(op.getOperand(0)), integer(op.getOperand(1)))));
  else if (isa<arith::IndexCastOp, arith::ExtFOp>(op))
    set(op.getResult(0), get(op.getOperand(0)));
  else if (auto truncation = dyn_cast<arith::TruncFOp>(op))
    set(op.getResult(0), pattern::elementwise(get(truncation.getIn()), [&](double value) {
          return rounded(value, cast<FloatType>(getElementTypeOrSelf(truncation.getType())));
        }));
  else
    return false;
  return true;
}

void Block::run(Operation &op) {
  if (runControl(op) || runMemory(op) || runShape(op) || runProduct(op) || runScalar(op))
    return;
  auto step = dyn_cast<pattern::StepOp>(op);
  if (!step)
    throw std::runtime_error("the interpreter does not know " + op.getName().getStringRef().str());
  std::vector<StepValue> operands;
  for (Value operand : op.getOperands())
    operands.push_back(get(operand));
  set(op.getResult(0), step.evaluate(operands));
}

} // namespace linmu::interpreter
