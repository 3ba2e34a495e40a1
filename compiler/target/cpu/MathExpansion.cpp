// What code has no libm or instruction for, as arithmetic: which op becomes what.
#include "compiler/target/cpu/MathExpansion.h"
#include "compiler/target/cpu/MathFunctions.h"
#include "compiler/target/cpu/StepArithmetic.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu::cpu;

/// Whether `value` shows that it is at most `bound`, or NaN, as log decays and -|x| are.
static bool isAtMost(Value value, double bound) {
  if (auto negated = value.getDefiningOp<arith::NegFOp>())
    return bool(negated.getOperand().getDefiningOp<math::AbsFOp>());
  auto minimum = value.getDefiningOp<arith::MinimumFOp>();
  return minimum && llvm::any_of(minimum->getOperands(), [&](Value operand) {
           std::optional<APFloat> constant = floatConstant(operand);
           return constant && constant->convertToDouble() <= bound;
         });
}

/// A power by a small constant, which a few products are as good for; else null.
static Value powerByConstant(MathBuilder &builder, math::PowFOp op) {
  std::optional<APFloat> constant = floatConstant(op.getRhs());
  if (!constant)
    return {};
  Value x = op.getLhs();
  double exponent = constant->convertToDouble();
  if (exponent == 1)
    return x;
  if (exponent == -1)
    return builder.divide(builder.f32(1), x);
  if (exponent == 2)
    return builder.multiply(x, x);
  if (exponent == 3)
    return builder.multiply(builder.multiply(x, x), x);
  return {};
}

template <typename Op> static Value extremumOf(MathBuilder &builder, Op op, bool isMinimum, bool ofNumbers) {
  // What promises that the sign of zero does not matter is left to cheaper patterns.
  if (arith::bitEnumContainsAny(op.getFastmath(), arith::FastMathFlags::nsz))
    return {};
  return extremum(builder, op.getLhs(), op.getRhs(), isMinimum, ofNumbers);
}

/// An i1 has the arithmetic of one bit, where sums are `exclusive or` and 1 is -1 to signed ops.
template <typename Bitwise, typename Op> static Value onBits(MathBuilder &builder, Op op) {
  if (!getElementTypeOrSelf(op.getType()).isInteger(1))
    return {};
  return builder.make<Bitwise>(op.getLhs(), op.getRhs());
}

/// What `op` is replaced by; null where it stays.
static Value expanded(Operation *op) {
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  Type source = op->getNumOperands() ? getElementTypeOrSelf(op->getOperand(0).getType()) : element;
  if (!source.isF32() && !source.isInteger(32) && !source.isInteger(1))
    return {};
  MathBuilder builder(op);
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](math::ExpOp exp) {
        return exponential(builder, exp.getOperand(), isAtMost(exp.getOperand(), 88));
      })
      .Case([&](math::Exp2Op exp) {
        return exponentialBase2(builder, exp.getOperand(), isAtMost(exp.getOperand(), 127));
      })
      .Case([&](math::ExpM1Op exp) { return exponentialMinusOne(builder, exp.getOperand()); })
      .Case([&](math::TanhOp tanh) { return hyperbolicTangent(builder, tanh.getOperand()); })
      .Case([&](math::ErfOp erf) { return errorFunction(builder, erf.getOperand()); })
      .Case([&](math::LogOp log) { return logarithm(builder, log.getOperand()); })
      .Case([&](math::Log2Op log) { return logarithmBase2(builder, log.getOperand()); })
      .Case([&](math::Log1pOp log) {
        bool isNonnegative = bool(log.getOperand().getDefiningOp<math::ExpOp>());
        return logarithmOfOnePlus(builder, log.getOperand(), isNonnegative);
      })
      .Case([&](math::SinOp sin) { return sine(builder, sin.getOperand()); })
      .Case([&](math::CosOp cos) { return cosine(builder, cos.getOperand()); })
      .Case([&](math::PowFOp pow) {
        Value simple = powerByConstant(builder, pow);
        return simple ? simple : power(builder, pow.getLhs(), pow.getRhs());
      })
      .Case([&](arith::DivSIOp div) { return quotient(builder, div.getLhs(), div.getRhs()); })
      .Case([&](arith::RemSIOp rem) { return remainder(builder, rem.getLhs(), rem.getRhs()); })
      .Case([&](arith::AddIOp op) { return onBits<arith::XOrIOp>(builder, op); })
      .Case([&](arith::SubIOp op) { return onBits<arith::XOrIOp>(builder, op); })
      .Case([&](arith::MulIOp op) { return onBits<arith::AndIOp>(builder, op); })
      .Case([&](arith::MaxSIOp op) { return onBits<arith::AndIOp>(builder, op); })
      .Case([&](arith::MinSIOp op) { return onBits<arith::OrIOp>(builder, op); })
      .Case([&](arith::FPToSIOp cast) { return truncated(builder, cast.getIn(), element); })
      .Case([&](arith::MinimumFOp op) { return extremumOf(builder, op, true, false); })
      .Case([&](arith::MaximumFOp op) { return extremumOf(builder, op, false, false); })
      .Case([&](arith::MinNumFOp op) { return extremumOf(builder, op, true, true); })
      .Case([&](arith::MaxNumFOp op) { return extremumOf(builder, op, false, true); })
      .Default([](Operation *) { return Value(); });
}

LogicalResult linmu::cpu::expandMath(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (op->getNumResults() == 1 && isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
      ops.push_back(op);
  });
  // Uses first, while operands are still ops that tell a bound; what is built here stays as it is.
  for (Operation *op : llvm::reverse(ops))
    if (Value value = expanded(op)) {
      op->getResult(0).replaceAllUsesWith(value);
      op->erase();
    }
  MLIRContext *context = root->getContext();
  RewritePatternSet patterns(context);
  populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions());
  math::populateExpansionPatterns(patterns, {"rsqrt", "sinh", "cosh", "tan", "ceilf", "roundeven"});
  arith::populateArithExpandOpsPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  return applyPatternsGreedily(root, std::move(patterns));
}
