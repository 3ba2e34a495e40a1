#include "compiler/tile/Substitution.h"
#include "compiler/tile/Slices.h"
#include "compiler/tile/tile_conversions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

/// i1: rows after `row`, and with `lower` of them the columns up to it.
static Value reached(TileBuilder &builder, Value row, ArrayRef<int64_t> shape, bool lower) {
  Value number = builder.fill(toI32(builder, row), shape);
  Value later = builder.compare(arith::CmpIPredicate::sgt, builder.coordinate(shape, 0), number);
  if (!lower)
    return later;
  return builder.both(later,
                      builder.compare(arith::CmpIPredicate::sle, builder.coordinate(shape, 1), number));
}

SmallVector<Value> tile::substitute(TileBuilder &builder, ArrayRef<Value> systems, ArrayRef<Value> values,
                                    bool lower) {
  SmallVector<int64_t> shape{extentOf(values.front(), 0), extentOf(values.front(), 1)};
  if (shape[0] == 1)
    return SmallVector<Value>(values);
  SmallVector<Value> byColumn; // what a row gives to all others lies in a column of the system
  for (Value system : systems)
    byColumn.push_back(TransposeOp::create(builder, system.getType(), system));
  auto loop = scf::ForOp::create(builder, builder.index(0), builder.index(shape[0] - 1), builder.index(1),
                                 SmallVector<Value>(values));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar();
  SmallVector<Value> solved;
  for (Value carried : loop.getRegionIterArgs()) {
    Value elements = ExtractOp::create(builder, builder.f32Tile({shape[1]}), carried, row);
    solved.push_back(builder.along(elements, 1, shape));
  }
  Value mask = reached(builder, row, shape, lower);
  SmallVector<Value> next;
  for (auto [i, carried] : llvm::enumerate(loop.getRegionIterArgs())) {
    Value sum = carried;
    for (size_t j = 0; j < values.size(); ++j) {
      Value column =
          ExtractOp::create(builder, builder.f32Tile({shape[0]}), byColumn[i * values.size() + j], row);
      sum = builder.add(sum, builder.multiply(builder.along(column, 0, shape), solved[j]));
    }
    next.push_back(builder.select(mask, sum, carried));
  }
  scf::YieldOp::create(builder, next);
  return SmallVector<Value>(loop.getResults());
}
