// restore-scans: a scan in normal form becomes one whose step says what the form means, as a pattern is
// written.
#include "compiler/autodiff/Passes.h"
#include "dialects/pattern/StepBuilder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include <limits>

using namespace mlir;
using namespace linmu;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_RESTORESCANS
#include "compiler/autodiff/Passes.h.inc"
} // namespace linmu

namespace {

/// One state in a step, by what the form says of its axes.
class State {
public:
  State(StepBuilder &step, FormOp form, Type type) : step_(step), keyAxis_(form.getKeyAxis()), type_(type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    rank_ = tensor ? tensor.getRank() : 0;
  }

  Value read(Value state, Value key) const {
    if (rank_ == 2)
      return keyAxis_ == 0 ? Value(ReadOp::create(step_, state, key))
                           : Value(ReadTransposedOp::create(step_, state, key));
    return rank_ == 1 && keyAxis_ == 0 ? step_.dot(state, key) : step_.multiply(state, key);
  }
  Value written(Value key, Value value) const {
    return keyAxis_ == 1 ? step_.outer(value, key) : step_.outer(key, value);
  }
  Value decayed(Value state, Value logarithm, Value sign, bool byValue) const {
    // What the normal form rests on.
    Type type = logarithm.getType();
    Value known = AssumeOp::create(step_, type, logarithm,
                                   step_.getF64FloatAttr(-std::numeric_limits<double>::infinity()),
                                   step_.getF64FloatAttr(0));
    Value factor = math::ExpOp::create(step_, known);
    if (sign) {
      Value zero = arith::ConstantOp::create(step_, step_.getZeroAttr(type));
      Value negative = arith::CmpFOp::create(step_, arith::CmpFPredicate::OLT, sign, zero);
      factor = arith::SelectOp::create(step_, negative, arith::NegFOp::create(step_, factor), factor);
    }
    if (rank_ == 2 && isa<RankedTensorType>(type))
      factor = BroadcastOp::create(step_, type_, factor,
                                   step_.getI64IntegerAttr(byValue ? 1 - keyAxis_ : keyAxis_));
    return step_.multiply(factor, state);
  }

private:
  StepBuilder &step_;
  int64_t keyAxis_, rank_;
  Type type_;
};

class Restoration {
public:
  explicit Restoration(NormalScanOp op) : op_(op), step_(StepBuilder(op.getLoc(), op.getContext())) {}

  void run() {
    Region region;
    Block &block = region.emplaceBlock();
    step_.setInsertionPointToEnd(&block);
    size_t common = op_.getParams().size() + op_.getTokens().size();
    for (BlockArgument argument : op_.getFinish().getArguments().take_front(common))
      seen_.push_back(block.addArgument(argument.getType(), argument.getLoc()));
    SmallVector<Value> before, after;
    for (Value final : op_.getFinals())
      before.push_back(
          block.addArgument(sliceType(cast<RankedTensorType>(final.getType()), 2), op_.getLoc()));
    for (unsigned stage = 0; stage < op_.getNumStages(); ++stage)
      after.append(restoreStage(
          stage, ArrayRef(before).slice(op_.getFirstState(stage), op_.getForm(stage).getStates())));
    IRMapping mapping = clone(op_.getFinish());
    SmallVector<Value> outputs;
    for (Value output : cast<YieldOp>(op_.getFinish().getTerminator()).getOutputs())
      outputs.push_back(mapping.lookupOrDefault(output));
    YieldOp::create(step_, outputs, after);
    create(region);
  }

private:
  IRMapping clone(Block &block) {
    IRMapping mapping;
    mapping.map(block.getArguments(), ArrayRef(seen_).take_front(block.getNumArguments()));
    for (Operation &op : block.without_terminator())
      step_.clone(op, mapping);
    return mapping;
  }

  SmallVector<Value> restoreStage(unsigned number, ArrayRef<Value> before) {
    FormOp form = op_.getForm(number);
    IRMapping mapping = clone(op_.getStage(number));
    step_.setLoc(form.getLoc());
    State state(step_, form, before.front().getType());
    SmallVector<Value> reads(form.getReads().size()), written;
    auto readAll = [&](ArrayRef<Value> from, bool inclusive) {
      for (auto [index, key] : llvm::enumerate(form.getReads()))
        if (form.getInclusive()[index] == inclusive)
          reads[index] = state.read(from[form.getStateOfRead(index)], mapping.lookup(key));
    };
    readAll(before, false);
    for (Value value : form.getValues())
      written.push_back(mapping.lookup(value));
    ArrayRef<int64_t> index = form.getFeedbackIndex();
    for (auto [term, factor] : llvm::enumerate(form.getFeedback())) {
      Value &sum = written[index[2 * term]];
      sum = step_.add(sum, step_.multiply(mapping.lookup(factor), reads[index[2 * term + 1]]));
    }
    SmallVector<Value> after(before);
    auto decay = [&](Value logarithm, Value sign, bool byValue) {
      if (logarithm)
        after.front() = state.decayed(after.front(), mapping.lookup(logarithm),
                                      sign ? mapping.lookup(sign) : Value(), byValue);
    };
    decay(form.getDecay(), form.getSign(), /*byValue=*/false);
    decay(form.getValueDecay(), form.getValueSign(), /*byValue=*/true);
    if (form.isCoupled())
      after = coupled(form, mapping, before);
    for (auto [index, key] : llvm::enumerate(form.getWrites())) {
      Value write = state.written(mapping.lookup(key), written[index]);
      for (int64_t number : form.getStatesOfWrite(index))
        after[number] = after[number] ? step_.add(after[number], write) : write;
    }
    for (Value &value : after)
      if (!value)
        value = arith::ConstantOp::create(step_, step_.getZeroAttr(before.front().getType()));
    readAll(after, true);
    seen_.append(reads);
    seen_.append(written);
    return after;
  }

  /// sum over q of A_pq S_q, null where there is none.
  SmallVector<Value> coupled(FormOp form, IRMapping &mapping, ArrayRef<Value> before) {
    SmallVector<Value> after(before.size());
    ArrayRef<int64_t> index = form.getCouplingIndex();
    for (auto [term, factor] : llvm::enumerate(form.getCoupling())) {
      Value &to = after[index[2 * term]];
      Value part = step_.multiply(mapping.lookup(factor), before[index[2 * term + 1]]);
      to = to ? step_.add(to, part) : part;
    }
    return after;
  }

  void create(Region &region) {
    OpBuilder builder(op_);
    OperationState state(op_.getLoc(), ScanOp::getOperationName());
    SmallVector<int32_t> sizes;
    auto addOperands = [&](ValueRange values) {
      sizes.push_back(values.size());
      state.addOperands(values);
    };
    addOperands(op_.getParams());
    addOperands(op_.getTokens());
    addOperands(op_.getTails());
    addOperands(op_.getInits());
    addOperands(op_.getOrder() ? ValueRange(op_.getOrder()) : ValueRange());
    addOperands(op_.getSequences() ? ValueRange(op_.getSequences()) : ValueRange());
    for (int clause = 0; clause < 3; ++clause) // segments and masks
      addOperands({});
    state.addTypes(op_->getResultTypes());
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(sizes));
    for (NamedAttribute attribute : op_->getAttrs())
      if (attribute.getName() != "operandSegmentSizes")
        state.addAttribute(attribute.getName(), attribute.getValue());
    state.addRegion()->takeBody(region);
    op_.replaceAllUsesWith(builder.create(state)->getResults());
    op_.erase();
  }

  NormalScanOp op_;
  StepBuilder step_;
  SmallVector<Value> seen_; ///< what stands for the arguments of stages, in their order
};

struct RestoreScans : linmu::impl::RestoreScansBase<RestoreScans> {
  using RestoreScansBase::RestoreScansBase;

  void runOnOperation() override {
    SmallVector<NormalScanOp> scans(getOperation().getOps<NormalScanOp>());
    for (NormalScanOp scan : scans)
      Restoration(scan).run();
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createRestoreScansPass() { return std::make_unique<RestoreScans>(); }
