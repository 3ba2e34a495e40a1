#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/buffers/Uses.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Operands.h"
#include "compiler/target/cpu/lower/Products.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// The op with its operands replaced, on scalars or vectors.
static Value cloneElementwise(Emit &emit, Operation *op, ValueRange operands, bool onVectors) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  OperationState state(op->getLoc(), op->getName(), operands, onVectors ? vectorType(element) : element,
                       op->getAttrs());
  state.attributes.erase(buffersAttribute);
  return emit.insert(Operation::create(state))->getResult(0);
}

static TypedAttr splatOf(arith::ConstantOp constant) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
    return cast<TypedAttr>(dense.getSplatValue<Attribute>()); // checked where it is lowered
  return constant.getValue();
}

/// A constant tile's vector.
static Value vectorOfConstant(Emit &emit, arith::ConstantOp constant) {
  Type element = getElementTypeOrSelf(constant.getType());
  return arith::ConstantOp::create(emit,
                                   DenseElementsAttr::get(vectorType(element), Attribute(splatOf(constant))));
}

Value linmu::cpu::elementOf(Kernel &kernel, Value tile, Value at) {
  Emit &emit = kernel.emit;
  if (Buffer buffer = kernel.buffers.findReadable(tile))
    return emit.fromStored(memref::LoadOp::create(emit, buffer.memref, at),
                           getElementTypeOrSelf(tile.getType()));
  Operation *op = tile.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(emit, splatOf(constant));
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return kernel.scalar(broadcast.getSource());
  if (isa<tile::CoordinateOp>(op))
    return arith::IndexCastOp::create(emit, emit.getI32Type(), at);
  assert(isElementwise(op) && "rank-1 loads are materialised");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(rankOf(operand.getType()) ? elementOf(kernel, operand, at) : kernel.scalar(operand));
  return cloneElementwise(emit, op, operands, /*onVectors=*/false);
}

Value linmu::cpu::vectorOf(Lowering &lowering, Value tile, Value column) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  if (Buffer buffer = kernel.buffers.findReadable(tile)) {
    VectorType type = vectorType(elementTypeOf(buffer.memref));
    return emit.fromStored(vector::LoadOp::create(emit, type, buffer.memref, column),
                           getElementTypeOrSelf(tile.getType()));
  }
  Operation *op = tile.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return vectorOfConstant(emit, constant);
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return emit.splat(kernel.scalar(broadcast.getSource()));
  if (isa<tile::CoordinateOp>(op)) {
    Value iota = emit.iota();
    Value start = arith::IndexCastOp::create(emit, emit.getI32Type(), column);
    return arith::AddIOp::create(emit, emit.splat(start), iota);
  }
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return loadVector(lowering, load, column);
  assert(isElementwise(op) && "checked by lowerOp");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(rankOf(operand.getType()) ? vectorOf(lowering, operand, column)
                                                 : kernel.scalar(operand));
  return cloneElementwise(emit, op, operands, /*onVectors=*/true);
}

BlockValues::BlockValues(Lowering &lowering, const RegisterBlock &at)
    : lowering_(lowering), kernel_(lowering.kernel), emit_(lowering.kernel.emit), at_(at) {}

Vectors BlockValues::of(Value tile) {
  if (auto found = known_.find(tile); found != known_.end())
    return found->second;
  return known_[tile] = compute(tile);
}

Vectors BlockValues::compute(Value tile) {
  if (Buffer buffer = kernel_.buffers.findReadable(tile))
    return fromBuffer(buffer, getElementTypeOrSelf(tile.getType()));
  return llvm::TypeSwitch<Operation *, Vectors>(tile.getDefiningOp())
      .Case(
          [&](arith::ConstantOp constant) { return Vectors(at_.size(), vectorOfConstant(emit_, constant)); })
      .Case([&](tile::BroadcastOp op) { return broadcast(op); })
      .Case([&](tile::CoordinateOp op) { return coordinates(op.getAxis()); })
      .Case([&](tile::LoadOp op) { return loadBlock(lowering_, op, at_); })
      .Case([&](tile::DotOp op) { return dotBlock(lowering_, op, at_, *this); })
      .Default([&](Operation *op) { return elementwise(op); });
}

Vectors BlockValues::fromBuffer(const Buffer &buffer, Type element) {
  Vectors result;
  forEachVector(emit_, at_, [&](Value row, Value panel, Value column) {
    result.push_back(kernel_.buffers.load(buffer, element, row, panel, column));
  });
  return result;
}

Vectors BlockValues::byRow(function_ref<Value(Value)> vectorAt) {
  Vectors result;
  for (int64_t r = 0; r < at_.rows; ++r)
    result.push_back(vectorAt(emit_.add(at_.row, r)));
  for (int64_t i = at_.rows; i < at_.size(); ++i)
    result.push_back(Value(result[i - at_.rows]));
  return result;
}

Vectors BlockValues::byPanel(function_ref<Value(Value)> vectorAt) {
  Vectors result;
  for (int64_t p = 0; p < at_.panels; ++p)
    result.append(at_.rows, vectorAt(emit_.add(at_.column, p * Machine::width)));
  return result;
}

Vectors BlockValues::coordinates(int64_t axis) {
  auto cast = [&](Value value) -> Value {
    return arith::IndexCastOp::create(emit_, emit_.getI32Type(), value);
  };
  if (axis == 0)
    return byRow([&](Value row) { return emit_.splat(cast(row)); });
  Value iota = emit_.iota();
  return byPanel(
      [&](Value column) -> Value { return arith::AddIOp::create(emit_, emit_.splat(cast(column)), iota); });
}

Vectors BlockValues::broadcast(tile::BroadcastOp op) {
  Value source = op.getSource();
  if (rankOf(source.getType()) == 0)
    return Vectors(at_.size(), emit_.splat(kernel_.scalar(source)));
  if (*op.getAxis() == 1)
    return byPanel([&](Value column) { return vectorOf(lowering_, source, column); });
  return byRow([&](Value row) { return emit_.splat(elementOf(kernel_, source, row)); });
}

Vectors BlockValues::elementwise(Operation *op) {
  assert(isElementwise(op) && "checked by lowerOp");
  SmallVector<Vectors> operands;
  for (Value operand : op->getOperands())
    operands.push_back(rankOf(operand.getType()) ? of(operand)
                                                 : Vectors(at_.size(), kernel_.scalar(operand)));
  Vectors result;
  for (int64_t i = 0; i < at_.size(); ++i) {
    SmallVector<Value> vectors;
    for (Vectors &operand : operands)
      vectors.push_back(operand[i]);
    result.push_back(cloneElementwise(emit_, op, vectors, /*onVectors=*/true));
  }
  return result;
}
