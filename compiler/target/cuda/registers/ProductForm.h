// How the warps of a block share a product: attributes of tile.dot that assign-products writes.
#pragma once
#include "compiler/target/cuda/registers/TileLayouts.h"
#include "dialects/tile/Tile.h"

namespace linmu::cuda {

/// The warps along the rows and columns of the instructions' result. With `swapped` the instructions compute
/// the transpose, rhs^T lhs^T: the result's columns lie where its rows would, which is how one product's
/// result is the right operand of the next without moving.
struct ProductForm {
  WarpGrid grid;
  bool swapped = false;
  bool operator==(const ProductForm &other) const {
    return grid.rows == other.grid.rows && grid.columns == other.grid.columns && swapped == other.swapped;
  }
};

/// Attribute `cuda.warps = array<i64: ROWS, COLUMNS>`, log2 of both, and `cuda.swapped`.
void setProductForm(tile::DotOp dot, const ProductForm &form);
/// Of a product without the attributes: all warps along rows, as far as they go.
ProductForm productFormOf(tile::DotOp dot, const TileLayouts &layouts);

bool isSwapped(tile::DotOp dot);

/// The layouts of a product's result and operands.
LayoutAttr resultLayout(tile::DotOp dot, const ProductForm &form, TileLayouts &layouts);
LayoutAttr lhsLayout(tile::DotOp dot, const ProductForm &form, TileLayouts &layouts);
LayoutAttr rhsLayout(tile::DotOp dot, const ProductForm &form, TileLayouts &layouts);

} // namespace linmu::cuda
