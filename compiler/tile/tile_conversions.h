// Conversions of scalars and tiles: indices and i32, storage types and f32.
#pragma once
#include "compiler/tile/tile_builder.h"

namespace linmu {

mlir::Value toI32(TileBuilder &builder, mlir::Value index);
mlir::Value toIndex(TileBuilder &builder, mlir::Value i32);
/// f32 from a storage type (bf16, f16), of scalars and tiles; other types as they are.
mlir::Value extendToF32(TileBuilder &builder, mlir::Value value);
/// The storage type `element` from f32.
mlir::Value roundTo(TileBuilder &builder, mlir::Value value, mlir::Type element);

} // namespace linmu
