#include "compiler/tile/tile_cumulative.h"

using namespace mlir;
using namespace linmu;

Value linmu::cumulativeProduct(TileBuilder &builder, Value source, const CumulativeOptions &options) {
  IntegerAttr every = options.every ? builder.getI64IntegerAttr(options.every) : IntegerAttr();
  return tile::CumprodOp::create(builder, source.getType(), source, options.exclusive, options.reversed,
                                 every);
}

Value linmu::cumulativeSum(TileBuilder &builder, Value source, const CumulativeOptions &options) {
  Type type = source.getType();
  auto sums = tile::CumsumOp::create(builder, type, type, source, options.exclusive, options.reversed);
  return sums.getSum();
}
