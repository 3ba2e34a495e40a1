// normalize: every scan whose states are affine becomes a normal_scan; others say why not.
#include "compiler/normalize/Normalize.h"
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
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

namespace {
/// Clones the part of the analysis' block that some values need.
struct Slicer {
  AffineAnalysis &analysis;
  Block &target;
  IRMapping mapping;

  Value clone(Value value) {
    if (Value known = mapping.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    assert(op && "every argument is mapped");
    for (Value operand : op->getOperands())
      clone(operand);
    OpBuilder builder = OpBuilder::atBlockEnd(&target);
    Value result = builder.clone(*op, mapping)->getResult(0);
    if (isa<arith::MulFOp>(op))
      for (unsigned side : {0, 1})
        if (Value read = op->getOperand(1 - side); !analysis.reads().dependencies(read).empty())
          for (const Choice &choice : analysis.forms().choicesIn(op->getOperand(side)))
            mapping.map(value, result = chosen(result, choice, read));
    return result;
  }

private:
  /// What was read of a state that is left out may be no number, and zero times that is none either.
  Value chosen(Value product, const Choice &choice, Value read) {
    Value condition = clone(choice.condition), zero = nothingOf(read, product);
    OpBuilder builder = OpBuilder::atBlockEnd(&target);
    return arith::SelectOp::create(builder, product.getLoc(), condition, choice.holds ? product : zero,
                                   choice.holds ? zero : product);
  }

  /// What the keys of a read give of a state of zeros: zero, or no number.
  Value nothingOf(Value read, Value like) {
    Location location = like.getLoc();
    auto zeros = [&](Type type) -> Value {
      OpBuilder builder = OpBuilder::atBlockEnd(&target);
      return arith::ConstantOp::create(builder, location, builder.getZeroAttr(type));
    };
    Value sum = zeros(like.getType());
    for (Value key : analysis.reads().keysIn(read)) {
      Value own = clone(key), none = zeros(own.getType());
      OpBuilder builder = OpBuilder::atBlockEnd(&target);
      Value product = pattern::DotOp::create(builder, location, builder.getF32Type(), own, none);
      if (isa<RankedTensorType>(like.getType()))
        product = pattern::BroadcastOp::create(builder, location, like.getType(), product, IntegerAttr());
      sum = arith::AddFOp::create(builder, location, sum, product);
    }
    return sum;
  }
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
  for (auto [state, form] : llvm::enumerate(analysis.states()))
    for (auto &terms : form.feedback)
      for (auto [read, coefficient] : terms) {
        work.push_back(coefficient);
        work.push_back(form.reads[read].symbol);
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
  ArrayRef<unsigned> strata = analysis.strata();
  SmallVector<SmallVector<bool>> needed = neededReads(analysis);

  SmallVector<Type> finalTypes;
  SmallVector<Value> inits;
  SmallVector<int64_t> initOwners;
  for (auto [position, state] : llvm::enumerate(strata)) {
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
    for (unsigned earlier : strata.take_front(stages)) {
      const StateForm &form = analysis.states()[earlier];
      for (auto [index, read] : llvm::enumerate(form.reads))
        if (needed[earlier][index])
          slicer.mapping.map(read.symbol, slicer.target.addArgument(form.valueType, read.symbol.getLoc()));
      for (const StateWrite &write : form.writes) {
        Value argument = slicer.target.addArgument(form.valueType, scan.getLoc());
        // What feedback had to compute is known; what is free is as cheap to compute again.
        if (write.value.getDefiningOp() && analysis.reads().dependencies(write.value).contains(earlier))
          slicer.mapping.map(write.value, argument);
      }
    }
  };
  for (auto [position, number] : llvm::enumerate(strata)) {
    const StateForm &form = analysis.states()[number];
    Slicer slicer{analysis, normal.getStage(position), {}};
    addArguments(slicer, position);
    SmallVector<Value> reads, writes, values, feedback;
    SmallVector<int64_t> feedbackIndex, place(form.reads.size(), -1);
    SmallVector<bool> inclusive;
    auto optional = [&](Value value) { return value ? slicer.clone(value) : Value(); };
    Value decay = optional(form.decay), valueDecay = optional(form.valueDecay);
    Value sign = optional(form.sign), valueSign = optional(form.valueSign);
    for (auto [index, read] : llvm::enumerate(form.reads))
      if (needed[number][index]) {
        place[index] = reads.size();
        reads.push_back(slicer.clone(read.key));
        inclusive.push_back(read.inclusive);
      }
    for (auto [index, write] : llvm::enumerate(form.writes)) {
      writes.push_back(slicer.clone(write.key));
      values.push_back(slicer.clone(form.free[index]));
      for (auto [read, coefficient] : form.feedback[index]) {
        feedback.push_back(slicer.clone(coefficient));
        feedbackIndex.append({int64_t(index), place[read]});
      }
    }
    OpBuilder end = OpBuilder::atBlockEnd(&slicer.target);
    FormOp::create(end, scan.getLoc(), decay, valueDecay, reads, writes, values, feedback, sign, valueSign,
                   feedbackIndex, inclusive, form.keyAxis);
  }
  Slicer slicer{analysis, normal.getFinish(), {}};
  addArguments(slicer, strata.size());
  SmallVector<Value> outputs;
  for (Value output : analysis.outputs())
    outputs.push_back(slicer.clone(output));
  OpBuilder end = OpBuilder::atBlockEnd(&slicer.target);
  YieldOp::create(end, scan.getYield().getLoc(), outputs, ValueRange{});

  for (auto [from, to] : llvm::zip(scan.getOutputs(), normal.getOutputs()))
    from.replaceAllUsesWith(to);
  for (auto [position, number] : llvm::enumerate(strata))
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
