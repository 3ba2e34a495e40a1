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
  ScanAdjointOp adjoint =
      scan->createAdjoint(at, op.getLoc(), dReads, dWrites, cotangents.of(at, results.final));
  for (auto [operand, gradient] : llvm::zip_equal(scan->operands(), adjoint.getGradients()))
    if (operand.tensor)
      cotangents.add(operand.tensor, gradient);
  if (scan->init)
    cotangents.add(scan->init, adjoint.getInitGradient());
  return success();
}
