// Tiles in shared memory: swizzles, widths of accesses, bank conflicts, and what ldmatrix and stmatrix can
// serve.
//
// A memory layout maps "offset", in elements from the tile's first, to "dim0" and "dim1", one to one.
#pragma once
#include "compiler/target/cuda/layout/Fragments.h"

namespace linmu::cuda {

/// Rows one after the other, the 16-byte pieces of a row permuted: bit i of a piece's number in its row is
/// the exclusive or of bit i of its column and of those bits of the row that `masks[i]` names.
struct Swizzle {
  llvm::SmallVector<std::uint64_t, 3> masks;
  bool operator==(const Swizzle &) const = default;
};

/// Requires an element of 1, 2, 4 or 8 bytes.
LinearLayout sharedLayout(Extents tile, unsigned elementBytes, const Swizzle &swizzle = {});
/// Columns one after the other, without a swizzle.
LinearLayout transposedLayout(Extents tile);

/// The registers of a part of a tile as those of the whole: of the part at its beginning. One that begins at
/// multiples of its own sizes lies an exclusive or of its first offset away.
LinearLayout partOf(const LinearLayout &registers, const LinearLayout &memory);

/// An access of neighbouring elements at once.
struct VectorAccess {
  unsigned elements = 1; ///< a power of two
  /// The bits of the register number that count them, lowest first.
  llvm::SmallVector<unsigned, 4> registerBits;
};
/// The widest access of at most `mostBytes`, aligned to its width, that moves `registers` to or from
/// `memory`.
VectorAccess widestAccess(const LinearLayout &registers, const LinearLayout &memory, unsigned elementBytes,
                          unsigned mostBytes = 16);

/// ldmatrix and stmatrix of 8 x 8 matrices of 16-bit elements (plain ones also as 8 x 4 of 32 bits), of which
/// each row lies in 16 bytes of memory.
struct MatrixAccess {
  bool transposed = false;
  /// The bits of the register number that count the matrices of one instruction (x1, x2 or x4), lowest first.
  /// The lowest bits count the elements packed in 32 bits; all others, instructions.
  llvm::SmallVector<unsigned, 2> matrixBits;
};
/// How one instruction serves this pair, the plain form first; none where neither does.
std::optional<MatrixAccess> matrixAccess(const LinearLayout &registers, const LinearLayout &memory,
                                         unsigned elementBytes);

/// How an access reaches memory.
enum class AccessForm { vector, matrix };
struct SharedAccess {
  LinearLayout registers;
  AccessForm form = AccessForm::vector;
};

/// Passes over the 32 banks of 4 bytes that a warp's instruction takes beyond those that its bytes need, at
/// the worst of its instructions. By turns of 8 lanes for 16 bytes a lane, of 16 for 8, of all for less;
/// ldmatrix and stmatrix take a turn a matrix. Requires a matrix access to be served.
unsigned bankConflicts(const SharedAccess &access, const LinearLayout &memory, unsigned elementBytes);

/// The swizzle with the fewest conflicts, over all accesses; the simplest of equals: none, a run of row bits,
/// one or two row bits for each bit of a piece's number. Accesses that are to be matrix accesses are served
/// by it. None where no such swizzle serves them.
std::optional<Swizzle> chooseSwizzle(Extents tile, unsigned elementBytes,
                                     llvm::ArrayRef<SharedAccess> accesses);

} // namespace linmu::cuda
