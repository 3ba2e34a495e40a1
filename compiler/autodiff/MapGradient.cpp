// The gradient of a map: a map with the map's own step and its vector-Jacobian product, which sums what
// params get. What a lag gets belongs to an earlier token: a map in the other direction lags it back.
#include "compiler/autodiff/Gradients.h"
#include "compiler/autodiff/LoopBuilder.h"
#include "compiler/autodiff/StepGradient.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

namespace {

class MapGradient {
public:
  MapGradient(MapOp map, Cotangents &cotangents, OpBuilder &at)
      : map_(map), cotangents_(cotangents), at_(at), walk_(LoopWalk::of(map)), loop_(at, map.getLoc(), walk_),
        gradient_(loop_.step()) {}

  LogicalResult run() {
    for (Value tail : map_.getFinalTails())
      if (cotangents_.of(at_, tail))
        return map_.emitOpError("has no gradient yet through its final tails; name the results that have a "
                                "cotangent, as in --of=y");
    for (Value tail : map_.getTails())
      if (cotangents_.wants(tail))
        return map_.emitOpError(
            "has no gradient yet with respect to its tails; name the inputs that want one, "
            "as in --wrt=q,k");
    cloneStep();
    if (!seed())
      return success();
    gradient_.run(ops_, [&](LagOp lag, Value cotangent) { return takeLag(lag, cotangent); });
    collectParams();
    collectTokens();
    finish();
    return success();
  }

private:
  /// What a token operand gets: from its own token and, by the distance of the lag, from later ones.
  struct TokenGradient {
    Value operand, argument;
    std::array<std::optional<unsigned>, 4> outputs;
  };

  void cloneStep() {
    for (auto [argument, param] : llvm::zip(map_.getParamArguments(), map_.getParams()))
      mapping_.map(argument, loop_.param(param));
    for (auto [index, token] : llvm::enumerate(map_.getTokens()))
      mapping_.map(map_.getTokenArguments()[index], loop_.token(token, map_.getTailOf(index)));
    for (Operation &op : map_.getBody().without_terminator())
      ops_.push_back(loop_.step().clone(op, mapping_));
  }

  bool seed() {
    bool any = false;
    for (auto [value, output] : llvm::zip(map_.getYield().getOutputs(), map_.getOutputs()))
      if (Value cotangent = cotangents_.given(at_, output)) {
        gradient_.add(mapping_.lookup(value), loop_.token(cotangent));
        any = true;
      }
    return any;
  }

  /// One for every token but the first `distance` of a walk, where a lag has nothing to read.
  Value lagHasToken(int64_t distance) {
    LoopBuilder ones(at_, map_.getLoc(), walk_);
    ones.addOutput(ones.step().constant(at_.getF32Type(), 1));
    ones.create();
    Value one = loop_.token(ones.output(0));
    return LagOp::create(loop_.step(), one.getType(), one, at_.getI64IntegerAttr(distance), Value());
  }

  Value takeLag(LagOp lag, Value cotangent) {
    lagged_.push_back({lag.getSource(), int64_t(lag.getDistance()), cotangent});
    bool hasTail = false;
    for (auto [index, argument] : llvm::enumerate(map_.getTokenArguments()))
      hasTail |= mapping_.lookup(argument) == lag.getSource() && map_.getTailOf(index);
    if (!lag.getOtherwise() || hasTail)
      return {};
    StepBuilder &step = loop_.step();
    Value missing = step.subtract(step.constant(at_.getF32Type(), 1), lagHasToken(lag.getDistance()));
    return step.multiply(missing, cotangent);
  }

  void collectParams() {
    for (auto [argument, param] : llvm::zip(map_.getParamArguments(), map_.getParams()))
      if (Value gradient = gradient_.of(mapping_.lookup(argument)); gradient && cotangents_.wants(param))
        if (!llvm::is_contained(llvm::make_first_range(params_), param))
          params_.push_back({param, loop_.addSum(gradient)});
  }

  void collectTokens() {
    for (auto [argument, operand] : llvm::zip(map_.getTokenArguments(), map_.getTokens())) {
      Value token = mapping_.lookup(argument);
      bool known = llvm::any_of(tokens_, [&](const TokenGradient &other) { return other.argument == token; });
      if (!cotangents_.wants(operand) || known)
        continue;
      std::array<Value, 4> parts{gradient_.of(token)};
      for (const Lagged &lag : lagged_)
        if (lag.source == token)
          loop_.step().accumulate(parts[lag.distance], lag.cotangent);
      TokenGradient gradient{operand, token, {}};
      for (auto [part, output] : llvm::zip(parts, gradient.outputs))
        if (part)
          output = loop_.addOutput(part);
      tokens_.push_back(gradient);
    }
  }

  void finish() {
    if (!loop_.create())
      return;
    for (auto [param, number] : params_)
      cotangents_.add(param, loop_.sum(number));
    for (const TokenGradient &token : tokens_) {
      bool lags =
          llvm::any_of(ArrayRef(token.outputs).drop_front(), [](auto output) { return output.has_value(); });
      if (!lags) {
        if (token.outputs[0])
          cotangents_.add(token.operand, loop_.output(*token.outputs[0]));
        continue;
      }
      LoopBuilder back(at_, map_.getLoc(), walk_.turned());
      Value sum;
      for (auto [distance, output] : llvm::enumerate(token.outputs)) {
        if (!output)
          continue;
        Value part = back.token(loop_.output(*output));
        if (distance)
          part = LagOp::create(back.step(), part.getType(), part, at_.getI64IntegerAttr(distance), Value());
        back.step().accumulate(sum, part);
      }
      back.addOutput(sum);
      back.create();
      cotangents_.add(token.operand, back.output(0));
    }
  }

  struct Lagged {
    Value source;
    int64_t distance;
    Value cotangent;
  };

  MapOp map_;
  Cotangents &cotangents_;
  OpBuilder &at_;
  LoopWalk walk_;
  LoopBuilder loop_;
  StepGradient gradient_;
  IRMapping mapping_;
  SmallVector<Operation *> ops_;
  SmallVector<Lagged> lagged_;
  SmallVector<std::pair<Value, unsigned>> params_;
  SmallVector<TokenGradient> tokens_;
};

} // namespace

LogicalResult autodiff::differentiateMap(MapOp map, Cotangents &cotangents, OpBuilder &at) {
  return MapGradient(map, cotangents, at).run();
}
