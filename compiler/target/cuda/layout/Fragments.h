// Register layouts of matrix instructions: which element of an operand a thread holds in which register.
//
// Inputs are "register" (one element each, packed ones counted apart), "lane" and "warp"; outputs "dim0"
// (rows) and "dim1" (columns). Source: the tables of mma.m16n8k8 and mma.m16n8k16 in the PTX ISA, "Matrix
// Fragments".
#pragma once
#include "compiler/target/cuda/layout/LinearLayout.h"

namespace linmu::cuda {

inline constexpr llvm::StringLiteral registerInput = "register", laneInput = "lane", warpInput = "warp";
inline constexpr llvm::StringLiteral offsetInput = "offset";
inline constexpr llvm::StringLiteral rowOutput = "dim0", columnOutput = "dim1";
inline constexpr unsigned laneBits = 5;

/// mma.sync of m16 n8; k is 2 * the 32-bit registers of a row of A in a group of four lanes.
enum class MatrixInstruction {
  m16n8k16Half, ///< bf16 or f16 in, k = 16
  m16n8k8Half,  ///< bf16 or f16 in, k = 8
  m16n8k8TF32,  ///< tf32 in, k = 8
};
/// A of 16 x k, B of k x 8, the f32 accumulator of 16 x 8.
enum class Operand { a, b, accumulator };

/// log2 of an operand's rows and columns.
struct Extents {
  unsigned rows = 0, columns = 0;
  bool operator==(const Extents &) const = default;
};
Extents extentsOf(MatrixInstruction instruction, Operand operand);

/// One fragment of one warp: inputs register and lane.
LinearLayout fragmentLayout(MatrixInstruction instruction, Operand operand);

/// How the warps of a block divide the product's result: the lowest bits of the warp number go along rows.
struct WarpGrid {
  unsigned rows = 0, columns = 0; ///< log2 of the warps along rows and columns of the result
};

/// A whole operand. Each warp has a contiguous part of the result and what of A and B its part needs, so that
/// warps in one row hold the same A and those in one column the same B. A warp's fragments follow each other
/// in its registers along k first (the accumulator's along columns). Where a tile has fewer fragments than
/// warps along an axis, the warps left over hold the same. Requires `tile` to be at least the extents of one
/// fragment.
LinearLayout operandLayout(MatrixInstruction instruction, Operand operand, Extents tile, WarpGrid warps);

/// Vectors of 2^vector elements along rows, consecutive lanes along consecutive vectors, then rows, then
/// warps, then further registers: how a block copies a tile of rows to and from memory. Requires 2^vector
/// columns at least; lanes and warps left over hold the same elements.
LinearLayout rowLayout(Extents tile, unsigned vector, unsigned warps);

} // namespace linmu::cuda
