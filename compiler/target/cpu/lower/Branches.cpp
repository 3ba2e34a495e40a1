// Branches that give scalars and tiles.
#include "compiler/target/cpu/buffers/Fill.h"
#include "compiler/target/cpu/lower/Lowering.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Tiles that a branch gives are written to buffers that stand before it.
LogicalResult linmu::cpu::lowerIf(Lowering &lowering, scf::IfOp source) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  SmallVector<Type> scalarTypes;
  SmallVector<Buffer> results; // one a tile
  for (Value result : source.getResults())
    if (rankOf(result.getType()) == 0)
      scalarTypes.push_back(result.getType());
    else
      results.push_back(kernel.buffers.allocate(result.getType(), Layout::rows));
  auto branch = scf::IfOp::create(emit, scalarTypes, kernel.scalar(source.getCondition()),
                                  !source.getElseRegion().empty());
  auto lowerRegion = [&](Region &from, Region &to) -> LogicalResult {
    if (from.empty())
      return success();
    OpBuilder::InsertionGuard guard(emit);
    mlir::Block &block = to.front();
    if (!block.empty())
      block.back().erase();
    emit.setInsertionPointToStart(&block);
    if (failed(lowerOps(lowering, {from.front().begin(), from.front().end()})))
      return failure();
    SmallVector<Value> yielded;
    unsigned next = 0;
    for (Value value : from.front().getTerminator()->getOperands())
      if (rankOf(value.getType()) == 0)
        yielded.push_back(kernel.scalar(value));
      else
        fill(lowering, value, results[next++]);
    scf::YieldOp::create(emit, yielded);
    return success();
  };
  if (failed(lowerRegion(source.getThenRegion(), branch.getThenRegion())) ||
      failed(lowerRegion(source.getElseRegion(), branch.getElseRegion())))
    return failure();
  unsigned scalar = 0, tile = 0;
  for (Value result : source.getResults())
    if (rankOf(result.getType()) == 0)
      kernel.scalars.map(result, branch.getResult(scalar++));
    else
      kernel.buffers.add(result, results[tile++]);
  return success();
}
