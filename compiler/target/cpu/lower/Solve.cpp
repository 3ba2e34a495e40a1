// Triangular systems by forward substitution.
#include "compiler/target/cpu/buffers/Fill.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Nests.h"
#include "compiler/target/cpu/lower/Products.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// A block of rows a step: a product with the rows already solved, then the triangle inside the block in
/// registers.
void linmu::cpu::lowerSolve(Lowering &lowering, tile::SolveOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  size_t count = op.getValues().size();
  SmallVector<Buffer> solutions;
  for (Value solution : op.getSolutions()) {
    solutions.push_back(kernel.buffers.allocate(solution.getType(), Layout::panels));
    kernel.buffers.add(solution, solutions.back());
  }
  auto system = [&](size_t i, size_t j) {
    return kernel.buffers.find(op.getSystems()[i * count + j], Layout::rows).memref;
  };
  ArrayRef<int64_t> shape = shapeOf(op.getValues().front());
  int64_t panels = count == 1 ? blockPanels(kernel, shape[1]) : 1;
  forEachBlock(kernel, shape, false, panels, [&](const RegisterBlock &at) {
    BlockValues values(lowering, at);
    SmallVector<Vectors> sums;
    for (Value value : op.getValues())
      sums.push_back(values.of(value));
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j)
        accumulate(emit, sums[i], {system(i, j), false, solutions[j].memref, at, unrollFor(at, at.rows)},
                   emit.index(0), at.row);
    for (int64_t r = 1; r < at.rows; ++r)
      for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < count; ++j)
          for (int64_t s = 0; s < r; ++s) {
            Value element = memref::LoadOp::create(emit, system(i, j),
                                                   ValueRange{emit.add(at.row, r), emit.add(at.row, s)});
            element = emit.splat(element);
            for (int64_t p = 0; p < at.panels; ++p) {
              Value &sum = sums[i][p * at.rows + r];
              sum = vector::FMAOp::create(emit, element, sums[j][p * at.rows + s], sum);
            }
          }
    for (size_t i = 0; i < count; ++i)
      storeBlock(kernel, sums[i], solutions[i], at);
  });
}
