// normalize: every scan whose states are affine becomes a normal_scan; others say why not.
#include "compiler/normalize/Normalize.h"
#include "compiler/normalize/Passes.h"
#include "compiler/normalize/Stages.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_NORMALIZE
#include "compiler/normalize/Passes.h.inc"
} // namespace linmu

/// The orientations that a state's slice allows, the likelier first.
static SmallVector<int> orientations(Type slice) {
  auto tensor = dyn_cast<RankedTensorType>(slice);
  if (!tensor)
    return {-1};
  if (tensor.getRank() == 1)
    return {0, -1};
  return {0, 1};
}

namespace {

/// Looks for key axes under which a scan is in the form. Every failure names the states that it depends on:
/// combinations that agree in those fail too and are not tried, so that there are about as many tries as
/// states, not 2^states.
class OrientationSearch {
public:
  explicit OrientationSearch(ScanOp scan) : scan_(scan) {
    for (BlockArgument state : scan.getStateArguments())
      choices_.push_back(orientations(state.getType()));
  }

  /// The analysis that is in the form, at best without a decay by value; else null, and `reason` is the first
  /// of those that another orientation is the least likely to mend.
  std::unique_ptr<AffineAnalysis> run(Opaque &reason) {
    std::unique_ptr<AffineAnalysis> byValue;
    push(Combination(choices_.size(), 0));
    // No step is known to need more; the bound holds what states that all depend on each other may cost.
    for (size_t tries = 4 * choices_.size() + 16; tries > 0 && !open_.empty();) {
      Combination chosen = open_.pop_back_val();
      if (isRefuted(chosen))
        continue;
      --tries;
      auto analysis = std::make_unique<AffineAnalysis>(scan_, axesOf(chosen));
      if (!analysis->run()) {
        if (reason.reason.empty() || analysis->opaque().ofOrientation < reason.ofOrientation)
          reason = analysis->opaque();
        refute(chosen, analysis->opaque().states);
        continue;
      }
      SmallVector<unsigned> states;
      for (auto [state, form] : llvm::enumerate(analysis->states()))
        if (form.valueDecay)
          states.push_back(state);
      if (states.empty())
        return analysis;
      if (!byValue)
        byValue = std::move(analysis);
      avoid(chosen, states);
    }
    return byValue;
  }

private:
  /// Which of its choices each state has.
  using Combination = SmallVector<unsigned, 8>;
  struct Conflict {
    SmallVector<unsigned> states, choices;
  };

  SmallVector<int> axesOf(const Combination &chosen) const {
    SmallVector<int> axes;
    for (auto [state, choice] : llvm::enumerate(chosen))
      axes.push_back(choices_[state][choice]);
    return axes;
  }

  bool isRefuted(const Combination &chosen) const {
    return llvm::any_of(conflicts_, [&](const Conflict &conflict) {
      return llvm::all_of_zip(conflict.states, conflict.choices,
                              [&](unsigned state, unsigned choice) { return chosen[state] == choice; });
    });
  }

  void push(Combination chosen) {
    if (!isRefuted(chosen))
      open_.push_back(std::move(chosen));
  }

  Combination turned(Combination chosen, unsigned state) const {
    chosen[state] = (chosen[state] + 1) % choices_[state].size();
    return chosen;
  }

  void addConflict(const Combination &chosen, ArrayRef<unsigned> states) {
    Conflict conflict;
    for (unsigned state : states) {
      conflict.states.push_back(state);
      conflict.choices.push_back(chosen[state]);
    }
    conflicts_.push_back(std::move(conflict));
  }

  /// Next are those that differ in one of the states, the first of them at the top.
  void refute(const Combination &chosen, ArrayRef<unsigned> states) {
    addConflict(chosen, states);
    for (unsigned state : llvm::reverse(states))
      push(turned(chosen, state));
  }

  /// Each of the states by itself is better otherwise.
  void avoid(const Combination &chosen, ArrayRef<unsigned> states) {
    Combination next = chosen;
    for (unsigned state : states) {
      addConflict(chosen, state);
      next = turned(next, state);
    }
    push(std::move(next));
  }

  ScanOp scan_;
  SmallVector<SmallVector<int>> choices_;
  std::vector<Conflict> conflicts_;
  SmallVector<Combination> open_; // the one to try next is the last
};

} // namespace

/// The reads of each state that feedback, later states or outputs need.
static SmallVector<SmallVector<bool>> neededReads(AffineAnalysis &analysis) {
  SmallVector<SmallVector<bool>> needed;
  for (const StateForm &form : analysis.states())
    needed.emplace_back(form.reads.size(), false);
  llvm::SmallDenseSet<Value> seen;
  SmallVector<Value> work(analysis.outputs());
  for (const StateForm &form : analysis.states()) {
    for (Value decay : {form.decay, form.valueDecay, form.sign, form.valueSign})
      if (decay)
        work.push_back(decay);
    for (const StateWrite &write : form.writes)
      work.push_back(write.key);
    work.append(form.free);
  }
  for (const StateForm &form : analysis.states()) {
    for (auto &terms : form.feedback)
      for (auto [read, coefficient] : terms)
        work.append({coefficient, read});
    for (auto [state, factor] : form.coupling)
      work.push_back(factor);
  }
  while (!work.empty()) {
    Value value = work.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    if (Operation *op = value.getDefiningOp()) {
      work.append(op->operand_begin(), op->operand_end());
      continue;
    }
    for (auto [state, form] : llvm::enumerate(analysis.states()))
      for (auto [index, read] : llvm::enumerate(form.reads))
        if (read.symbol == value) {
          needed[state][index] = true;
          work.push_back(read.key);
        }
  }
  return needed;
}

static void rewrite(ScanOp scan, AffineAnalysis &analysis) {
  OpBuilder builder(scan);
  ArrayRef<AffineAnalysis::Group> strata = analysis.strata();
  SmallVector<unsigned> order;
  for (const AffineAnalysis::Group &group : strata)
    llvm::append_range(order, group);
  SmallVector<SmallVector<bool>> needed = neededReads(analysis);

  SmallVector<Type> finalTypes;
  SmallVector<Value> inits;
  SmallVector<int64_t> initOwners;
  for (auto [position, state] : llvm::enumerate(order)) {
    finalTypes.push_back(scan.getFinals()[state].getType());
    if (Value init = scan.getInitOf(state)) {
      inits.push_back(init);
      initOwners.push_back(position);
    }
  }
  OperationState state(scan.getLoc(), NormalScanOp::getOperationName());
  SmallVector<int32_t> sizes;
  auto addOperands = [&](ValueRange values) {
    sizes.push_back(values.size());
    state.addOperands(values);
  };
  addOperands(scan.getParams());
  addOperands(scan.getTokens());
  addOperands(scan.getTails());
  addOperands(inits);
  addOperands(scan.getOrder() ? ValueRange(scan.getOrder()) : ValueRange());
  addOperands(scan.getSequences() ? ValueRange(scan.getSequences()) : ValueRange());
  state.addTypes(scan.getOutputs().getTypes());
  state.addTypes(finalTypes);
  state.addTypes(scan.getFinalTails().getTypes());
  state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(sizes));
  state.addAttribute("resultSegmentSizes", builder.getDenseI32ArrayAttr(
                                               {int32_t(scan.getOutputs().size()), int32_t(finalTypes.size()),
                                                int32_t(scan.getFinalTails().size())}));
  if (scan.getReverse())
    state.addAttribute("reverse", builder.getUnitAttr());
  if (!scan.getTailOwners().empty())
    state.addAttribute("tail_owners", builder.getDenseI64ArrayAttr(scan.getTailOwners()));
  if (!initOwners.empty())
    state.addAttribute("init_owners", builder.getDenseI64ArrayAttr(initOwners));
  if (!scan.getTailMasks().empty())
    state.addAttribute("tail_masks", builder.getDenseI64ArrayAttr(scan.getTailMasks()));
  for (size_t region = 0; region <= strata.size(); ++region)
    state.addRegion()->emplaceBlock();
  auto normal = cast<NormalScanOp>(builder.create(state));

  // A stage's arguments: params and tokens, then the reads and writes of the stages before it.
  Block &source = analysis.symbols().block();
  size_t common = scan.getParams().size() + scan.getTokens().size();
  auto addArguments = [&](Slicer &slicer, size_t stages) {
    for (BlockArgument argument : source.getArguments().take_front(common))
      slicer.mapping.map(argument, slicer.target.addArgument(argument.getType(), argument.getLoc()));
    for (const AffineAnalysis::Group &earlier : strata.take_front(stages)) {
      for (unsigned state : earlier)
        for (auto [index, read] : llvm::enumerate(analysis.states()[state].reads))
          if (needed[state][index])
            slicer.mapping.map(read.symbol,
                               slicer.target.addArgument(read.symbol.getType(), read.symbol.getLoc()));
      for (const GroupWrite &write : writesOf(analysis, earlier)) {
        Value value = write.write->value, argument = slicer.target.addArgument(write.type, scan.getLoc());
        // What feedback had to compute is known; what is free is as cheap to compute again.
        if (value.getDefiningOp() && analysis.reads().dependOn(value, earlier))
          slicer.mapping.map(value, argument);
      }
    }
  };
  for (auto [position, group] : llvm::enumerate(strata)) {
    Slicer slicer(analysis, normal.getStage(position));
    addArguments(slicer, position);
    buildForm(analysis, group, needed, slicer, scan.getLoc());
  }
  Slicer slicer(analysis, normal.getFinish());
  addArguments(slicer, strata.size());
  SmallVector<Value> outputs;
  for (Value output : analysis.outputs())
    outputs.push_back(slicer.clone(output));
  OpBuilder end = OpBuilder::atBlockEnd(&slicer.target);
  YieldOp::create(end, scan.getYield().getLoc(), outputs, ValueRange{});

  for (auto [from, to] : llvm::zip(scan.getOutputs(), normal.getOutputs()))
    from.replaceAllUsesWith(to);
  for (auto [position, number] : llvm::enumerate(order))
    scan.getFinals()[number].replaceAllUsesWith(normal.getFinals()[position]);
  for (auto [from, to] : llvm::zip(scan.getFinalTails(), normal.getFinalTails()))
    from.replaceAllUsesWith(to);
  for (NamedAttribute attribute : scan->getDiscardableAttrs())
    normal->setDiscardableAttr(attribute.getName(), attribute.getValue());
  scan.erase();
}

namespace {
struct NormalizePass : linmu::impl::NormalizeBase<NormalizePass> {
  using NormalizeBase::NormalizeBase;

  void runOnOperation() override {
    SmallVector<ScanOp> scans;
    getOperation()->walk([&](ScanOp scan) { scans.push_back(scan); });
    for (ScanOp scan : scans) {
      Opaque reason;
      if (auto analysis = OrientationSearch(scan).run(reason)) {
        rewrite(scan, *analysis);
        ++normal;
        continue;
      }
      ++opaque;
      scan->setAttr(opaqueReason, StringAttr::get(&getContext(), reason.reason));
      scan->setAttr(opaqueLocation, LocationAttr(reason.at ? reason.at->getLoc() : scan.getLoc()));
    }
  }
};
} // namespace

std::unique_ptr<Pass> linmu::createNormalizePass() { return std::make_unique<NormalizePass>(); }
