// split-scans: a scan in normal form becomes maps, which compute its form and its outputs, and one scan a
// state.
#include "compiler/autodiff/FormScan.h"
#include "compiler/autodiff/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_SPLITSCANS
#include "compiler/autodiff/Passes.h.inc"
} // namespace linmu

namespace {

/// The scan whose stages are taken apart, one after the other.
class Split {
public:
  explicit Split(NormalScanOp op) : op_(op), builder_(op), walk_(LoopWalk::of(op)) {}

  void run() {
    for (unsigned stage = 0; stage < op_.getNumStages(); ++stage)
      splitStage(stage);
    splitFinish();
    op_.erase();
  }

private:
  /// The block's ops in a map, its arguments being operands of that map.
  void cloneInto(LoopBuilder &loop, Block &block) {
    IRMapping mapping;
    size_t params = op_.getParams().size(), common = params + op_.getTokens().size();
    for (BlockArgument argument : block.getArguments()) {
      size_t index = argument.getArgNumber();
      if (index < params)
        mapping.map(argument, loop.param(op_.getParams()[index]));
      else if (index < common)
        mapping.map(argument, loop.token(op_.getTokens()[index - params], op_.getTailOf(index - params)));
      else
        mapping.map(argument, loop.token(earlier_[index - common]));
    }
    for (Operation &op : block.without_terminator())
      loop.step().clone(op, mapping);
    mapping_ = std::move(mapping);
  }

  void splitStage(unsigned stage) {
    Block &block = op_.getStage(stage);
    FormOp form = op_.getForm(stage);
    LoopBuilder loop(builder_, form.getLoc(), walk_);
    cloneInto(loop, block);
    // Filled in once the map that computes them is there.
    SmallVector<std::pair<FormOperand *, unsigned>> computed;
    auto take = [&](Value value, FormOperand &operand) {
      unsigned params = op_.getParams().size();
      if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
        operand.number = constant.getValue();
      } else if (auto argument = dyn_cast<BlockArgument>(value);
                 argument && argument.getArgNumber() >= params) {
        unsigned token = argument.getArgNumber() - params, count = op_.getTokens().size();
        operand.tensor = token < count ? op_.getTokens()[token] : earlier_[token - count];
      } else {
        computed.push_back({&operand, loop.addOutput(mapping_.lookup(value))});
      }
    };
    FormScan scan;
    scan.walk = walk_;
    for (auto [value, operand] :
         {std::pair(form.getDecay(), &scan.decay), std::pair(form.getSign(), &scan.sign),
          std::pair(form.getValueDecay(), &scan.valueDecay), std::pair(form.getValueSign(), &scan.valueSign)})
      if (value)
        take(value, *operand);
    auto takeAll = [&](OperandRange values, SmallVector<FormOperand> &operands) {
      operands.resize(values.size());
      for (auto [value, operand] : llvm::zip(values, operands))
        take(value, operand);
    };
    takeAll(form.getReads(), scan.reads);
    takeAll(form.getWrites(), scan.writes);
    takeAll(form.getValues(), scan.values);
    scan.inclusive.assign(form.getInclusive().begin(), form.getInclusive().end());
    ArrayRef<int64_t> index = form.getFeedbackIndex();
    for (size_t term = 0; term < form.getFeedback().size(); ++term)
      scan.feedback.push_back({unsigned(index[2 * term]), unsigned(index[2 * term + 1]), {}});
    for (auto [value, term] : llvm::zip(form.getFeedback(), scan.feedback))
      take(value, term.factor);
    index = form.getCouplingIndex();
    for (size_t term = 0; term < form.getCoupling().size(); ++term)
      scan.coupling.push_back({unsigned(index[2 * term]), unsigned(index[2 * term + 1]), {}});
    for (auto [value, term] : llvm::zip(form.getCoupling(), scan.coupling))
      take(value, term.factor);
    llvm::append_range(scan.readStates, form.getReadStates());
    llvm::append_range(scan.writeStates, form.getWriteStates());
    scan.keyAxis = form.getKeyAxis();
    unsigned first = op_.getFirstState(stage);
    scan.state = cast<RankedTensorType>(op_.getFinals()[first].getType());
    for (unsigned state = 0; state < form.getStates(); ++state)
      scan.inits.push_back(op_.getInitOf(first + state));
    if (loop.create())
      for (auto [operand, output] : computed)
        operand->tensor = loop.output(output);
    FormScan::Results results = scan.create(builder_, op_.getLoc());
    earlier_.append(results.reads);
    earlier_.append(results.writes);
    for (auto [state, final] : llvm::enumerate(results.finals))
      op_.getFinals()[first + state].replaceAllUsesWith(final);
  }

  void splitFinish() {
    LoopBuilder loop(builder_, op_.getLoc(), walk_);
    cloneInto(loop, op_.getFinish());
    auto yield = cast<YieldOp>(op_.getFinish().getTerminator());
    for (auto [value, output] : llvm::zip(yield.getOutputs(), op_.getOutputs()))
      loop.addOutput(mapping_.lookup(value), getElementTypeOrSelf(output.getType()));
    Operation *map = loop.create();
    if (!map)
      return;
    for (auto [from, to] : llvm::zip(op_.getOutputs(), map->getResults()))
      from.replaceAllUsesWith(to);
    // The map has the tails in their order.
    auto tails = cast<MapOp>(map).getFinalTails();
    for (auto [from, owner] : llvm::zip(op_.getFinalTails(), op_.getTailOwners()))
      for (auto [to, tail] : llvm::zip(tails, cast<MapOp>(map).getTails()))
        if (tail == op_.getTailOf(owner))
          from.replaceAllUsesWith(to);
  }

  NormalScanOp op_;
  OpBuilder builder_;
  LoopWalk walk_;
  SmallVector<Value> earlier_; ///< reads and writes of the stages so far, as stages number them
  IRMapping mapping_;          ///< of the block that was cloned last
};

struct SplitScans : linmu::impl::SplitScansBase<SplitScans> {
  using SplitScansBase::SplitScansBase;

  void runOnOperation() override {
    SmallVector<NormalScanOp> scans(getOperation().getOps<NormalScanOp>());
    for (NormalScanOp scan : scans) {
      bool keepsTails = llvm::any_of(scan.getFinalTails(), [](Value tail) { return !tail.use_empty(); });
      if (keepsTails && (scan.getOutputs().empty() || !scan.getTailMasks().empty())) {
        scan.emitOpError("cannot be split where its final tails are used and ")
            << (scan.getOutputs().empty() ? "it has no outputs" : "masked");
        return signalPassFailure();
      }
      Split(scan).run();
      ++split;
    }
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createSplitScansPass() { return std::make_unique<SplitScans>(); }
