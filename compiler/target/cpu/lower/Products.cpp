#include "compiler/target/cpu/lower/Products.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

int64_t linmu::cpu::unrollFor(const RegisterBlock &at, int64_t multiple) {
  int64_t unroll = 4 / at.panels;
  while (multiple % unroll)
    unroll /= 2;
  return unroll;
}

/// To the sum of row r >= firstRow and panel p the product of step k: lhs[row + r, k] * rhs[k, panel + p].
static void multiplyAddStep(Emit &emit, const Product &product, Vectors &next, Value step, int64_t firstRow) {
  const RegisterBlock &at = product.at;
  Vectors rhs;
  for (int64_t p = 0; p < at.panels; ++p)
    rhs.push_back(vector::LoadOp::create(emit, vectorType(emit.getF32Type()), product.rhs,
                                         ValueRange{emit.add(at.panel, p), step, emit.index(0)}));
  for (int64_t r = firstRow; r < at.rows; ++r) {
    Value i = emit.add(at.row, r);
    Value element = emit.splat(memref::LoadOp::create(
        emit, product.lhs, product.lhsTransposed ? ValueRange{step, i} : ValueRange{i, step}));
    for (int64_t p = 0; p < at.panels; ++p) {
      Value &sum = next[p * at.rows + r];
      sum = vector::FMAOp::create(emit, element, rhs[p], sum);
    }
  }
}

/// The same for `unroll` steps and all rows.
static Vectors multiplyAdd(Emit &emit, const Product &product, ValueRange sums, Value k) {
  Vectors next(sums);
  for (int64_t u = 0; u < product.unroll; ++u)
    multiplyAddStep(emit, product, next, emit.add(k, u), 0);
  return next;
}

void linmu::cpu::accumulate(Emit &emit, Vectors &sums, const Product &product, Value from, Value to) {
  sums = emit.loop(from, to, product.unroll, sums,
                   [&](Value k, ValueRange carried) { return multiplyAdd(emit, product, carried, k); });
}

/// As many of the first steps as the prefetches that go with this block take, with these between them;
/// returns where it stopped.
static int64_t accumulateAndPrefetch(Lowering &lowering, Vectors &sums, const Product &product,
                                     int64_t contracted) {
  Emit &emit = lowering.kernel.emit;
  Prefetcher &prefetcher = lowering.prefetcher;
  int64_t lines = 0, from = 0;
  for (const Prefetcher::Share &share : prefetcher.left())
    lines += share.linesOfEachBlock();
  if (lines == 0)
    return from;
  int64_t iterations = contracted / product.unroll;
  int64_t apart = std::max<int64_t>(1, iterations / lines) * product.unroll;
  int64_t together = (lines + iterations - 1) / iterations;
  Prefetcher::Shares rest;
  for (const Prefetcher::Share &share : prefetcher.left()) {
    int64_t turns = std::min(share.linesOfEachBlock() / together, (contracted - from) / apart);
    if (turns == 0) {
      rest.push_back(share);
      continue;
    }
    Value none = emit.index(0), end = emit.index(turns);
    sums = emit.loop(none, end, 1, sums, [&](Value turn, ValueRange carried) {
      Vectors next(carried);
      Value k = emit.add(emit.multiply(turn, apart), from);
      if (apart == product.unroll)
        next = multiplyAdd(emit, product, next, k);
      else
        accumulate(emit, next, product, k, emit.add(k, apart));
      for (int64_t line = 0; line < together; ++line)
        prefetcher.ask(share, emit.add(emit.multiply(turn, together), line));
      return next;
    });
    from += turns * apart;
    for (int64_t line = turns * together; line < share.perBlock; ++line)
      prefetcher.ask(share, emit.index(line));
  }
  prefetcher.left() = rest;
  return from;
}

Vectors linmu::cpu::dotBlock(Lowering &lowering, tile::DotOp op, const RegisterBlock &at,
                             BlockValues &values) {
  Emit &emit = lowering.kernel.emit;
  const Buffers &buffers = lowering.kernel.buffers;
  Vectors sums;
  if (Value init = op.getInit())
    sums = values.of(init);
  else
    sums.assign(at.size(), emit.constant(vectorType(emit.getF32Type()), 0));
  Buffer lhs = buffers.find(op.getLhs(), Layout::rows);
  Buffer rhs = buffers.find(op.getRhs(), op.getTransposeRhs() ? Layout::transposedPanels : Layout::panels);
  int64_t contracted = shapeOf(op.getLhs())[op.getTransposeLhs() ? 0 : 1];
  // Row i of a lower triangle ends at i, and what stands behind is not read: it may be no number.
  bool lower = op.getTriangle() == tile::Triangle::lhs_lower;
  int64_t unroll = unrollFor(at, lower ? at.rows : contracted);
  Product product{lhs.memref, op.getTransposeLhs(), rhs.memref, at, unroll};
  if (lower) {
    accumulate(emit, sums, product, emit.index(0), at.row);
    for (int64_t r = 0; r < at.rows; ++r)
      multiplyAddStep(emit, product, sums, emit.add(at.row, r), r);
    return sums;
  }
  if (int64_t from = accumulateAndPrefetch(lowering, sums, product, contracted); from < contracted)
    accumulate(emit, sums, product, emit.index(from), emit.index(contracted));
  return sums;
}
