// The gradient of a scan in normal form is one walk in reverse, `pattern.scan_adjoint`.
#include "compiler/autodiff/FormScan.h"
#include "compiler/autodiff/Gradients.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

LogicalResult autodiff::differentiateScan(NormalScanOp op, Cotangents &cotangents, OpBuilder &at) {
  std::optional<FormScan> scan = FormScan::of(op);
  if (!scan)
    return op.emitOpError("requires split-scans before its gradient is taken");
  FormScan::Results results = FormScan::resultsOf(op);
  auto all = [&](ArrayRef<Value> values) {
    return llvm::map_to_vector(values, [&](Value value) { return cotangents.given(at, value); });
  };
  SmallVector<Value> dReads = all(results.reads), dWrites = all(results.writes);
  SmallVector<Value> dFinals =
      llvm::map_to_vector(results.finals, [&](Value final) { return cotangents.of(at, final); });
  ScanAdjointOp adjoint = scan->createAdjoint(at, op.getLoc(), dReads, dWrites, dFinals);
  for (auto [operand, gradient] : llvm::zip_equal(scan->operands(), adjoint.getGradients()))
    if (operand.tensor)
      cotangents.add(operand.tensor, gradient);
  for (auto [init, gradient] : llvm::zip_equal(scan->inits, adjoint.getInitGradients()))
    if (init)
      cotangents.add(init, gradient);
  return success();
}
