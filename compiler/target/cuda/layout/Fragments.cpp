#include "compiler/target/cuda/layout/Fragments.h"
#include <algorithm>
#include <cassert>

using namespace linmu::cuda;
using llvm::StringRef;

static LinearLayout along(StringRef in, StringRef out, unsigned bits) {
  return LinearLayout::identity(in, out, bits);
}

static LinearLayout operator*(const LinearLayout &low, const LinearLayout &high) {
  return productOf(low, high);
}

/// Both outputs and all inputs exist, in their usual order, however few bits they have.
static LinearLayout canonical(const LinearLayout &layout, bool warps) {
  LinearLayout all = along(registerInput, rowOutput, 0) * along(laneInput, columnOutput, 0);
  if (warps)
    all = all * along(warpInput, rowOutput, 0);
  all = all * layout;
  return warps ? all.orderIns({registerInput, laneInput, warpInput}).orderOuts({rowOutput, columnOutput})
               : all.orderIns({registerInput, laneInput}).orderOuts({rowOutput, columnOutput});
}

Extents linmu::cuda::extentsOf(MatrixInstruction instruction, Operand operand) {
  unsigned k = instruction == MatrixInstruction::m16n8k16Half ? 4 : 3;
  switch (operand) {
  case Operand::a:
    return {4, k};
  case Operand::b:
    return {k, 3};
  case Operand::accumulator:
    return {4, 3};
  }
  llvm_unreachable("an operand of a product");
}

// Four lanes share a row of an 8 x 8 (or 8 x 4) matrix and the next eight groups of four are its rows; a
// packed register holds two neighbours along k.
LinearLayout linmu::cuda::fragmentLayout(MatrixInstruction instruction, Operand operand) {
  bool packed = instruction != MatrixInstruction::m16n8k8TF32;
  bool twoHalves = instruction != MatrixInstruction::m16n8k8Half; // of k
  switch (operand) {
  case Operand::a: {
    LinearLayout fragment = along(registerInput, columnOutput, packed ? 1 : 0) *
                            along(laneInput, columnOutput, 2) * along(laneInput, rowOutput, 3) *
                            along(registerInput, rowOutput, 1);
    return canonical(twoHalves ? fragment * along(registerInput, columnOutput, 1) : fragment, false);
  }
  case Operand::b: {
    LinearLayout fragment = along(registerInput, rowOutput, packed ? 1 : 0) * along(laneInput, rowOutput, 2) *
                            along(laneInput, columnOutput, 3);
    return canonical(twoHalves ? fragment * along(registerInput, rowOutput, 1) : fragment, false);
  }
  case Operand::accumulator:
    return canonical(along(registerInput, columnOutput, 1) * along(laneInput, columnOutput, 2) *
                         along(laneInput, rowOutput, 3) * along(registerInput, rowOutput, 1),
                     false);
  }
  llvm_unreachable("an operand of a product");
}

/// `warps` along an axis of which 2^fragments are left: those that find none repeat what others hold.
static LinearLayout warpsAlong(StringRef axis, unsigned warps, unsigned fragments) {
  unsigned used = std::min(warps, fragments);
  return along(warpInput, axis, used) * LinearLayout::broadcast(warpInput, axis, warps - used);
}

LinearLayout linmu::cuda::operandLayout(MatrixInstruction instruction, Operand operand, Extents tile,
                                        WarpGrid warps) {
  Extents fragment = extentsOf(instruction, operand);
  assert(tile.rows >= fragment.rows && tile.columns >= fragment.columns &&
         "requires a tile of at least one fragment");
  Extents repeats{tile.rows - fragment.rows, tile.columns - fragment.columns};
  // An axis that belongs to the result is divided between warps; k is not.
  unsigned rowWarps = operand == Operand::b ? 0 : std::min(warps.rows, repeats.rows);
  unsigned columnWarps = operand == Operand::a ? 0 : std::min(warps.columns, repeats.columns);
  LinearLayout rows = along(registerInput, rowOutput, repeats.rows - rowWarps);
  LinearLayout columns = along(registerInput, columnOutput, repeats.columns - columnWarps);
  LinearLayout layout =
      fragmentLayout(instruction, operand) * (operand == Operand::b ? rows * columns : columns * rows);
  LinearLayout byRow = operand == Operand::b ? LinearLayout::broadcast(warpInput, rowOutput, warps.rows)
                                             : warpsAlong(rowOutput, warps.rows, repeats.rows);
  LinearLayout byColumn = operand == Operand::a
                              ? LinearLayout::broadcast(warpInput, columnOutput, warps.columns)
                              : warpsAlong(columnOutput, warps.columns, repeats.columns);
  return canonical(layout * byRow * byColumn, true);
}

LinearLayout linmu::cuda::rowLayout(Extents tile, unsigned vector, unsigned warps) {
  assert(tile.columns >= vector && "requires at least one vector a row");
  Extents left{tile.rows, tile.columns - vector};
  LinearLayout layout = along(registerInput, columnOutput, vector);
  auto take = [&](StringRef in, unsigned bits) {
    unsigned columns = std::min(bits, left.columns), rows = std::min(bits - columns, left.rows);
    layout = layout * along(in, columnOutput, columns) * along(in, rowOutput, rows) *
             LinearLayout::broadcast(in, rowOutput, bits - columns - rows);
    left = {left.rows - rows, left.columns - columns};
  };
  take(laneInput, laneBits);
  take(warpInput, warps);
  take(registerInput, left.columns + left.rows);
  return canonical(layout, true);
}
