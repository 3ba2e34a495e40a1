// Matrix products as register tiles of outer products.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Steps of a loop over contracted elements: enough to hide its own instructions, few enough to keep code
/// small.
static int64_t unrollFor(const cpu::Block &at, int64_t multiple) {
  int64_t unroll = 4 / at.panels;
  while (multiple % unroll)
    unroll /= 2;
  return unroll;
}

/// To the sum of row r >= firstRow and panel p the product of step k: lhs[row + r, k] * rhs[k, panel + p].
void KernelLowering::multiplyAddStep(const Product &product, Vectors &next, Value step, int64_t firstRow) {
  const Block &at = product.at;
  Vectors rhs;
  for (int64_t p = 0; p < at.panels; ++p)
    rhs.push_back(vector::LoadOp::create(builder_, location_, vectorType(builder_.getF32Type()), product.rhs,
                                         ValueRange{add(at.panel, p), step, index(0)}));
  for (int64_t r = firstRow; r < at.rows; ++r) {
    Value i = add(at.row, r);
    Value element =
        splat(memref::LoadOp::create(builder_, location_, product.lhs,
                                     product.lhsTransposed ? ValueRange{step, i} : ValueRange{i, step}));
    for (int64_t p = 0; p < at.panels; ++p) {
      Value &sum = next[p * at.rows + r];
      sum = vector::FMAOp::create(builder_, location_, element, rhs[p], sum);
    }
  }
}

/// The same for `unroll` steps and all rows.
KernelLowering::Vectors KernelLowering::multiplyAdd(const Product &product, ValueRange sums, Value k) {
  Vectors next(sums);
  for (int64_t u = 0; u < product.unroll; ++u)
    multiplyAddStep(product, next, add(k, u), 0);
  return next;
}

/// The steps [from, to).
void KernelLowering::accumulate(Vectors &sums, const Product &product, Value from, Value to) {
  sums = loop(from, to, product.unroll, sums,
              [&](Value k, ValueRange carried) { return multiplyAdd(product, carried, k); });
}

/// As many of the first steps as the prefetches that go with this block take, with these between them;
/// returns where it stopped.
int64_t KernelLowering::accumulateAndPrefetch(Vectors &sums, const Product &product, int64_t contracted) {
  int64_t lines = 0, from = 0;
  for (const PrefetchShare &share : blockShares_)
    lines += share.linesOfEachBlock();
  if (lines == 0)
    return from;
  int64_t iterations = contracted / product.unroll;
  int64_t apart = std::max<int64_t>(1, iterations / lines) * product.unroll;
  int64_t together = (lines + iterations - 1) / iterations;
  SmallVector<PrefetchShare> rest;
  for (PrefetchShare &share : blockShares_) {
    int64_t turns = std::min(share.linesOfEachBlock() / together, (contracted - from) / apart);
    if (turns == 0) {
      rest.push_back(share);
      continue;
    }
    sums = loop(index(0), index(turns), 1, sums, [&](Value turn, ValueRange carried) {
      Vectors next(carried);
      Value k = add(multiply(turn, apart), from);
      if (apart == product.unroll)
        next = multiplyAdd(product, next, k);
      else
        accumulate(next, product, k, add(k, apart));
      for (int64_t line = 0; line < together; ++line)
        emitPrefetch(share, blockNumber_, add(multiply(turn, together), line));
      return next;
    });
    from += turns * apart;
    for (int64_t line = turns * together; line < share.perBlock; ++line)
      emitPrefetch(share, blockNumber_, index(line));
  }
  blockShares_ = rest;
  return from;
}

KernelLowering::Vectors KernelLowering::dotBlock(tile::DotOp op, const Block &at) {
  Vectors sums;
  if (Value init = op.getInit())
    sums = block(init, at);
  else
    sums.assign(at.size(), constant(vectorType(builder_.getF32Type()), 0));
  const Buffer *lhs = find(op.getLhs(), Layout::rows);
  const Buffer *rhs = find(op.getRhs(), op.getTransposeRhs() ? Layout::transposedPanels : Layout::panels);
  int64_t contracted = shapeOf(op.getLhs())[op.getTransposeLhs() ? 0 : 1];
  // Row i of a lower triangle ends at i, and what stands behind is not read: it may be no number.
  bool lower = op.getTriangle() == tile::Triangle::lhs_lower;
  int64_t unroll = unrollFor(at, lower ? at.rows : contracted);
  Product product{lhs->memref, op.getTransposeLhs(), rhs->memref, at, unroll};
  if (lower) {
    accumulate(sums, product, index(0), at.row);
    for (int64_t r = 0; r < at.rows; ++r)
      multiplyAddStep(product, sums, add(at.row, r), r);
    return sums;
  }
  if (int64_t from = accumulateAndPrefetch(sums, product, contracted); from < contracted)
    accumulate(sums, product, index(from), index(contracted));
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
  ArrayRef<int64_t> shape = shapeOf(op.getValues().front());
  forEachBlock(shape, false, count == 1 ? blockPanels(shape[1]) : 1, [&](const Block &at) {
    SmallVector<Vectors> sums;
    for (Value value : op.getValues())
      sums.push_back(block(value, at));
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j)
        accumulate(sums[i], {system(i, j), false, solutions[j].memref, at, unrollFor(at, at.rows)}, index(0),
                   at.row);
    for (int64_t r = 1; r < at.rows; ++r)
      for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < count; ++j)
          for (int64_t s = 0; s < r; ++s) {
            Value element = memref::LoadOp::create(builder_, location_, system(i, j),
                                                   ValueRange{add(at.row, r), add(at.row, s)});
            element = splat(element);
            for (int64_t p = 0; p < at.panels; ++p) {
              Value &sum = sums[i][p * at.rows + r];
              sum = vector::FMAOp::create(builder_, location_, element, sums[j][p * at.rows + s], sum);
            }
          }
    for (size_t i = 0; i < count; ++i)
      storeBlock(sums[i], solutions[i], at);
  });
}
