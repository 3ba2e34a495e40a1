#include "compiler/derive/algorithms.h"
using namespace linmu;
mlir::Operation *linmu::findSequentialOp(mlir::Operation *loop) { return nullptr; }
int64_t linmu::chunkOf(pattern::NormalScanOp, const Schedule &) { return 32; }
mlir::FailureOr<OpPlan> linmu::deriveChunked(pattern::NormalScanOp scan, int64_t, ProgramBuilder &p) { return scan.emitOpError("x"); }
mlir::FailureOr<OpPlan> linmu::deriveWindowed(pattern::WindowAttentionOp scan, const Schedule &, ProgramBuilder &p) { return scan.emitOpError("x"); }
