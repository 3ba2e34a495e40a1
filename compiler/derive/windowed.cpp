#include "compiler/derive/algorithms.h"
using namespace linmu;
mlir::FailureOr<OpPlan> linmu::deriveWindowed(pattern::WindowAttentionOp scan, const Schedule &,
                                              ProgramBuilder &p) {
  return scan.emitOpError("x");
}
