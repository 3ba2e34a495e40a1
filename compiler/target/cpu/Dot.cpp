// Matrix products as register tiles of outer products.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// sums[r] += sum over k in [from, to) of lhs[row + r, k] * rhs[k, panel].
/// `lhs` is a buffer of rows; transposed, it holds lhs[k, row + r]. `rhsPanel` is a buffer of panels.
void KernelLowering::accumulate(Vectors &sums, Value lhs, bool lhsTransposed, Value rhsPanel, const Block &at,
                                Value from, Value to, int64_t unroll) {
  sums = loop(from, to, unroll, sums, [&](Value k, ValueRange carried) {
    Vectors next(carried);
    for (int64_t u = 0; u < unroll; ++u) {
      Value step = add(k, u);
      Value row = vector::LoadOp::create(builder_, location_, vectorType(builder_.getF32Type()), rhsPanel,
                                         ValueRange{at.panel, step, index(0)});
      for (auto [r, sum] : llvm::enumerate(next)) {
        Value i = add(at.row, r);
        Value element = memref::LoadOp::create(builder_, location_, lhs,
                                               lhsTransposed ? ValueRange{step, i} : ValueRange{i, step});
        sum = vector::FMAOp::create(builder_, location_, splat(element), row, sum);
      }
    }
    return next;
  });
}

KernelLowering::Vectors KernelLowering::dotBlock(tile::DotOp op, const Block &at) {
  Vectors sums;
  if (Value init = op.getInit())
    sums = block(init, at);
  else
    sums.assign(at.rows, constant(vectorType(builder_.getF32Type()), 0));
  const Buffer *lhs = find(op.getLhs(), Layout::rows);
  const Buffer *rhs = find(op.getRhs(), op.getTransposeRhs() ? Layout::transposedPanels : Layout::panels);
  int64_t contracted = shapeOf(op.getLhs())[op.getTransposeLhs() ? 0 : 1];
  // Row i of a lower triangle ends at i, so a block of rows ends with its last row.
  bool lower = op.getTriangle() == tile::Triangle::lhs_lower;
  Value to = lower ? add(at.row, at.rows) : index(contracted);
  int64_t multiple = lower ? at.rows : contracted;
  int64_t unroll = multiple % 4 == 0 ? 4 : multiple % 2 == 0 ? 2 : 1;
  accumulate(sums, lhs->memref, op.getTransposeLhs(), rhs->memref, at, index(0), to, unroll);
  return sums;
}

/// Forward substitution, a block of rows a step: a dot with the rows already solved, then the triangle
/// inside the block in registers. Solutions are panels, ready to be the right-hand side of dots.
void KernelLowering::lowerSolve(tile::SolveOp op) {
  size_t count = op.getValues().size();
  SmallVector<Buffer> solutions;
  for (Value solution : op.getSolutions()) {
    solutions.push_back(allocate(solution.getType(), Layout::panels));
    buffers_[solution].push_back(solutions.back());
  }
  auto system = [&](size_t i, size_t j) {
    return find(op.getSystems()[i * count + j], Layout::rows)->memref;
  };
  forEachBlock(shapeOf(op.getValues().front()), false, [&](const Block &at) {
    SmallVector<Vectors> sums;
    for (Value value : op.getValues())
      sums.push_back(block(value, at));
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j)
        accumulate(sums[i], system(i, j), false, solutions[j].memref, at, index(0), at.row,
                   at.rows % 4 == 0 ? 4 : 1);
    for (int64_t r = 1; r < at.rows; ++r)
      for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < count; ++j)
          for (int64_t s = 0; s < r; ++s) {
            Value element = memref::LoadOp::create(builder_, location_, system(i, j),
                                                   ValueRange{add(at.row, r), add(at.row, s)});
            sums[i][r] = vector::FMAOp::create(builder_, location_, splat(element), sums[j][s], sums[i][r]);
          }
    for (size_t i = 0; i < count; ++i)
      for (int64_t r = 0; r < at.rows; ++r)
        storeBuffer(sums[i][r], solutions[i], add(at.row, r), at.panel, at.column);
  });
}
