// The pass `derive` and its entry point: a plan becomes kernels, launches and variants.
#include "compiler/derive/derive.h"
#include "compiler/derive/Passes.h"
#include "compiler/derive/algorithms.h"
#include "compiler/derive/program_expressions.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;

namespace linmu {
#define GEN_PASS_DEF_DERIVE
#include "compiler/derive/Passes.h.inc"
} // namespace linmu

static FailureOr<OpPlan> deriveOp(const PlannedOp &planned, Regime regime, const Schedule &schedule,
                                  ProgramBuilder &program) {
  bool parallel = planned.parallel && regime != Regime::short_sequences;
  const ScanSchedule *scanned = planned.scan ? &*planned.scan : nullptr;
  if (bool few = regime == Regime::few_blocks || regime == Regime::few_tokens; few && planned.few_blocks)
    scanned =
        regime == Regime::few_tokens && planned.few_tokens ? &*planned.few_tokens : &*planned.few_blocks;
  return llvm::TypeSwitch<Operation *, FailureOr<OpPlan>>(planned.op)
      .Case([&](pattern::NormalScanOp scan) {
        return parallel ? deriveInChunks(scan, *scanned, program) : deriveRecurrent(scan, program);
      })
      .Case([&](pattern::ScanAdjointOp op) {
        ScanSchedule scan = *planned.scan;
        if (planned.parallel && !parallel)
          scan.algorithm = Algorithm::recurrent;
        return deriveAdjoint(op, scan, program);
      })
      .Case([&](pattern::ScanOp scan) { return deriveRecurrent(scan, program); })
      .Case([&](pattern::MapOp map) { return deriveMap(map, schedule, parallel, program); })
      .Case([&](pattern::PermuteOp permute) { return derivePermute(permute, program); })
      .Case([&](pattern::ReduceOp reduce) { return deriveReduce(reduce, program); })
      .Case([&](pattern::InnerProductOp product) { return deriveInnerProduct(product, program); })
      .Case([&](pattern::TokenOrderOp order) { return deriveTokenOrder(order, program); })
      .Case([&](pattern::WindowAttentionOp op) { return deriveWindowed(op, schedule, program); })
      .Case([&](pattern::WindowAdjointOp op) { return deriveWindowAdjoint(op, schedule, program); })
      .DefaultUnreachable("planned before");
}

static Value conditionOf(Regime regime, const Plan &plan, const Schedule &schedule, ProgramBuilder &program) {
  auto longest = [&] { return plan.ragged ? program.longestSequence() : program.tokens(); };
  if (regime == Regime::short_sequences)
    return isLess(program, longest(), schedule.recurrent_below);
  if (regime == Regime::usual)
    return {};
  // Of a ragged batch: one sequence has more than its share of the tokens, or, where their lengths are not
  // known, there are few.
  Value few = !plan.ragged ? isLess(program, program.batch(), plan.few_batch)
              : schedule.knows_lengths
                  ? isLess(program, program.tokens(), multiply(program, longest(), plan.few_batch))
                  : isLess(program, program.sequences(), plan.few_batch);
  few = both(program, few, isMore(program, program.tokens(), plan.few_tokens));
  if (regime == Regime::few_tokens)
    few = both(program, few, isLess(program, program.tokens(), plan.half_tokens + 1));
  return few;
}

static LogicalResult deriveVariants(const Plan &plan, const Schedule &schedule, ProgramBuilder &program) {
  std::vector<std::vector<OpPlan>> variants(plan.regimes.size());
  for (const PlannedOp &planned : plan.ops) {
    if (planned.op->use_empty())
      continue;
    // What serves most calls first: others reuse its kernels where theirs would be the same.
    FailureOr<OpPlan> usual = deriveOp(planned, Regime::usual, schedule, program);
    if (failed(usual))
      return failure();
    FailureOr<OpPlan> few = usual;
    if (planned.few_blocks)
      few = deriveOp(planned, Regime::few_blocks, schedule, program);
    for (auto [regime, variant] : llvm::zip(plan.regimes, variants)) {
      bool differs = (regime == Regime::short_sequences && planned.parallel) ||
                     (regime == Regime::few_tokens && planned.few_tokens);
      bool isFew = regime == Regime::few_blocks || regime == Regime::few_tokens;
      FailureOr<OpPlan> own = differs ? deriveOp(planned, regime, schedule, program) : isFew ? few : usual;
      if (failed(own))
        return failure();
      variant.push_back(*own);
    }
  }
  for (auto [regime, variant] : llvm::zip(plan.regimes, variants))
    program.addVariant(conditionOf(regime, plan, schedule, program), variant);
  for (auto [name, value] : {std::pair("warps", schedule.warps), std::pair("blocks", schedule.blocks),
                             std::pair("ring_bytes", schedule.ring_bytes)})
    if (value)
      for (auto kernel : program.program().getOps<tile::KernelOp>())
        kernel->setAttr(name, Builder(kernel.getContext()).getI64IntegerAttr(value));
  program.dropUnusedOperands();
  return success();
}

LogicalResult linmu::derive(func::FuncOp function, const Plan &plan, const Schedule &schedule) {
  FailureOr<ProgramBuilder> program = ProgramBuilder::create(function);
  if (failed(program))
    return failure();
  if (failed(deriveVariants(plan, schedule, *program))) {
    program->program().erase();
    return failure();
  }
  function.erase();
  return success();
}

namespace {
struct DerivePass : linmu::impl::DeriveBase<DerivePass> {
  explicit DerivePass(const Schedule &target) : target_(target) {}

  void runOnOperation() override {
    llvm::Expected<Schedule> parsed = parseSchedule(StringRef(schedule), target_);
    if (!parsed) {
      getOperation().emitError(llvm::toString(parsed.takeError()));
      return signalPassFailure();
    }
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      FailureOr<Plan> plan = planOf(function, *parsed);
      if (failed(plan) || failed(derive(function, *plan, *parsed)))
        return signalPassFailure();
    }
    getOperation().walk([&](tile::KernelOp) { ++kernels; });
  }

  Schedule target_;
};
} // namespace

std::unique_ptr<Pass> linmu::createDerivePass(const Schedule &target) {
  return std::make_unique<DerivePass>(target);
}
