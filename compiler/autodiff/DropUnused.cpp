// drop-unused: scans and maps lose the outputs, states and operands that nothing needs, ops without uses go.
#include "compiler/autodiff/Passes.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_DROPUNUSED
#include "compiler/autodiff/Passes.h.inc"
} // namespace linmu

namespace {

/// A scan or a map, its masks and segments expanded; its users have been seen already.
template <typename LoopOp> class Shrinking {
public:
  explicit Shrinking(LoopOp loop)
      : loop_(loop), body_(loop.getBody()), yield_(loop.getYield()), outputs_(loop.getOutputs().size()),
        states_(loop.getFinals().size()), tokens_(loop.getTokens().size()) {}

  /// Makes a smaller loop in its place; false where everything is needed.
  bool run() {
    findOutputsAndStates();
    if (outputs_.all() && states_.all()) // its final tails are needed
      return false;
    dropFromStep();
    findTokens();
    llvm::BitVector params(loop_.getParams().size());
    for (auto [index, argument] : llvm::enumerate(loop_.getParamArguments()))
      params[index] = argument.use_empty();
    if (outputs_.none() && states_.none() && tokens_.none() && params.none())
      return false;
    build(params);
    return true;
  }

private:
  /// Nothing needs a state whose final value has no use, and which only itself and such states read.
  void findOutputsAndStates() {
    llvm::DenseSet<Value> needed;
    for (auto [index, output] : llvm::enumerate(loop_.getOutputs())) {
      outputs_[index] = output.use_empty();
      if (!outputs_[index])
        needed.insert(yield_.getOutputs()[index]);
    }
    states_.set();
    for (bool changed = true; changed;) {
      changed = false;
      for (Operation &op : llvm::reverse(body_.without_terminator()))
        if (llvm::any_of(op.getResults(), [&](Value result) { return needed.contains(result); }))
          needed.insert_range(op.getOperands());
      for (auto [index, final] : llvm::enumerate(loop_.getFinals()))
        if (states_[index] && (!final.use_empty() || needed.contains(loop_.getStateArguments()[index]))) {
          states_.reset(index);
          needed.insert(yield_.getStates()[index]);
          changed = true;
        }
    }
  }

  /// The step without them, and without the ops that only they needed.
  void dropFromStep() {
    for (int index = states_.find_last(); index >= 0; index = states_.find_prev(index))
      yield_.getStatesMutable().erase(index);
    for (int index = outputs_.find_last(); index >= 0; index = outputs_.find_prev(index))
      yield_.getOutputsMutable().erase(index);
    SmallVector<Operation *> ops;
    for (Operation &op : body_.without_terminator())
      ops.push_back(&op);
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op))
        op->erase();
  }

  /// A token whose tail ends in a result that is used stays, and so does what masks it. One stays in any
  /// case: it says how many tokens there are.
  void findTokens() {
    for (auto [index, argument] : llvm::enumerate(loop_.getTokenArguments()))
      tokens_[index] = argument.use_empty();
    ArrayRef<int64_t> masks = loop_.getTailMasks();
    for (auto [index, owner] : llvm::enumerate(loop_.getTailOwners())) {
      if (!loop_.getFinalTails()[index].use_empty())
        tokens_.reset(owner);
      if (!masks.empty() && masks[index] >= 0 && !tokens_[owner])
        tokens_.reset(masks[index]);
    }
    if (!tokens_.all())
      return;
    for (unsigned index = 0; index < tokens_.size(); ++index)
      if (!loop_.getTailOf(index)) {
        tokens_.reset(index);
        return;
      }
    tokens_.reset(0);
  }

  void build(const llvm::BitVector &params) {
    SmallVector<Value> keptParams, keptTokens, tails, inits, replaced;
    SmallVector<int64_t> tailOwners, tailMasks, initOwners, place;
    SmallVector<Type> types;
    for (auto [index, param] : llvm::enumerate(loop_.getParams()))
      if (!params[index])
        keptParams.push_back(param);
    for (auto [index, token] : llvm::enumerate(loop_.getTokens())) {
      place.push_back(keptTokens.size());
      if (!tokens_[index])
        keptTokens.push_back(token);
    }
    auto keep = [&](Value result) {
      replaced.push_back(result);
      types.push_back(result.getType());
    };
    for (auto [index, output] : llvm::enumerate(loop_.getOutputs()))
      if (!outputs_[index])
        keep(output);
    int32_t keptOutputs = replaced.size(), keptStates = 0;
    for (auto [index, final] : llvm::enumerate(loop_.getFinals())) {
      if (states_[index])
        continue;
      keep(final);
      if (Value init = loop_.getInitOf(index)) {
        inits.push_back(init);
        initOwners.push_back(keptStates);
      }
      ++keptStates;
    }
    ArrayRef<int64_t> masks = loop_.getTailMasks();
    for (auto [index, owner] : llvm::enumerate(loop_.getTailOwners()))
      if (!tokens_[owner]) {
        keep(loop_.getFinalTails()[index]);
        tails.push_back(loop_.getTails()[index]);
        tailOwners.push_back(place[owner]);
        if (!masks.empty())
          tailMasks.push_back(masks[index] < 0 ? -1 : place[masks[index]]);
      }

    llvm::BitVector arguments(params);
    for (const llvm::BitVector *dropped : {&tokens_, &states_}) {
      unsigned first = arguments.size();
      arguments.resize(first + dropped->size());
      for (unsigned index : dropped->set_bits())
        arguments.set(first + index);
    }
    body_.eraseArguments(arguments);

    OpBuilder builder(loop_);
    // A scan without states is a map.
    StringRef name = keptStates ? ScanOp::getOperationName() : MapOp::getOperationName();
    OperationState state(loop_.getLoc(), name);
    SmallVector<int32_t> sizes;
    auto addOperands = [&](ValueRange values) {
      sizes.push_back(values.size());
      state.addOperands(values);
    };
    for (const auto *values : {&keptParams, &keptTokens, &tails, &inits})
      addOperands(*values);
    addOperands(loop_.getOrder() ? ValueRange(loop_.getOrder()) : ValueRange());
    addOperands(loop_.getSequences() ? ValueRange(loop_.getSequences()) : ValueRange());
    for (int clause = 0; clause < 3; ++clause) // segments and masks
      addOperands({});
    state.addTypes(types);
    auto set = [&](StringRef attribute, ArrayRef<int64_t> values) {
      if (!values.empty())
        state.addAttribute(attribute, builder.getDenseI64ArrayAttr(values));
    };
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(sizes));
    state.addAttribute("resultSegmentSizes",
                       builder.getDenseI32ArrayAttr({keptOutputs, keptStates, int32_t(tails.size())}));
    if (loop_.getReverse())
      state.addAttribute("reverse", builder.getUnitAttr());
    set("tail_owners", tailOwners);
    set("init_owners", initOwners);
    set("tail_masks", tailMasks);
    state.addRegion()->takeBody(loop_.getStep());
    for (auto [from, to] : llvm::zip(replaced, builder.create(state)->getResults()))
      from.replaceAllUsesWith(to);
    loop_.erase();
  }

  LoopOp loop_;
  Block &body_;
  YieldOp yield_;
  llvm::BitVector outputs_, states_, tokens_; ///< what goes
};

template <typename LoopOp> bool isExpanded(LoopOp loop) {
  return !loop.getSegments() && !loop.getSourceMask() && !loop.getOutputMask();
}

/// Whether an output of f32 holds an operand's numbers of 16 bits, which loops and sums take as well.
bool isWidened(Value output, Value operand) {
  auto wide = cast<RankedTensorType>(output.getType()), narrow = cast<RankedTensorType>(operand.getType());
  return wide.getElementType().isF32() && isa<FloatType>(narrow.getElementType()) &&
         wide.getShape() == narrow.getShape();
}

/// Outputs that are a token operand as it is: whoever reads them reads that.
template <typename LoopOp> void passOperandsOn(LoopOp loop) {
  for (auto [output, value] : llvm::zip(loop.getOutputs(), loop.getYield().getOutputs()))
    for (auto [argument, operand] : llvm::zip(loop.getTokenArguments(), loop.getTokens())) {
      if (value != argument || !isExpanded(loop))
        continue;
      if (output.getType() == operand.getType())
        output.replaceAllUsesWith(operand);
      else if (isWidened(output, operand))
        output.replaceUsesWithIf(operand, [](OpOperand &use) {
          return isa<MapOp, ScanOp, ScanAdjointOp, ReduceOp>(use.getOwner());
        });
    }
}

struct DropUnused : linmu::impl::DropUnusedBase<DropUnused> {
  using DropUnusedBase::DropUnusedBase;

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    for (Operation &op : getOperation().getBody().front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops)
      llvm::TypeSwitch<Operation *>(op).Case<MapOp, ScanOp>([](auto loop) { passOperandsOn(loop); });
    for (Operation *op : llvm::reverse(ops)) {
      if (isOpTriviallyDead(op)) {
        op->erase();
        ++erased;
        continue;
      }
      bool changed =
          llvm::TypeSwitch<Operation *, bool>(op)
              .Case<MapOp, ScanOp>([](auto loop) { return isExpanded(loop) && Shrinking(loop).run(); })
              .Default(false);
      shrunk += changed;
    }
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createDropUnusedPass() { return std::make_unique<DropUnused>(); }
