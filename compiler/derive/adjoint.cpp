#include "compiler/derive/algorithms.h"

using namespace mlir;
using namespace linmu;

FailureOr<OpPlan> linmu::deriveAdjoint(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                       ProgramBuilder &program) {
  switch (schedule.algorithm) {
  case Algorithm::two_kernels:
  case Algorithm::segmented:
    return deriveAdjointBorders(op, schedule, program);
  default:
    return deriveAdjointWalk(op, schedule, program);
  }
}
