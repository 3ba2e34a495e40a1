#include "dialects/tile/TileShapes.h"

using namespace mlir;

namespace linmu::tile {

SmallVector<int64_t> shapeOf(Value value) {
  auto tensor = dyn_cast<RankedTensorType>(value.getType());
  return tensor ? SmallVector<int64_t>(tensor.getShape()) : SmallVector<int64_t>{};
}

LogicalResult expectShape(Operation *op, StringRef name, Value value, ArrayRef<int64_t> expected) {
  SmallVector<int64_t> actual = shapeOf(value);
  if (ArrayRef<int64_t>(actual) == expected)
    return success();
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "requires " << name << " of shape [";
  llvm::interleaveComma(expected, stream);
  stream << "], got [";
  llvm::interleaveComma(actual, stream);
  stream << "]";
  return op->emitOpError(text);
}

} // namespace linmu::tile
