// Where the tokens of a media item's windows stand.
//
// A window clipped to the grid is a box: on each axis the tokens from `start` on and, where the shift wraps
// the last window around, those from 0 on. With `wrap masked` the two are boxes of their own. So the boxes,
// called cells here, partition the grid, every token of a cell sees the whole cell, and no position is a
// missing token.
#pragma once
#include "compiler/tile/tile_builder.h"
#include "dialects/pattern/WindowView.h"
#include <array>

namespace linmu {

/// One row of the media table. Scalars of type index.
struct WindowItem {
  std::array<mlir::Value, 3> extents, shifts; ///< shifts are 0 on an axis that one window spans
  std::array<mlir::Value, 3> cells;           ///< on each axis
  mlir::Value first, count;                   ///< the first token; all cells
  mlir::Value largest;                        ///< no cell has more tokens
};

/// Scalars of type index.
struct WindowCell {
  WindowItem item;
  std::array<mlir::Value, 3> start = {};    ///< its first coordinate
  std::array<mlir::Value, 3> straight = {}; ///< tokens before the axis wraps around; null where none does
  std::array<mlir::Value, 3> sizes = {};    ///< tokens on each axis, positive
  mlir::Value tokens = {};                  ///< their product
};

/// Tokens [from, to) of a cell; index.
struct WindowShare {
  WindowCell cell;
  mlir::Value from = {}, to = {};
};

/// Positions of a cell as tiles of i32, one element a position.
struct WindowPositions {
  std::array<mlir::Value, 3> coordinates; ///< in the item's grid
  mlir::Value rows;                       ///< tokens
  mlir::Value valid;                      ///< i1; positions past the last are the last one again
};

class WindowGrid {
public:
  WindowGrid(const pattern::WindowView &view, TileBuilder &builder, mlir::Value media)
      : view(view), builder(builder), media(media) {}

  WindowItem loadItem(mlir::Value index);
  /// Cell `index` of an item, x fastest.
  WindowCell cellOf(const WindowItem &item, mlir::Value index);
  /// Positions from, from + 1, ..., the first of which is in the cell, x fastest.
  WindowPositions positions(const WindowCell &cell, mlir::Value from, int64_t count);

private:
  void placeAxis(WindowCell &cell, unsigned axis, mlir::Value index);

  const pattern::WindowView &view;
  TileBuilder &builder;
  mlir::Value media; ///< in the kernel's memory
};

} // namespace linmu
