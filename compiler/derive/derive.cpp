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
    FailureOr<ScanSchedule> choice = scheduleOf(scan, schedule, /*fewBlocks=*/false);
    return {failed(choice) ? "chunked" : nameOf(*choice), "", nullptr};
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

namespace {
/// Calls that one variant serves.
enum class Regime {
  shortSequences, ///< a chunk would be mostly dead
  fewBlocks,      ///< heads and batch leave cores idle
  usual,
};

/// Derives the ops of a function for each regime and puts the variants together.
class FunctionDerivation {
public:
  explicit FunctionDerivation(const Schedule &schedule) : schedule_(schedule) {}

  /// Checks an op and takes it on; ops whose results nobody uses are left out.
  LogicalResult add(Operation &op);
  LogicalResult run(ProgramBuilder &program);

private:
  struct Member {
    Operation *op;
    bool parallel;             ///< has an algorithm for long sequences that differs from that for short ones
    std::vector<OpPlan> plans; ///< by regime
  };
  LogicalResult findRegimes();
  FailureOr<OpPlan> deriveMember(const Member &member, Regime regime, ProgramBuilder &program);
  Value conditionOf(Regime regime, ProgramBuilder &program);

  const Schedule &schedule_;
  SmallVector<Member> members_;
  SmallVector<Regime> regimes_;
  int64_t few_batch_ = 0; ///< batches from here on have blocks enough
};
} // namespace

static LogicalResult refuseChunks(Operation &op, const AlgorithmChoice &choice, StringRef wanted) {
  InFlightDiagnostic error = op.emitOpError("cannot run ")
                             << wanted << " as the schedule says: " << choice.reason;
  auto opaque = op.getAttrOfType<LocationAttr>("pattern.opaque_at");
  if (choice.at || opaque)
    error.attachNote(choice.at ? choice.at->getLoc() : Location(opaque)) << "this op stands in the way";
  return error;
}

LogicalResult FunctionDerivation::add(Operation &op) {
  if (failed(checkClauses(&op)))
    return failure();
  if (op.use_empty())
    return success();
  bool scan = isa<pattern::ScanOp, pattern::NormalScanOp>(op), map = isa<pattern::MapOp>(op);
  if (scan || map)
    if (LoopView view = LoopView::of(&op);
        view.tokens.empty() && llvm::all_of(view.outputs, [](Value value) { return value.use_empty(); }))
      return op.emitOpError("requires a token operand or an output, which tell the number of tokens");
  AlgorithmChoice choice = chooseAlgorithm(&op, schedule_);
  using Algorithm = Schedule::Algorithm;
  if (scan && llvm::is_contained({Algorithm::chunked, Algorithm::two_kernels}, schedule_.algorithm) &&
      !choice.reason.empty())
    return refuseChunks(op, choice, schedule_.algorithm == Algorithm::chunked ? "chunked" : "two_kernels");
  members_.push_back({&op, (scan || map) && choice.reason.empty(), {}});
  return success();
}

LogicalResult FunctionDerivation::findRegimes() {
  bool anyParallel = llvm::any_of(members_, [](const Member &member) { return member.parallel; });
  if (schedule_.algorithm == Schedule::Algorithm::automatic && anyParallel && schedule_.recurrent_below > 0)
    regimes_.push_back(Regime::shortSequences);
  for (const Member &member : members_)
    if (auto scan = dyn_cast<pattern::NormalScanOp>(member.op); scan && member.parallel) {
      FailureOr<ScanSchedule> usual = scheduleOf(scan, schedule_, false);
      if (failed(usual))
        return failure();
      int64_t heads = scan.getHeads();
      if (scheduleOf(scan, schedule_, true)->columns != usual->columns)
        few_batch_ = std::max(few_batch_, (schedule_.cores + heads - 1) / heads);
    }
  if (few_batch_ > 0)
    regimes_.push_back(Regime::fewBlocks);
  regimes_.push_back(Regime::usual);
  return success();
}

FailureOr<OpPlan> FunctionDerivation::deriveMember(const Member &member, Regime regime,
                                                   ProgramBuilder &program) {
  bool parallel = member.parallel && regime != Regime::shortSequences;
  return llvm::TypeSwitch<Operation *, FailureOr<OpPlan>>(member.op)
      .Case([&](pattern::NormalScanOp scan) -> FailureOr<OpPlan> {
        if (!parallel)
          return deriveRecurrent(scan, program);
        FailureOr<ScanSchedule> schedule = scheduleOf(scan, schedule_, regime == Regime::fewBlocks);
        return failed(schedule) ? FailureOr<OpPlan>() : deriveInChunks(scan, *schedule, program);
      })
      .Case([&](pattern::ScanOp scan) { return deriveRecurrent(scan, program); })
      .Case([&](pattern::MapOp map) { return deriveMap(map, schedule_, parallel, program); })
      .Case([&](pattern::PermuteOp permute) { return derivePermute(permute, program); })
      .Case([&](pattern::TokenOrderOp order) { return deriveTokenOrder(order, program); })
      .Case([&](pattern::WindowAttentionOp op) { return deriveWindowed(op, schedule_, program); })
      .DefaultUnreachable("checked before");
}

Value FunctionDerivation::conditionOf(Regime regime, ProgramBuilder &program) {
  // Fewer tokens than these are not worth waking another thread.
  constexpr int64_t tokensWorthThreads = 256;
  if (regime == Regime::shortSequences)
    return program.isLess(program.tokens(), schedule_.recurrent_below);
  if (regime == Regime::fewBlocks)
    return program.both(program.isLess(program.batch(), few_batch_),
                        program.isMore(program.tokens(), tokensWorthThreads));
  return {};
}

LogicalResult FunctionDerivation::run(ProgramBuilder &program) {
  if (failed(findRegimes()))
    return failure();
  // What serves most calls first: others reuse its plan where theirs would be the same.
  for (Member &member : members_) {
    member.plans.resize(regimes_.size());
    auto usual = deriveMember(member, Regime::usual, program);
    if (failed(usual))
      return failure();
    bool split = few_batch_ > 0 && isa<pattern::NormalScanOp>(member.op) && member.parallel;
    for (auto [regime, plan] : llvm::zip(regimes_, member.plans)) {
      bool same = regime == Regime::usual || (regime == Regime::shortSequences && !member.parallel) ||
                  (regime == Regime::fewBlocks && !split);
      auto own = same ? usual : deriveMember(member, regime, program);
      if (failed(own))
        return failure();
      plan = *own;
    }
  }
  for (auto [index, regime] : llvm::enumerate(regimes_)) {
    std::vector<OpPlan> plans;
    for (const Member &member : members_)
      plans.push_back(member.plans[index]);
    program.addVariant(conditionOf(regime, program), plans);
  }
  program.dropUnusedOperands();
  return success();
}

LogicalResult linmu::derive(func::FuncOp function, const Schedule &schedule) {
  FunctionDerivation derivation(schedule);
  for (Operation &op : function.front().without_terminator())
    if (failed(derivation.add(op)))
      return failure();
  FailureOr<ProgramBuilder> program = ProgramBuilder::create(function);
  if (failed(program))
    return failure();
  if (failed(derivation.run(*program))) {
    program->program().erase();
    return failure();
  }
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
