#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace linmu::tile;

#include "dialects/tile/TileDialect.cpp.inc"
#include "dialects/tile/TileEnums.cpp.inc"

void TileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"
