// expand-clauses: segments and masks become tokens of the step and selects in it. A tail holds what lags
// read, so that a source mask also acts on final tails.
#include "compiler/normalize/Normalize.h"
#include "dialects/pattern/Pattern.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace linmu::pattern;

namespace {

struct Expander {
  OpBuilder builder;
  Location location;
  Block &body;
  unsigned nextToken; ///< where the next token's argument goes

  Value constant(Type type, double value) {
    Type element = getElementTypeOrSelf(type);
    TypedAttr attribute = isa<FloatType>(element)
                              ? TypedAttr(builder.getFloatAttr(element, value))
                              : TypedAttr(builder.getIntegerAttr(element, int64_t(value)));
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      attribute = DenseElementsAttr::get(tensor, Attribute(attribute));
    return arith::ConstantOp::create(builder, location, attribute);
  }

  /// select(condition, value, 0), the condition a scalar.
  Value zeroUnless(Value condition, Value value) {
    return arith::SelectOp::create(builder, location, condition, value, constant(value.getType(), 0));
  }

  Value addToken(Value operand) {
    return body.insertArgument(nextToken++, getElementTypeOrSelf(operand.getType()), operand.getLoc());
  }
};

template <typename LoopOp> void expand(LoopOp op) {
  if (!op.getSegments() && !op.getSourceMask() && !op.getOutputMask())
    return;
  Block &body = op.getBody();
  unsigned firstToken = op.getParams().size();
  Expander expander{OpBuilder::atBlockBegin(&body), op.getLoc(), body,
                    unsigned(firstToken + op.getTokens().size())};
  SmallVector<Value> added;
  auto token = [&](Value operand) {
    added.push_back(operand);
    return expander.addToken(operand);
  };
  SmallVector<Value> states(op.getStateArguments());

  // First, so that the segments become the token operand that their tail counts them as.
  if (Value segments = op.getSegments()) {
    Value id = token(segments);
    OpBuilder &builder = expander.builder;
    Value first = op.getTailOf(op.getTokens().size()) ? Value() : id;
    Value previous =
        LagOp::create(builder, op.getLoc(), id.getType(), id, builder.getI64IntegerAttr(1), first);
    Value same = arith::CmpIOp::create(builder, op.getLoc(), arith::CmpIPredicate::eq, id, previous);
    for (Value state : states) {
      Value kept = expander.zeroUnless(same, state);
      state.replaceUsesWithIf(kept, [&](OpOperand &use) { return use.getOwner() != kept.getDefiningOp(); });
    }
  }
  if (Value mask = op.getSourceMask()) {
    int64_t number = op.getTokens().size() + added.size();
    SmallVector<int64_t> tailMasks;
    for (int64_t owner : op.getTailOwners())
      tailMasks.push_back(llvm::is_contained(op.getZeroes(), owner) ? number : -1);
    if (llvm::is_contained(tailMasks, number))
      op.setTailMasks(tailMasks);
    Value live = token(mask);
    for (int64_t index : op.getZeroes()) {
      Value argument = body.getArgument(firstToken + index);
      SmallVector<LagOp> lags;
      for (Operation *user : argument.getUsers())
        if (auto lag = dyn_cast<LagOp>(user))
          lags.push_back(lag);
      Value masked = expander.zeroUnless(live, argument);
      argument.replaceUsesWithIf(masked, [&](OpOperand &use) {
        bool lagged = isa<LagOp>(use.getOwner()) && use.getOperandNumber() == 0;
        return use.getOwner() != masked.getDefiningOp() && !lagged;
      });
      // A lag of a masked token reads zero where that earlier token was masked; before the first one, where
      // it reads a tail or `otherwise`, it reads what is there.
      for (LagOp lag : lags) {
        OpBuilder at(lag->getBlock(), std::next(lag->getIterator()));
        std::swap(expander.builder, at);
        Value before = expander.constant(live.getType(), 1);
        Value then = LagOp::create(expander.builder, lag.getLoc(), live.getType(), live,
                                   lag.getDistanceAttr(), before);
        Value zeroed = expander.zeroUnless(then, lag.getResult());
        lag.getResult().replaceUsesWithIf(
            zeroed, [&](OpOperand &use) { return use.getOwner() != zeroed.getDefiningOp(); });
        std::swap(expander.builder, at);
      }
    }
  }
  if (Value mask = op.getOutputMask()) {
    Value live = token(mask);
    YieldOp yield = op.getYield();
    expander.builder.setInsertionPoint(yield);
    for (OpOperand &output : llvm::make_early_inc_range(yield->getOpOperands()))
      if (output.getOperandNumber() < yield.getOutputs().size())
        output.set(expander.zeroUnless(live, output.get()));
  }
  op.getTokensMutable().append(added);
  op.getSegmentsMutable().clear();
  op.getSourceMaskMutable().clear();
  op.getOutputMaskMutable().clear();
  op.setZeroes({});
}

struct ExpandClauses : PassWrapper<ExpandClauses, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandClauses)
  StringRef getArgument() const override { return "expand-clauses"; }
  StringRef getDescription() const override {
    return "Turns segments and masks into tokens and selects of the step";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<arith::ArithDialect>();
  }
  void runOnOperation() override {
    getOperation()->walk([](ScanOp op) { expand(op); });
    getOperation()->walk([](MapOp op) { expand(op); });
  }
};

} // namespace

std::unique_ptr<Pass> linmu::createExpandClausesPass() { return std::make_unique<ExpandClauses>(); }
