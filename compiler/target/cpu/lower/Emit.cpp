#include "compiler/target/cpu/lower/Emit.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace linmu::cpu;

VectorType linmu::cpu::vectorType(Type element) { return VectorType::get({Machine::width}, element); }

Type linmu::cpu::elementTypeOf(Value memref) { return cast<MemRefType>(memref.getType()).getElementType(); }

/// The type with another element.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

Value Emit::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value Emit::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute = isa<FloatType>(element) ? TypedAttr(getFloatAttr(element, value))
                                                : TypedAttr(getIntegerAttr(element, int64_t(value)));
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, Attribute(attribute));
  return arith::ConstantOp::create(*this, attribute);
}

Value Emit::add(Value lhs, Value rhs) {
  auto zero = [](Value value) {
    auto constant = value.getDefiningOp<arith::ConstantIndexOp>();
    return constant && constant.value() == 0;
  };
  if (zero(lhs))
    return rhs;
  if (zero(rhs))
    return lhs;
  return arith::AddIOp::create(*this, lhs, rhs, arith::IntegerOverflowFlags::nsw);
}

Value Emit::multiply(Value lhs, int64_t rhs) {
  if (rhs == 1)
    return lhs;
  return arith::MulIOp::create(*this, lhs, index(rhs), arith::IntegerOverflowFlags::nsw);
}

Value Emit::compare(arith::CmpIPredicate predicate, Value lhs, Value rhs) {
  return arith::CmpIOp::create(*this, predicate, lhs, rhs);
}

Value Emit::toIndex(Value integer) { return arith::IndexCastOp::create(*this, getIndexType(), integer); }

Value Emit::splat(Value scalar) {
  return vector::BroadcastOp::create(*this, vectorType(scalar.getType()), scalar);
}

Value Emit::iota() {
  auto lanes = llvm::to_vector(llvm::seq<int32_t>(0, Machine::width));
  return arith::ConstantOp::create(
      *this, DenseElementsAttr::get(vectorType(getI32Type()), ArrayRef<int32_t>(lanes)));
}

Value Emit::lanesBefore(Value bound, Value column) {
  Value left = arith::SubIOp::create(*this, bound, column);
  return vector::CreateMaskOp::create(*this, vectorType(getI1Type()), ValueRange{left});
}

/// The same bits as elements of another type.
Value Emit::bitcastElements(Value value, Type element) {
  return arith::BitcastOp::create(*this, withElement(value.getType(), element), value);
}

Value Emit::fromStored(Value stored, Type element) {
  if (element.isBF16() && getElementTypeOrSelf(stored.getType()).isInteger(16))
    return bitcastElements(stored, element);
  if (!element.isInteger(1))
    return stored;
  return compare(arith::CmpIPredicate::ne, stored, constant(stored.getType(), 0));
}

Value Emit::toStored(Value value, unsigned bitsOfBool) {
  Type element = getElementTypeOrSelf(value.getType());
  if (element.isBF16())
    return bitcastElements(value, getI16Type());
  if (!element.isInteger(1))
    return value;
  return arith::ExtUIOp::create(*this, withElement(value.getType(), getIntegerType(bitsOfBool)), value);
}

void Emit::loop(Value from, Value to, int64_t step, Body body) {
  auto op = scf::ForOp::create(*this, from, to, index(step));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPoint(op.getBody()->getTerminator());
  body(op.getInductionVar());
}

void Emit::loop(int64_t from, int64_t to, int64_t step, Body body) {
  if (to - from <= step) {
    if (from < to)
      body(index(from));
    return;
  }
  // One after the other: the order in which arguments are evaluated is the C++ compiler's.
  Value first = index(from), last = index(to);
  loop(first, last, step, body);
}

Vectors Emit::loop(Value from, Value to, int64_t step, ValueRange inits,
                   function_ref<Vectors(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, from, to, index(step), inits);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  Vectors yielded = body(op.getInductionVar(), op.getRegionIterArgs());
  scf::YieldOp::create(*this, yielded);
  return Vectors(op.getResults());
}

void Emit::guarded(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

void Emit::either(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  then();
  setInsertionPointToStart(branch.elseBlock());
  otherwise();
}
