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

RankedTensorType TileBuilder::tile(ArrayRef<int64_t> shape, Type element) {
  return RankedTensorType::get(shape, element);
}

Value TileBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }
Value TileBuilder::i32(int64_t value) { return arith::ConstantOp::create(*this, getI32IntegerAttr(value)); }

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

Value TileBuilder::toI32(Value index) { return arith::IndexCastOp::create(*this, getI32Type(), index); }
Value TileBuilder::toIndex(Value i32) { return arith::IndexCastOp::create(*this, getIndexType(), i32); }

Value TileBuilder::extend(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  if (!isa<FloatType>(element) || element.isF32())
    return value;
  return arith::ExtFOp::create(*this, withElement(value.getType(), getF32Type()), value);
}

Value TileBuilder::round(Value value, Type element) {
  if (getElementTypeOrSelf(value.getType()) == element)
    return value;
  return arith::TruncFOp::create(*this, withElement(value.getType(), element), value);
}

Value TileBuilder::fill(Value scalar, ArrayRef<int64_t> shape) {
  if (shape.empty())
    return scalar;
  return tile::BroadcastOp::create(*this, tile(shape, scalar.getType()), scalar, IntegerAttr());
}

Value TileBuilder::along(Value vector, int64_t axis, ArrayRef<int64_t> shape) {
  return tile::BroadcastOp::create(*this, tile(shape, getElementTypeOrSelf(vector.getType())), vector,
                                   getI64IntegerAttr(axis));
}

Value TileBuilder::coordinate(ArrayRef<int64_t> shape, int64_t axis) {
  return tile::CoordinateOp::create(*this, tile(shape, getI32Type()), axis);
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
Value TileBuilder::remainder(Value a, Value b) { return arith::RemSIOp::create(*this, a, b); }
Value TileBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(*this, predicate, a, b);
}

Value TileBuilder::cumprod(Value source, const CumulativeOptions &options) {
  IntegerAttr every = options.every ? getI64IntegerAttr(options.every) : IntegerAttr();
  return tile::CumprodOp::create(*this, source.getType(), source, options.exclusive, options.reversed, every);
}

Value TileBuilder::cumsum(Value source, const CumulativeOptions &options) {
  Type type = source.getType();
  auto sums = tile::CumsumOp::create(*this, type, type, source, options.exclusive, options.reversed);
  return sums.getSum();
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

Value TileBuilder::range(Value first, int64_t size, const RangeOptions &options) {
  return tile::RangeOp::create(*this, tile::RangeType::get(getContext(), size), first, options.from,
                               options.to, options.backward, options.order, options.batch);
}

Value TileBuilder::before(Value to, int64_t size) {
  return compare(arith::CmpIPredicate::slt, coordinate({size}), fill(toI32(to), {size}));
}

Value TileBuilder::load(Value memory, ValueRange indices) {
  auto type = cast<RankedTensorType>(memory.getType());
  SmallVector<int64_t> shape;
  for (Value index : indices)
    if (auto rows = dyn_cast<RankedTensorType>(index.getType()))
      shape.push_back(rows.getDimSize(0));
    else if (auto range = dyn_cast<tile::RangeType>(index.getType()))
      shape.push_back(range.getSize());
  llvm::append_range(shape, type.getShape().drop_front(indices.size()));
  Type result = shape.empty() ? type.getElementType() : Type(tile(shape, type.getElementType()));
  return tile::LoadOp::create(*this, result, memory, indices);
}

void TileBuilder::store(Value value, Value memory, ValueRange indices, Value mask) {
  tile::StoreOp::create(*this, value, memory, indices, mask);
}
