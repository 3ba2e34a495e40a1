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

/// The same bits as elements of another type, of a scalar or a vector.
Value KernelLowering::bitcastElements(Value value, Type element) {
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(element);
  return arith::BitcastOp::create(builder_, location_, type, value);
}

/// Buffers hold i1 as i32: memory has no bits. bf16 lies in memory as i16: without instructions for it LLVM
/// takes vectors of bf16 apart and calls a library for each element.
Value KernelLowering::fromStored(Value stored, Type element) {
  if (element.isBF16() && getElementTypeOrSelf(stored.getType()).isInteger(16))
    return bitcastElements(stored, element);
  if (!element.isInteger(1))
    return stored;
  return arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::ne, stored,
                               constant(stored.getType(), 0));
}

Value KernelLowering::toStored(Value value) {
  if (getElementTypeOrSelf(value.getType()).isBF16())
    return bitcastElements(value, builder_.getI16Type());
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

void KernelLowering::storeBlock(ArrayRef<Value> vectors, const Buffer &buffer, const Block &at) {
  forEachVector(at, [&](Value row, Value panel, Value column) {
    storeBuffer(vectors.consume_front(), buffer, row, panel, column);
  });
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
    forEachVector(at, [&](Value row, Value panel, Value column) {
      result.push_back(loadBuffer(*buffer, element, row, panel, column));
    });
    return memo_[tile] = result;
  }
  // Vectors that differ by row, or by panel, only.
  auto byRow = [&](function_ref<Value(Value)> vectorOf) {
    for (int64_t r = 0; r < at.rows; ++r)
      result.push_back(vectorOf(add(at.row, r)));
    for (int64_t i = at.rows; i < at.size(); ++i)
      result.push_back(result[i - at.rows]);
  };
  auto byPanel = [&](function_ref<Value(Value)> vectorOf) {
    for (int64_t p = 0; p < at.panels; ++p)
      result.append(at.rows, vectorOf(add(at.column, p * Machine::width)));
  };
  Operation *op = tile.getDefiningOp();
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    auto dense = DenseElementsAttr::get(vectorType(element), splatOf(constantOp));
    result.assign(at.size(), arith::ConstantOp::create(builder_, location_, dense));
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    Value source = broadcast.getSource();
    if (rankOf(source.getType()) == 0)
      result.assign(at.size(), splat(scalarOf(source)));
    else if (*broadcast.getAxis() == 1)
      byPanel([&](Value column) { return vector(source, column); });
    else
      byRow([&](Value row) { return splat(scalar(source, row)); });
  } else if (auto coordinate = dyn_cast<tile::CoordinateOp>(op)) {
    Type i32 = builder_.getI32Type();
    auto cast = [&](Value value) -> Value {
      return arith::IndexCastOp::create(builder_, location_, i32, value);
    };
    if (coordinate.getAxis() == 0) {
      byRow([&](Value row) { return splat(cast(row)); });
    } else {
      auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, Machine::width));
      Value iota = arith::ConstantOp::create(
          builder_, location_, DenseElementsAttr::get(vectorType(i32), ArrayRef<int32_t>(lanes)));
      byPanel([&](Value column) -> Value {
        return arith::AddIOp::create(builder_, location_, splat(cast(column)), iota);
      });
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
                                                   : Vectors(at.size(), scalarOf(operand)));
    for (int64_t i = 0; i < at.size(); ++i) {
      SmallVector<Value> vectors;
      for (Vectors &operand : operands)
        vectors.push_back(operand[i]);
      result.push_back(cloneElementwise(builder_, op, vectors, {Machine::width}));
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
