// A triangular solve by blocks of rows, or as an inverse times its right-hand sides.
#include "compiler/tile/MacroOps.h"
#include "compiler/tile/Slices.h"
#include "compiler/tile/Substitution.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::tile;

/// One system by the inverses of its diagonal blocks: a product for each block of rows instead of a step for
/// each row.
static Value solveByBlocks(TileBuilder &builder, Value system, Value value, int64_t size) {
  int64_t extent = extentOf(value, 0);
  Value inverses = DiagonalInversesOp::create(builder, builder.f32Tile({extent, size}), system);
  Value result = builder.splat(value.getType(), 0);
  SmallVector<Value> solved;
  SmallVector<Span> spans = spansOf(extent, size);
  for (auto [block, span] : llvm::enumerate(spans)) {
    Value rows = rowsOf(builder, value, span);
    for (auto [before, solution] : llvm::enumerate(solved))
      rows = builder.dot(blockOf(builder, system, span, spans[before]), solution, {.init = rows});
    // lhs_lower keeps later values, whatever they hold, out of earlier rows.
    solved.push_back(builder.dot(rowsOf(builder, inverses, span), rows, {.triangle = Triangle::lhs_lower}));
    result = withBlock(builder, result, solved.back(), span.first, 0);
  }
  return result;
}

SmallVector<Value> tile::expandSolve(TileBuilder &builder, SolveOp op, int64_t size, bool byInverses) {
  size_t count = op.getValues().size();
  if (byInverses && count == 1 && extentOf(op.getValues().front(), 0) % size == 0)
    return {solveByBlocks(builder, op.getSystems().front(), op.getValues().front(), size)};
  SmallVector<Span> spans = spansOf(extentOf(op.getValues().front(), 0), size);
  SmallVector<Value> results;
  for (Value value : op.getValues())
    results.push_back(builder.splat(value.getType(), 0));
  SmallVector<SmallVector<Value>> solved; // solutions of each block before this one
  for (auto [block, span] : llvm::enumerate(spans)) {
    SmallVector<Value> systems, values;
    for (size_t i = 0; i < count; ++i) {
      Value value = rowsOf(builder, op.getValues()[i], span);
      for (size_t j = 0; j < count; ++j) {
        Value system = op.getSystems()[i * count + j];
        for (size_t before = 0; before < block; ++before)
          value =
              builder.dot(blockOf(builder, system, span, spans[before]), solved[before][j], {.init = value});
        systems.push_back(blockOf(builder, system, span, span));
      }
      values.push_back(value);
    }
    solved.push_back(substitute(builder, systems, values, /*lower=*/false));
    for (auto [result, solution] : llvm::zip(results, solved.back()))
      result = withBlock(builder, result, solution, span.first, 0);
  }
  return results;
}

SmallVector<Value> tile::solveByInverse(TileBuilder &builder, SolveOp op) {
  size_t count = op.getValues().size();
  SmallVector<Type> types;
  for (Value system : op.getSystems())
    types.push_back(system.getType());
  auto inverse = InverseOp::create(builder, types, op.getSystems());
  SmallVector<Value> solutions;
  for (size_t i = 0; i < count; ++i) {
    Value sum;
    // lhs_lower keeps later values, whatever they hold, out of earlier rows.
    for (size_t j = 0; j < count; ++j)
      sum = builder.dot(inverse.getInverses()[i * count + j], op.getValues()[j],
                        {.triangle = Triangle::lhs_lower, .init = sum});
    solutions.push_back(sum);
  }
  return solutions;
}
