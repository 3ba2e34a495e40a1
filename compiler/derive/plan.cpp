#include "compiler/derive/plan.h"
#include "compiler/derive/algorithms.h"
#include "compiler/derive/loop_kernel.h"
#include "compiler/derive/prepared_chunks.h"
#include "compiler/derive/separability.h"
#include "compiler/derive/stored_state.h"
#include "compiler/schedule/key_space.h"

using namespace mlir;
using namespace linmu;

OpSchedule ScanSchedule::described() const {
  OpSchedule result{nameOf(algorithm), {{"chunk", chunk}}};
  if (columns)
    result.settings.push_back({"columns", columns});
  if (prepare)
    result.settings.push_back({"prepare", 1});
  if (segments)
    result.settings.push_back({"segments", segments});
  return result;
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
  if (!isa<pattern::NormalScanOp, pattern::PermuteOp, pattern::TokenOrderOp, pattern::WindowAttentionOp,
           pattern::WindowAdjointOp, pattern::ReduceOp, pattern::InnerProductOp, pattern::ScanAdjointOp>(op))
    return op->getParentOp()->emitOpError("requires nothing but pattern ops, got '") << op->getName() << "'";
  return success();
}

/// The op of a scan or map that has no form on several tokens at once, or null.
static Operation *findSequentialOp(Operation *loop) {
  LoopView view = LoopView::of(loop);
  for (Region &region : loop->getRegions()) {
    DenseSet<Value> varying;
    for (BlockArgument argument : region.front().getArguments().drop_front(view.params.size()))
      varying.insert(argument);
    if (Operation *op = findMatrixPerToken(region.front(), varying))
      return op;
  }
  return nullptr;
}

static StateCost costOf(pattern::FormOp form, const StoredState &stored) {
  // Coupled states are one of as many keys: all of them are read and written at once.
  return {stored.key_size * int64_t(form.getStates()),
          stored.value_size,
          int64_t(form.getReads().size()),
          int64_t(form.getWrites().size()),
          !form.getFeedback().empty(),
          form.getValueDecay() || (form.getDecay() && isa<RankedTensorType>(form.getDecay().getType()))};
}

static ScanCost costOf(pattern::NormalScanOp scan) {
  ScanCost cost{.heads = scan.getHeads()};
  for (unsigned stage = 0; stage < scan.getNumStages(); ++stage)
    cost.states.push_back(costOf(scan.getForm(stage), StoredState(scan, scan.getFirstState(stage))));
  return cost;
}

namespace {
class Planner {
public:
  Planner(func::FuncOp function, const Schedule &schedule) : function_(function), schedule_(schedule) {}
  FailureOr<Plan> run();

private:
  LogicalResult planOp(PlannedOp &planned);
  LogicalResult planScan(PlannedOp &planned);
  LogicalResult planAdjoint(pattern::ScanAdjointOp op, PlannedOp &planned);
  LogicalResult planInChunks(pattern::NormalScanOp scan, PlannedOp &planned);
  void planFewBlocks(const ScanSplit &split, const ScanSchedule &usual, bool hasFinish, PlannedOp &planned);
  bool runsTokenByToken(PlannedOp &planned);
  bool hasSmallStates(pattern::NormalScanOp scan) const;
  void findRegimes();
  LogicalResult checkEffects();
  std::optional<std::string> wanting(StringRef key);

  func::FuncOp function_;
  const Schedule &schedule_;
  Plan plan_;
};
} // namespace

/// Of a scan in normal form or a map: whether it must, and why.
bool Planner::runsTokenByToken(PlannedOp &planned) {
  if (schedule_.algorithm == Algorithm::recurrent)
    planned.reason = "the schedule says so";
  else if ((planned.at = findSequentialOp(planned.op)))
    planned.reason = "this op works on a matrix for each token";
  return !planned.reason.empty();
}

/// Whether chunks would only cost, and nobody has asked for them.
bool Planner::hasSmallStates(pattern::NormalScanOp scan) const {
  if (schedule_.algorithm != Algorithm::automatic || schedule_.given.contains("chunk"))
    return false;
  return llvm::all_of(llvm::seq(scan.getNumStages()), [&](unsigned stage) {
    const StoredState stored(scan, scan.getFirstState(stage));
    return stored.key_size * stored.value_size < schedule_.costs.least_state;
  });
}

/// How a scan runs where heads and batch leave cores idle.
void Planner::planFewBlocks(const ScanSplit &split, const ScanSchedule &usual, bool hasFinish,
                            PlannedOp &planned) {
  if (!split.columns && !split.segments)
    return;
  planned.few_blocks = usual;
  plan_.few_tokens = std::max(plan_.few_tokens, split.tokens);
  planned.few_blocks->columns = split.columns;
  planned.few_blocks->epilogue = split.columns && hasFinish ? schedule_.map_block : 0;
  planned.few_blocks->segments = split.segments;
  if (!split.segments)
    return;
  planned.few_blocks->algorithm = Algorithm::segmented;
  int64_t half = split.segments / 2, tokens = split.segments * schedule_.costs.segment_tokens / 2;
  if (half < 2 || tokens <= split.tokens || schedule_.given.contains("segments"))
    return;
  planned.few_tokens = planned.few_blocks;
  planned.few_tokens->segments = half;
  plan_.half_tokens = std::max(plan_.half_tokens, tokens);
}

LogicalResult Planner::planInChunks(pattern::NormalScanOp scan, PlannedOp &planned) {
  ScanCost cost = costOf(scan);
  cost.chunk = chooseChunk(cost.states, schedule_);
  Separability columns(scan);
  cost.columns = columns.states ? 1 : columns.columns;
  cost.epilogue = columns.finish != nullptr;
  ScanSchedule usual;
  usual.chunk = cost.chunk;
  usual.value_columns = columns.columns;
  usual.entry_columns = schedule_.costs.entry_columns;
  if (schedule_.algorithm == Algorithm::automatic && scan.getSequences())
    usual.recurrent_below = schedule_.recurrent_below;
  if (schedule_.algorithm == Algorithm::two_kernels) {
    usual.algorithm = Algorithm::two_kernels;
  } else if (schedule_.algorithm == Algorithm::segmented) {
    if (scan.isCoupled())
      return scan.emitOpError("cannot run segmented as the schedule says: its states are coupled; write "
                              "algorithm=chunked or two_kernels");
    usual.algorithm = Algorithm::segmented;
    usual.segments = chooseSegments(cost, schedule_);
  } else if (schedule_.columns && schedule_.columns < columns.columns &&
             (!columns.states || schedule_.given.contains("columns"))) {
    // A target's own choice is for what can be split.
    if (columns.states)
      return columns.states->emitOpError("needs all value columns at once, so that the schedule's columns=")
             << schedule_.columns << " cannot split them";
    usual.columns = schedule_.columns;
    usual.epilogue = columns.finish ? schedule_.map_block : 0;
  } else {
    if (int64_t fitting = columnsThatFit(cost, schedule_)) {
      usual.columns = fitting;
      usual.epilogue = columns.finish ? schedule_.map_block : 0;
    }
    ScanSplit split = chooseSplit(cost, schedule_);
    // What a segment does to coupled states is not carried yet.
    if (scan.isCoupled())
      split.segments = 0;
    planFewBlocks(split, usual, columns.finish, planned);
  }
  if (schedule_.prepare) {
    bool any = llvm::any_of(llvm::seq(scan.getNumStages()),
                            [&](unsigned stage) { return PreparedChunks::isPrepared(scan, stage); });
    for (ScanSchedule *in : {&usual, planned.few_blocks ? &*planned.few_blocks : nullptr})
      if (in)
        in->prepare = any && in->algorithm == Algorithm::chunked;
  }
  planned.scan = usual;
  planned.schedule = usual.described();
  planned.parallel = true;
  return success();
}

LogicalResult Planner::planScan(PlannedOp &planned) {
  planned.schedule = {"recurrent", {}};
  auto scan = dyn_cast<pattern::NormalScanOp>(planned.op);
  auto opaque = planned.op->getAttrOfType<StringAttr>("pattern.opaque");
  if (!scan)
    planned.reason = opaque ? opaque.str() : "it was not brought to the normal form";
  else if (!runsTokenByToken(planned)) {
    if (!hasSmallStates(scan))
      return planInChunks(scan, planned);
    planned.reason = "its states are plain numbers, which takes less than pairs of tokens do";
  }
  if (schedule_.algorithm == Algorithm::automatic || schedule_.algorithm == Algorithm::recurrent)
    return success();
  InFlightDiagnostic error = planned.op->emitOpError("cannot run ")
                             << nameOf(schedule_.algorithm) << " as the schedule says: " << planned.reason;
  auto place = planned.op->getAttrOfType<LocationAttr>("pattern.opaque_at");
  if (planned.at || place)
    error.attachNote(planned.at ? planned.at->getLoc() : Location(place)) << "this op stands in the way";
  return error;
}

/// What a target that rounds products rounds them to, of a function's operands.
static ProductType productsOf(func::FuncOp function) {
  ProductType products = ProductType::f32;
  for (Type type : function.getArgumentTypes()) {
    Type element = getElementTypeOrSelf(type);
    if (element.isBF16())
      return ProductType::bf16;
    if (element.isF16())
      products = ProductType::f16;
  }
  return products;
}

/// By the borders of chunks where the schedule says so, or the target has many cores: one walk back has a
/// block for each head alone.
LogicalResult Planner::planAdjoint(pattern::ScanAdjointOp op, PlannedOp &planned) {
  plan_.ragged |= bool(op.getSequences());
  pattern::FormOp form = op.getForm();
  StoredState stored(op.getStateSlice(), form.getKeyAxis());
  ScanCost cost{.states = {costOf(form, stored)}, .heads = op.getHeads()};
  bool feedback = !form.getFeedback().empty();
  ScanSchedule scan;
  scan.algorithm = schedule_.algorithm;
  if (schedule_.rounds_products)
    scan.products = productsOf(function_);
  if (schedule_.algorithm == Algorithm::automatic)
    scan.algorithm = !schedule_.has_warps || form.isCoupled() ? Algorithm::chunked
                     : feedback                               ? Algorithm::two_kernels
                                                              : Algorithm::segmented;
  if (form.isCoupled() &&
      (scan.algorithm == Algorithm::two_kernels || scan.algorithm == Algorithm::segmented))
    return op.emitOpError("cannot run ")
           << nameOf(scan.algorithm)
           << " as the schedule says: its states are coupled; write algorithm=chunked";
  bool borders = scan.algorithm == Algorithm::two_kernels || scan.algorithm == Algorithm::segmented;
  int64_t element = scan.products == ProductType::f32 ? 4 : 2;
  scan.chunk = cost.chunk = borders ? chooseChunkOfBorders(cost.states.front(), element, schedule_)
                                    : chooseChunk(cost.states, schedule_);
  if (scan.algorithm == Algorithm::segmented) {
    if (feedback)
      return op.emitOpError("cannot run segmented as the schedule says: its state is fed back; write "
                            "algorithm=two_kernels");
    scan.segments = chooseSegments(cost, schedule_);
  }
  if (scan.algorithm == Algorithm::two_kernels) {
    int64_t columns = schedule_.columns ? schedule_.columns : schedule_.costs.least_columns;
    if ((schedule_.columns || schedule_.has_warps) && columns < stored.value_size)
      scan.columns = columns;
    scan.prepare = schedule_.prepare && feedback;
  }
  planned.parallel = scan.algorithm == Algorithm::chunked;
  planned.schedule = scan.described();
  if (scan.algorithm == Algorithm::recurrent) {
    planned.schedule = {"recurrent", {}};
    planned.reason = "the schedule says so";
  }
  planned.scan = scan;
  return success();
}

LogicalResult Planner::planOp(PlannedOp &planned) {
  Operation *op = planned.op;
  if (failed(checkClauses(op)))
    return failure();
  if (op->use_empty()) {
    planned.schedule = {"unused", {}};
    planned.reason = "nothing uses its results";
    return success();
  }
  bool scan = isa<pattern::ScanOp, pattern::NormalScanOp>(op), map = isa<pattern::MapOp>(op);
  if (scan || map)
    if (LoopView view = LoopView::of(op);
        view.tokens.empty() && llvm::all_of(view.outputs, [](Value value) { return value.use_empty(); }))
      return op->emitOpError("requires a token operand or an output, which tell the number of tokens");
  if (scan || map)
    plan_.ragged |= bool(LoopView::of(op).sequences);
  if (scan)
    return planScan(planned);
  if (auto adjoint = dyn_cast<pattern::ScanAdjointOp>(op)) {
    if (failed(planAdjoint(adjoint, planned)))
      return failure();
  } else if (auto attention = dyn_cast<pattern::WindowAttentionOp>(op)) {
    planned.schedule = describeWindowed(windowTilesOf(pattern::WindowView::of(attention), schedule_));
  } else if (auto windows = dyn_cast<pattern::WindowAdjointOp>(op)) {
    planned.schedule =
        describeWindowAdjoint(windowAdjointTilesOf(pattern::WindowView::of(windows), schedule_));
  } else if (!map) {
    planned.schedule.algorithm = op->getName().stripDialect();
  } else {
    planned.parallel = !runsTokenByToken(planned);
    planned.schedule = {"map", {}};
    if (planned.parallel)
      planned.schedule.settings.push_back({"map_block", schedule_.map_block});
  }
  return success();
}

void Planner::findRegimes() {
  bool parallel = false;
  for (const PlannedOp &planned : plan_.ops) {
    parallel |= planned.parallel;
    if (!planned.few_blocks)
      continue;
    int64_t heads = cast<pattern::NormalScanOp>(planned.op).getHeads();
    plan_.few_batch = std::max(plan_.few_batch, (schedule_.costs.cores + heads - 1) / heads);
  }
  if (schedule_.algorithm == Algorithm::automatic && parallel && schedule_.recurrent_below > 0)
    plan_.regimes.push_back(Regime::short_sequences);
  if (plan_.half_tokens > 0)
    plan_.regimes.push_back(Regime::few_tokens);
  if (plan_.few_batch > 0)
    plan_.regimes.push_back(Regime::few_blocks);
  plan_.regimes.push_back(Regime::usual);
}

/// What a key that the text sets would need for an effect; nothing where it has one.
std::optional<std::string> Planner::wanting(StringRef key) {
  auto none = [&](auto matches) { return llvm::none_of(plan_.ops, matches); };
  if (key == "algorithm") {
    bool maps = schedule_.algorithm == Algorithm::recurrent;
    if (schedule_.algorithm != Algorithm::automatic && none([&](const PlannedOp &planned) {
          return isa<pattern::ScanOp, pattern::NormalScanOp>(planned.op) ||
                 (maps && isa<pattern::MapOp>(planned.op)) || isa<pattern::ScanAdjointOp>(planned.op);
        }))
      return maps ? "a scan or a map" : "a scan";
    return {};
  }
  if (key == "recurrent_below") {
    if (schedule_.algorithm != Algorithm::automatic)
      return "algorithm=auto";
    if (none([](const PlannedOp &planned) { return planned.parallel; }))
      return "a scan or a map that need not run token by token";
    return {};
  }
  if (key == "warps" || key == "blocks")
    return schedule_.has_warps ? std::nullopt
                               : std::optional<std::string>("a target whose blocks have warps");
  if ((key == "whole_blocks" || key == "window_share") &&
      none([](const PlannedOp &planned) { return isa<pattern::WindowAttentionOp>(planned.op); }))
    return "a window attention";
  if (key == "prepare") {
    auto prepares = [](const std::optional<ScanSchedule> &scan) { return scan && scan->prepare; };
    if (schedule_.prepare && none([&](const PlannedOp &planned) {
          return prepares(planned.scan) || prepares(planned.few_blocks);
        }))
      return "a scan in chunks with feedback that other states have no part in";
    return {};
  }
  if (key == "columns" && !none([](const PlannedOp &planned) {
        return isa<pattern::ScanAdjointOp>(planned.op) && planned.scan && planned.scan->columns;
      }))
    return {};
  std::string algorithms = algorithmsWith(key);
  bool takes = llvm::any_of(algorithmSpaces(), [&](const AlgorithmSpace &space) {
    return llvm::is_contained(space.keys, key) && !none([&](const PlannedOp &planned) {
             return planned.schedule.algorithm == space.name ||
                    (planned.few_blocks && planned.few_blocks->described().algorithm == space.name);
           });
  });
  if (algorithms.empty() || takes)
    return {};
  return "an op that runs as " + algorithms;
}

LogicalResult Planner::checkEffects() {
  for (const std::string &key : schedule_.given) {
    std::optional<std::string> wanted = wanting(key);
    if (!wanted)
      continue;
    SmallVector<std::string> names;
    for (const PlannedOp &planned : plan_.ops)
      names.push_back(planned.schedule.name());
    return function_.emitError("schedule: ")
           << key << " has no effect: requires " << *wanted << ", got " << llvm::join(names, ", ");
  }
  return success();
}

FailureOr<Plan> Planner::run() {
  for (Operation &op : function_.front().without_terminator()) {
    PlannedOp planned;
    planned.op = &op;
    if (failed(planOp(planned)))
      return failure();
    plan_.ops.push_back(std::move(planned));
  }
  findRegimes();
  if (failed(checkEffects()))
    return failure();
  return std::move(plan_);
}

FailureOr<Plan> linmu::planOf(func::FuncOp function, const Schedule &schedule) {
  return Planner(function, schedule).run();
}
