#include "dialects/tile/Tile.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu::tile;

#include "dialects/tile/TileDialect.cpp.inc"
#include "dialects/tile/TileEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/tile/TileTypes.cpp.inc"

void TileDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/tile/TileTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"

LogicalResult RangeType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t size) {
  return size > 0 ? success() : emitError() << "requires a range of at least one position, got " << size;
}

LogicalResult BufferType::verify(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
                                 Type elementType) {
  if (shape.empty() || shape.size() > 3 || llvm::any_of(shape, [](int64_t extent) { return extent <= 0; }))
    return emitError() << "requires a buffer of one or two static extents, three for a ring";
  if (!isa<FloatType, IntegerType>(elementType))
    return emitError() << "requires a buffer of floats or integers, got " << elementType;
  return success();
}

RankedTensorType BufferType::getTileType() { return RankedTensorType::get(getShape(), getElementType()); }

/// <16x64xf32>
Type BufferType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  return getChecked([&] { return parser.emitError(parser.getNameLoc()); }, parser.getContext(), shape,
                    element);
}

void BufferType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << "x" << getElementType() << ">";
}
