// The pass `derive` and its entry point: which algorithm each pattern op gets, and at which lengths.
#include "compiler/derive/derive.h"
#include "compiler/derive/Passes.h"
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;

namespace linmu {
#define GEN_PASS_DEF_DERIVE
#include "compiler/derive/Passes.h.inc"
} // namespace linmu

AlgorithmChoice linmu::chooseAlgorithm(Operation *op, const Schedule &schedule) {
  bool forced = schedule.algorithm == Schedule::Algorithm::recurrent;
  if (auto scan = dyn_cast<pattern::ScanOp>(op)) {
    auto reason = op->getAttrOfType<StringAttr>("pattern.opaque");
    return {"recurrent", reason ? reason.str() : "it was not brought to the normal form", nullptr};
  }
  if (auto scan = dyn_cast<pattern::NormalScanOp>(op)) {
    if (forced)
      return {"recurrent", "the schedule says so", nullptr};
    if (Operation *matrix = findSequentialOp(op))
      return {"recurrent", "this op works on a matrix for each token", matrix};
    return {"chunked(chunk=" + std::to_string(chunkOf(scan, schedule)) + ")", "", nullptr};
  }
  if (isa<pattern::MapOp>(op)) {
    if (forced)
      return {"map", "the schedule says so", nullptr};
    if (Operation *matrix = findSequentialOp(op))
      return {"map", "this op works on a matrix for each token", matrix};
    return {"map(block=" + std::to_string(schedule.map_block) + ")", "", nullptr};
  }
  if (auto attention = dyn_cast<pattern::WindowAttentionOp>(op))
    return {describeWindowed(windowTilesOf(attention, schedule)), "", nullptr};
  return {op->getName().stripDialect().str(), "", nullptr};
}

static LogicalResult checkClauses(Operation *op) {
  auto check = [&](auto loop) -> LogicalResult {
    if (loop.getSegments() || loop.getSourceMask() || loop.getOutputMask())
      return op->emitOpError("requires its segments and masks to be expanded before it is derived");
    return success();
  };
  if (auto scan = dyn_cast<pattern::ScanOp>(op))
    return check(scan);
  if (auto map = dyn_cast<pattern::MapOp>(op))
    return check(map);
  if (!isa<pattern::NormalScanOp, pattern::PermuteOp, pattern::TokenOrderOp, pattern::WindowAttentionOp>(op))
    return op->getParentOp()->emitOpError("requires nothing but pattern ops, got '") << op->getName() << "'";
  return success();
}

/// One op by the algorithm for short sequences (`parallel` false) or for long ones.
static FailureOr<OpPlan> deriveOp(Operation *op, const Schedule &schedule, bool parallel,
                                  ProgramBuilder &program) {
  return llvm::TypeSwitch<Operation *, FailureOr<OpPlan>>(op)
      .Case([&](pattern::NormalScanOp scan) {
        return parallel ? deriveChunked(scan, chunkOf(scan, schedule), program)
                        : deriveRecurrent(op, program);
      })
      .Case([&](pattern::ScanOp) { return deriveRecurrent(op, program); })
      .Case([&](pattern::MapOp map) { return deriveMap(map, schedule, parallel, program); })
      .Case([&](pattern::PermuteOp permute) { return derivePermute(permute, program); })
      .Case([&](pattern::TokenOrderOp order) { return deriveTokenOrder(order, program); })
      .Case(
          [&](pattern::WindowAttentionOp attention) { return deriveWindowed(attention, schedule, program); })
      .DefaultUnreachable("checked before");
}

LogicalResult linmu::derive(func::FuncOp function, const Schedule &schedule) {
  using Algorithm = Schedule::Algorithm;
  SmallVector<Operation *> ops;
  SmallVector<bool> parallel; // has an algorithm for long sequences that differs from that for short ones
  for (Operation &op : function.front().without_terminator()) {
    if (failed(checkClauses(&op)))
      return failure();
    if (op.use_empty())
      continue;
    if (isa<pattern::ScanOp, pattern::NormalScanOp, pattern::MapOp>(op))
      if (LoopView view = LoopView::of(&op);
          view.tokens.empty() && llvm::all_of(view.outputs, [](Value value) { return value.use_empty(); }))
        return op.emitOpError("requires a token operand or an output, which tell the number of tokens");
    ops.push_back(&op);
    bool scan = isa<pattern::ScanOp, pattern::NormalScanOp>(op);
    AlgorithmChoice choice = chooseAlgorithm(&op, schedule);
    parallel.push_back((scan || isa<pattern::MapOp>(op)) && choice.reason.empty());
    if (scan && schedule.algorithm == Algorithm::chunked && !choice.reason.empty())
      return op.emitOpError("cannot run chunked as the schedule says: ") << choice.reason;
  }
  FailureOr<ProgramBuilder> program = ProgramBuilder::create(function);
  if (failed(program))
    return failure();

  bool anyParallel = llvm::is_contained(parallel, true);
  int64_t below = schedule.algorithm == Algorithm::automatic && anyParallel ? schedule.recurrent_below : 0;
  std::vector<OpPlan> shortPlans, longPlans;
  auto fail = [&] {
    program->program().erase();
    return failure();
  };
  for (auto [op, isParallel] : llvm::zip(ops, parallel)) {
    auto longPlan = deriveOp(op, schedule, isParallel, *program);
    if (failed(longPlan))
      return fail();
    longPlans.push_back(*longPlan);
    if (below == 0)
      continue;
    auto shortPlan = isParallel ? deriveOp(op, schedule, false, *program) : longPlan;
    if (failed(shortPlan))
      return fail();
    shortPlans.push_back(*shortPlan);
  }
  if (below > 0)
    program->addVariant(program->isLess(program->tokens(), below), shortPlans);
  program->addVariant({}, longPlans);
  program->dropUnusedOperands();
  function.erase();
  return success();
}

namespace {
struct DerivePass : linmu::impl::DeriveBase<DerivePass> {
  using DeriveBase::DeriveBase;

  void runOnOperation() override {
    llvm::Expected<Schedule> parsed = parseSchedule(StringRef(schedule));
    if (!parsed) {
      getOperation().emitError(llvm::toString(parsed.takeError()));
      return signalPassFailure();
    }
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (failed(derive(function, *parsed)))
        return signalPassFailure();
    getOperation().walk([&](tile::KernelOp) { ++kernels; });
  }
};
} // namespace

std::unique_ptr<Pass> linmu::createDerivePass() { return std::make_unique<DerivePass>(); }
