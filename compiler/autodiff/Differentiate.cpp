// differentiate: a function of maps, split scans, windows and permutes becomes the function of its gradients.
#include "compiler/autodiff/Gradients.h"
#include "compiler/autodiff/LoopBuilder.h"
#include "compiler/autodiff/Passes.h"
#include "compiler/normalize/Normalize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::autodiff;
using namespace linmu::pattern;

namespace linmu {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/autodiff/Passes.h.inc"
} // namespace linmu

static constexpr StringLiteral nameAttribute = "pattern.name";

static bool isFloat(Value value) { return isa<FloatType>(getElementTypeOrSelf(value.getType())); }

static std::string nameOf(Attribute attribute, StringRef kind, unsigned index) {
  auto name = dyn_cast_or_null<StringAttr>(attribute);
  return name ? name.str() : (kind + Twine(index)).str();
}

/// An op without a gradient, and why, at the op behind the reason.
static LogicalResult refuse(Operation *op) {
  if (auto scan = dyn_cast<ScanOp>(op)) {
    auto reason = scan->getAttrOfType<StringAttr>(opaqueReason);
    auto error = scan.emitOpError("has no gradient yet, since its states are not affine in themselves");
    if (auto at = scan->getAttrOfType<LocationAttr>(opaqueLocation); at && reason)
      error.attachNote(Location(at)) << reason.getValue();
    return error;
  }
  return op->emitOpError("has no gradient: derivatives of the second order are not supported");
}

namespace {

class Differentiation {
public:
  Differentiation(func::FuncOp function, ArrayRef<std::string> wanted, ArrayRef<std::string> of)
      : function_(function), at_(function.getBody().front().getTerminator()), wanted_(wanted), of_(of) {}

  LogicalResult run() {
    if (failed(chooseInputs()) || failed(checkResults()))
      return failure();
    Cotangents cotangents(function_, inputs_);
    addCotangentArguments(cotangents);
    SmallVector<Operation *> ops;
    for (Operation &op : function_.getBody().front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : llvm::reverse(ops))
      if (failed(differentiate(op, cotangents)))
        return failure();
    return returnGradients(cotangents);
  }

private:
  LogicalResult chooseInputs() {
    SmallVector<std::string> floats;
    for (BlockArgument argument : function_.getArguments()) {
      std::string name = nameOf(function_.getArgAttr(argument.getArgNumber(), nameAttribute), "input",
                                argument.getArgNumber());
      if (isFloat(argument))
        floats.push_back(name);
      if (!isFloat(argument) && llvm::is_contained(wanted_, name))
        return function_.emitError("requires inputs of floats to differentiate, got '")
               << name << "' of type " << argument.getType();
      if (isFloat(argument) && (wanted_.empty() || llvm::is_contained(wanted_, name))) {
        inputs_.push_back(argument);
        names_.push_back(name);
      }
    }
    for (const std::string &name : wanted_)
      if (!llvm::is_contained(names_, name))
        return function_.emitError("has no input '")
               << name << "' to differentiate; it has: " << llvm::join(floats, ", ");
    if (inputs_.empty())
      return function_.emitError("has no input of floats to differentiate");
    return success();
  }

  std::string resultName(unsigned index) {
    return nameOf(function_.getResultAttr(index, nameAttribute), "result", index);
  }

  LogicalResult checkResults() {
    SmallVector<std::string> floats;
    for (auto [index, value] : llvm::enumerate(function_.getBody().front().getTerminator()->getOperands()))
      if (isFloat(value))
        floats.push_back(resultName(index));
    for (const std::string &name : of_)
      if (!llvm::is_contained(floats, name))
        return function_.emitError("has no result '")
               << name << "' of floats to differentiate; it has: " << llvm::join(floats, ", ");
    return success();
  }

  /// One argument for each result that has a cotangent.
  void addCotangentArguments(Cotangents &cotangents) {
    Block &body = function_.getBody().front();
    for (auto [index, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
      if (!isFloat(value) || (!of_.empty() && !llvm::is_contained(of_, resultName(index))))
        continue;
      std::string name = "d_" + resultName(index);
      auto attributes = DictionaryAttr::get(
          function_.getContext(), {NamedAttribute(StringAttr::get(function_.getContext(), nameAttribute),
                                                  StringAttr::get(function_.getContext(), name))});
      unsigned place = function_.getNumArguments();
      (void)function_.insertArgument(place, value.getType(), attributes, value.getLoc());
      cotangents.add(value, function_.getArgument(place));
    }
  }

  LogicalResult differentiate(Operation *op, Cotangents &cotangents) {
    bool active = llvm::any_of(
        op->getResults(), [&](Value result) { return cotangents.wants(result) && cotangents.gets(result); });
    if (!active)
      return success();
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](MapOp map) { return differentiateMap(map, cotangents, at_); })
        .Case([&](NormalScanOp scan) { return differentiateScan(scan, cotangents, at_); })
        .Case([&](WindowAttentionOp windows) { return differentiateWindows(windows, cotangents, at_); })
        .Case([&](PermuteOp permute) {
          Value cotangent = cotangents.of(at_, permute.getResult());
          cotangents.add(permute.getSource(),
                         PermuteOp::create(at_, permute.getLoc(), cotangent.getType(), cotangent,
                                           permute.getOrder(), !permute.getInverse()));
          return success();
        })
        .Default(refuse);
  }

  /// The gradient of an input that no result depends on, or only through comparisons.
  Value zeroOf(Value input, Cotangents &cotangents) {
    auto type = cast<RankedTensorType>(input.getType());
    LoopWalk walk = anyWalk();
    Kind kind = kindOf(type);
    unsigned leading = kind == Kind::param ? 0 : kind == Kind::states ? 1 : 2;
    walk.heads = type.getRank() > leading ? type.getDimSize(leading) : 1;
    if (kind == Kind::tokens)
      walk.like = input;
    LoopBuilder loop(at_, input.getLoc(), walk);
    Value zero = loop.step().constant(sliceType(type, leading + 1), 0);
    kind == Kind::tokens ? loop.addOutput(zero) : loop.addSum(zero);
    loop.create();
    cotangents.add(input, kind == Kind::tokens ? loop.output(0) : loop.sum(0));
    return cotangents.result(at_, input);
  }

  /// Of some loop of the function, without its order, or of its windows: for what depends on none.
  LoopWalk anyWalk() {
    LoopWalk walk;
    for (Operation &op : function_.getBody().front())
      llvm::TypeSwitch<Operation *>(&op).Case<MapOp, NormalScanOp>(
          [&](auto loop) { walk = LoopWalk::of(loop); });
    if (!walk.like)
      for (auto windows : function_.getOps<WindowAttentionOp>())
        walk.like = windows.getQuery();
    walk.order = {};
    return walk;
  }

  LogicalResult returnGradients(Cotangents &cotangents) {
    Operation *end = function_.getBody().front().getTerminator();
    SmallVector<Value> results;
    SmallVector<DictionaryAttr> attributes;
    MLIRContext *context = function_.getContext();
    for (auto [input, name] : llvm::zip(inputs_, names_)) {
      Value gradient = cotangents.result(at_, input);
      if (!gradient)
        gradient = zeroOf(input, cotangents);
      results.push_back(gradient);
      attributes.push_back(DictionaryAttr::get(
          context,
          {NamedAttribute(StringAttr::get(context, nameAttribute), StringAttr::get(context, "d_" + name))}));
    }
    end->setOperands(results);
    function_.setType(
        FunctionType::get(context, function_.getArgumentTypes(), ValueRange(results).getTypes()));
    function_.setAllResultAttrs(attributes);
    function_.setSymName((function_.getSymName() + "_gradient").str());
    for (Operation &op : function_.getBody().front())
      op.removeAttr(fusedMaps);
    return success();
  }

  func::FuncOp function_;
  OpBuilder at_;
  ArrayRef<std::string> wanted_, of_; ///< where empty, all of floats
  SmallVector<Value> inputs_;
  SmallVector<std::string> names_;
};

struct Differentiate : linmu::impl::DifferentiateBase<Differentiate> {
  using DifferentiateBase::DifferentiateBase;

  void runOnOperation() override {
    SmallVector<std::string> wanted(wrt.begin(), wrt.end()), results(of.begin(), of.end());
    if (failed(Differentiation(getOperation(), wanted, results).run()))
      signalPassFailure();
  }
};

} // namespace
