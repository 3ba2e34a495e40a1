#include "compiler/tile/tile_builder.h"

using namespace mlir;
using namespace linmu;

Type linmu::withElement(Type shape, Type element) {
  auto tensor = dyn_cast<RankedTensorType>(shape);
  return tensor ? RankedTensorType::get(tensor.getShape(), element) : element;
}

int64_t linmu::rankOf(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor ? tensor.getRank() : 0;
}

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value.getType())); }

Value TileBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value TileBuilder::splat(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute;
  if (auto real = dyn_cast<FloatType>(element))
    attribute = getFloatAttr(real, value);
  else
    attribute = getIntegerAttr(element, int64_t(value));
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    attribute = DenseElementsAttr::get(tensor, attribute);
  return arith::ConstantOp::create(*this, attribute);
}

Value TileBuilder::blockId(int64_t dimension) {
  return tile::BlockIdOp::create(*this, getIndexType(), dimension);
}

Value TileBuilder::fill(Value scalar, ArrayRef<int64_t> shape) {
  if (shape.empty())
    return scalar;
  return tile::BroadcastOp::create(*this, RankedTensorType::get(shape, scalar.getType()), scalar,
                                   IntegerAttr());
}

Value TileBuilder::along(Value vector, int64_t axis, ArrayRef<int64_t> shape) {
  return tile::BroadcastOp::create(*this,
                                   RankedTensorType::get(shape, getElementTypeOrSelf(vector.getType())),
                                   vector, getI64IntegerAttr(axis));
}

Value TileBuilder::coordinate(ArrayRef<int64_t> shape, int64_t axis) {
  return tile::CoordinateOp::create(*this, RankedTensorType::get(shape, getI32Type()), axis);
}

Value TileBuilder::add(Value a, Value b) {
  return isFloat(a) ? Value(arith::AddFOp::create(*this, a, b)) : Value(arith::AddIOp::create(*this, a, b));
}
Value TileBuilder::subtract(Value a, Value b) {
  return isFloat(a) ? Value(arith::SubFOp::create(*this, a, b)) : Value(arith::SubIOp::create(*this, a, b));
}
Value TileBuilder::multiply(Value a, Value b) {
  return isFloat(a) ? Value(arith::MulFOp::create(*this, a, b)) : Value(arith::MulIOp::create(*this, a, b));
}
Value TileBuilder::divide(Value a, Value b) {
  return isFloat(a) ? Value(arith::DivFOp::create(*this, a, b)) : Value(arith::DivSIOp::create(*this, a, b));
}
Value TileBuilder::minimum(Value a, Value b) {
  return isFloat(a) ? Value(arith::MinimumFOp::create(*this, a, b))
                    : Value(arith::MinSIOp::create(*this, a, b));
}
Value TileBuilder::maximum(Value a, Value b) {
  return isFloat(a) ? Value(arith::MaximumFOp::create(*this, a, b))
                    : Value(arith::MaxSIOp::create(*this, a, b));
}
Value TileBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(*this, predicate, a, b);
}

Value TileBuilder::reduce(tile::ReduceKind kind, Value source, int64_t axis) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(source.getType()).getShape());
  shape.erase(shape.begin() + axis);
  Type type = shape.empty() ? Type(getF32Type()) : Type(f32Tile(shape));
  return tile::ReduceOp::create(*this, type, kind, source, axis);
}

Value TileBuilder::dot(Value lhs, Value rhs, DotOptions options) {
  int64_t rows = cast<RankedTensorType>(lhs.getType()).getDimSize(options.transpose_lhs ? 1 : 0);
  int64_t columns = cast<RankedTensorType>(rhs.getType()).getDimSize(options.transpose_rhs ? 0 : 1);
  return tile::DotOp::create(*this, f32Tile({rows, columns}), lhs, rhs, options.init, options.transpose_lhs,
                             options.transpose_rhs, options.triangle);
}
