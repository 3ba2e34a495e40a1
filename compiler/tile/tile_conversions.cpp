#include "compiler/tile/tile_conversions.h"

using namespace mlir;
using namespace linmu;

Value linmu::toI32(TileBuilder &builder, Value index) {
  return arith::IndexCastOp::create(builder, builder.getI32Type(), index);
}
Value linmu::toIndex(TileBuilder &builder, Value i32) {
  return arith::IndexCastOp::create(builder, builder.getIndexType(), i32);
}

Value linmu::extendToF32(TileBuilder &builder, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  if (!isa<FloatType>(element) || element.isF32())
    return value;
  return arith::ExtFOp::create(builder, withElement(value.getType(), builder.getF32Type()), value);
}

Value linmu::roundTo(TileBuilder &builder, Value value, Type element) {
  if (getElementTypeOrSelf(value.getType()) == element)
    return value;
  return arith::TruncFOp::create(builder, withElement(value.getType(), element), value);
}
