#include "compiler/derive/loops.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace linmu;

FailureOr<Carried> linmu::loopOver(TileBuilder &builder, Value begin, Value end, Value step,
                                   ValueRange carried,
                                   function_ref<FailureOr<Carried>(Value at, ValueRange carried)> body) {
  auto loop = scf::ForOp::create(builder, begin, end, step, carried);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  builder.setInsertionPointToEnd(block);
  FailureOr<Carried> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (failed(next))
    return failure();
  scf::YieldOp::create(builder, *next);
  return Carried(loop.getResults());
}

LogicalResult linmu::loopOver(TileBuilder &builder, Value begin, Value end, Value step,
                              function_ref<LogicalResult(Value at)> body) {
  auto withNothing = [&](Value at, ValueRange) -> FailureOr<Carried> {
    if (failed(body(at)))
      return failure();
    return Carried{};
  };
  return success(succeeded(loopOver(builder, begin, end, step, ValueRange{}, withNothing)));
}

LogicalResult linmu::emitIf(TileBuilder &builder, Value condition, function_ref<LogicalResult()> body) {
  auto choice = scf::IfOp::create(builder, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(choice.thenBlock()->getTerminator());
  return body();
}
