// How tiles lie in the buffers of a thread's workspace, and how that is written in the IR.
//
// A tile value is either materialised in buffers, one for each layout that its uses need, or recomputed where
// it is used. `assign-buffers` decides which (AssignBuffers.cpp), Buffers.h reads and writes elements, Fill.h
// fills a buffer from what the tile is computed of.
#pragma once
#include "compiler/target/cpu/Machine.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include <optional>

namespace linmu::cpu {

/// How a buffer stores a tile of rows x columns. Columns are padded to whole panels.
enum class Layout {
  rows,             ///< [rows][columns]
  panels,           ///< [columns / width][rows][width]: a column panel is contiguous
  transposedPanels, ///< the transpose of the tile, as panels: [rows / width][columns][width]
};

using Layouts = llvm::SmallVector<Layout, 2>;

/// "rows", "panels" or "transposed-panels".
llvm::StringRef nameOf(Layout layout);

/// On an op with results: for each of them the layouts of its buffers, that which the op itself writes first;
/// an empty list for scalars and for tiles that are recomputed where they are used.
inline constexpr llvm::StringLiteral buffersAttribute = "cpu.buffers";
/// On a loop: the same for the tiles that its body receives from the iteration before.
inline constexpr llvm::StringLiteral carriedAttribute = "cpu.carried";
/// On a loop: how each of them gets its next value (NextValue).
inline constexpr llvm::StringLiteral nextAttribute = "cpu.next";

/// How the buffer of a loop-carried tile gets its next value.
enum class NextValue {
  scalar,  ///< it is no tile
  kept,    ///< it has none: the body yields what it received
  inPlace, ///< block by block over the old value
  staged,  ///< through a buffer of its own, because other elements still read the old value
};
llvm::StringRef nameOf(NextValue next);

/// The lists of an attribute, one for each value; none where it is missing or has another form.
std::optional<llvm::SmallVector<Layouts>> layoutsIn(mlir::Operation *op, llvm::StringRef attribute);
std::optional<llvm::SmallVector<NextValue>> nextValuesOf(mlir::Operation *loop);
void setLayouts(mlir::Operation *op, llvm::StringRef attribute, llvm::ArrayRef<Layouts> layouts);
void setNextValues(mlir::Operation *loop, llvm::ArrayRef<NextValue> values);

/// The rank of a tile type: 0 for scalars.
int64_t rankOf(mlir::Type type);
llvm::ArrayRef<int64_t> shapeOf(mlir::Value tile);

std::int64_t roundUp(std::int64_t value, std::int64_t multiple);
/// Panels that this many columns, or rows of a transpose, take.
std::int64_t panelsOf(std::int64_t columns);
/// The largest divisor of `count` that is at most `most`.
std::int64_t largestDivisor(std::int64_t count, std::int64_t most);

/// What stands in memory for an element: i1 as an integer of `bitsOfBool` bits, for memory has no bits; bf16
/// as i16, because without instructions for it LLVM takes vectors of bf16 apart and calls a library for each
/// element.
mlir::Type storedElement(mlir::Type element, unsigned bitsOfBool);

/// A buffer for a tile, and the workspace that it takes: whole cache lines.
mlir::MemRefType bufferType(mlir::Type tile, Layout layout);
std::int64_t bytesOf(mlir::MemRefType type);

} // namespace linmu::cpu
