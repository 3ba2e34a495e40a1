// Values of a register block, a vector of a rank-1 tile, and single elements.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Buffers hold i1 as i32: memory has no bits.
Value KernelLowering::fromStored(Value stored, Type element) {
  if (!element.isInteger(1))
    return stored;
  return arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::ne, stored,
                               constant(stored.getType(), 0));
}

Value KernelLowering::toStored(Value value) {
  if (!getElementTypeOrSelf(value.getType()).isInteger(1))
    return value;
  Type type = builder_.getI32Type();
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(type);
  return arith::ExtUIOp::create(builder_, location_, type, value);
}

Value KernelLowering::loadBuffer(const Buffer &buffer, Type element, Value row, Value panel, Value column) {
  Type stored = cast<MemRefType>(buffer.memref.getType()).getElementType();
  SmallVector<Value> indices;
  if (buffer.layout == Layout::panels)
    indices = {panel, row, index(0)};
  else
    indices = {row, column};
  return fromStored(vector::LoadOp::create(builder_, location_, vectorType(stored), buffer.memref, indices),
                    element);
}

void KernelLowering::storeBuffer(Value vector, const Buffer &buffer, Value row, Value panel, Value column) {
  SmallVector<Value> indices;
  if (buffer.layout == Layout::panels)
    indices = {panel, row, index(0)};
  else
    indices = {row, column};
  vector::StoreOp::create(builder_, location_, toStored(vector), buffer.memref, indices);
}

/// The op with its operands replaced and every shaped result turned into `type`'s shape.
static Value cloneElementwise(OpBuilder &builder, Operation *op, ValueRange operands,
                              ArrayRef<int64_t> shape) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  Type type = shape.empty() ? element : Type(VectorType::get(shape, element));
  OperationState state(op->getLoc(), op->getName(), operands, type, op->getAttrs());
  return builder.create(state)->getResult(0);
}

static Attribute splatOf(arith::ConstantOp constant) {
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
    return dense.isSplat() ? dense.getSplatValue<Attribute>() : Attribute();
  return constant.getValue();
}

KernelLowering::Vectors KernelLowering::block(Value tile, const Block &at) {
  if (auto found = memo_.find(tile); found != memo_.end())
    return found->second;
  Type element = getElementTypeOrSelf(tile.getType());
  Vectors result;
  if (const Buffer *buffer = findAny(tile)) {
    for (int64_t r = 0; r < at.rows; ++r)
      result.push_back(loadBuffer(*buffer, element, add(at.row, r), at.panel, at.column));
    return memo_[tile] = result;
  }
  Operation *op = tile.getDefiningOp();
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = DenseElementsAttr::get(vectorType(element), splatOf(constantOp));
    result.assign(at.rows, arith::ConstantOp::create(builder_, location_, dense));
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    Value source = broadcast.getSource();
    if (rankOf(source.getType()) == 0)
      result.assign(at.rows, splat(scalarOf(source)));
    else if (*broadcast.getAxis() == 1)
      result.assign(at.rows, vector(source, at.column));
    else
      for (int64_t r = 0; r < at.rows; ++r)
        result.push_back(splat(scalar(source, add(at.row, r))));
  } else if (auto coordinate = dyn_cast<tile::CoordinateOp>(op)) {
    Type i32 = builder_.getI32Type();
    auto cast = [&](Value value) -> Value {
      return arith::IndexCastOp::create(builder_, location_, i32, value);
    };
    if (coordinate.getAxis() == 0) {
      for (int64_t r = 0; r < at.rows; ++r)
        result.push_back(splat(cast(add(at.row, r))));
    } else {
      auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, Machine::width));
      Value iota = arith::ConstantOp::create(
          builder_, location_, DenseElementsAttr::get(vectorType(i32), ArrayRef<int32_t>(lanes)));
      result.assign(at.rows, arith::AddIOp::create(builder_, location_, splat(cast(at.column)), iota));
    }
  } else if (auto load = dyn_cast<tile::LoadOp>(op)) {
    result = loadBlock(load, at);
  } else if (auto dot = dyn_cast<tile::DotOp>(op)) {
    result = dotBlock(dot, at);
  } else {
    assert(isElementwise(op) && "checked by lowerOp");
    SmallVector<Vectors> operands;
    for (Value operand : op->getOperands())
      operands.push_back(rankOf(operand.getType()) ? block(operand, at)
                                                   : Vectors(at.rows, scalarOf(operand)));
    for (int64_t r = 0; r < at.rows; ++r) {
      SmallVector<Value> row;
      for (Vectors &vectors : operands)
        row.push_back(vectors[r]);
      result.push_back(cloneElementwise(builder_, op, row, {Machine::width}));
    }
  }
  return memo_[tile] = result;
}

/// Elements [column, column + width) of a rank-1 tile.
Value KernelLowering::vector(Value tile, Value column) {
  Type element = getElementTypeOrSelf(tile.getType());
  if (const Buffer *buffer = findAny(tile)) {
    Type stored = cast<MemRefType>(buffer->memref.getType()).getElementType();
    return fromStored(vector::LoadOp::create(builder_, location_, vectorType(stored), buffer->memref, column),
                      element);
  }
  Operation *op = tile.getDefiningOp();
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(builder_, location_,
                                     DenseElementsAttr::get(vectorType(element), splatOf(constantOp)));
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return splat(scalarOf(broadcast.getSource()));
  if (isa<tile::CoordinateOp>(op)) {
    Type i32 = builder_.getI32Type();
    auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, Machine::width));
    Value iota = arith::ConstantOp::create(builder_, location_,
                                           DenseElementsAttr::get(vectorType(i32), ArrayRef<int32_t>(lanes)));
    Value start = arith::IndexCastOp::create(builder_, location_, i32, column);
    return arith::AddIOp::create(builder_, location_, splat(start), iota);
  }
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return loadVector(load, column);
  assert(isElementwise(op) && "checked by lowerOp");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(rankOf(operand.getType()) ? vector(operand, column) : scalarOf(operand));
  return cloneElementwise(builder_, op, operands, {Machine::width});
}

/// One element of a rank-1 tile.
Value KernelLowering::scalar(Value tile, Value at) {
  Type element = getElementTypeOrSelf(tile.getType());
  if (const Buffer *buffer = findAny(tile))
    return fromStored(memref::LoadOp::create(builder_, location_, buffer->memref, at), element);
  Operation *op = tile.getDefiningOp();
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op))
    return arith::ConstantOp::create(builder_, location_, cast<TypedAttr>(splatOf(constantOp)));
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return scalarOf(broadcast.getSource());
  if (isa<tile::CoordinateOp>(op))
    return arith::IndexCastOp::create(builder_, location_, builder_.getI32Type(), at);
  assert(isElementwise(op) && "rank-1 loads are materialised");
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(rankOf(operand.getType()) ? scalar(operand, at) : scalarOf(operand));
  return cloneElementwise(builder_, op, operands, {});
}
