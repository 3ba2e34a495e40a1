// The work of kernels on windows, cut into units: a cell of window_grid.h, or a share of its tokens. A block
// serves one head of one sequence and every unit u = slot, slot + slots, ... of the items in turn. Slots are
// counted from the tokens, so that neither they nor the units depend on positions of windows outside the
// grid.
#pragma once
#include "compiler/derive/program_builder.h"
#include "compiler/derive/walk.h"
#include "compiler/derive/window_grid.h"

namespace linmu {

class WindowUnits {
public:
  /// Units of at most `share` tokens, for the block at this place in grid(), which gives it a slot of
  /// `slotTokens`. `media` is the kernel's memory.
  WindowUnits(const pattern::WindowView &view, int64_t share, int64_t slotTokens, TileBuilder &builder,
              const Walk &walk, WindowGrid &grid, mlir::Value media);

  /// Heads, slots of `slotTokens` tokens, sequences.
  static llvm::SmallVector<mlir::Value> grid(ProgramBuilder &program, int64_t heads, int64_t slotTokens);
  /// The walk of this block; `heads` are those of the queries, `blocks` those of grid().
  static Walk walkOf(TileBuilder &builder, mlir::Value like, int64_t heads, int64_t blocks);

  /// Writes zero to those of this slot's part of all tokens that are in no item.
  void zeroTextTokens(llvm::ArrayRef<mlir::Value> memories);
  /// Emits `body` for every unit of this block.
  mlir::LogicalResult forEach(llvm::function_ref<mlir::LogicalResult(const WindowShare &unit)> body);

private:
  using Value = mlir::Value;

  Value tokensInItems(Value from, Value to);
  Value areOutside(Value tokens);
  mlir::LogicalResult enter(const WindowItem &item, Value parts, Value unit,
                            llvm::function_ref<mlir::LogicalResult(const WindowShare &)> body);
  Value items();
  Value constantLike(Value like, int64_t value) { return builder.splat(like.getType(), value); }
  Value fill(Value scalar, Value like) {
    return builder.fill(scalar, mlir::cast<mlir::RankedTensorType>(like.getType()).getShape());
  }

  const pattern::WindowView &view;
  int64_t share, slot_tokens;
  TileBuilder &builder;
  const Walk &walk;
  WindowGrid &windows;
  Value media, slot, slots;
};

} // namespace linmu
