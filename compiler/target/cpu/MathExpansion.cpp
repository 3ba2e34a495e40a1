// Math functions on vectors: code has no libm to call.
#include "compiler/target/cpu/MathExpansion.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace {

/// The value of a constant, or of all elements of one.
std::optional<APFloat> constantOf(Value value) {
  DenseElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)))
    return elements.isSplat() ? std::optional(elements.getSplatValue<APFloat>()) : std::nullopt;
  FloatAttr scalar;
  return matchPattern(value, m_Constant(&scalar)) ? std::optional(scalar.getValue()) : std::nullopt;
}

/// Whether `value` is a minimum with a constant of at most `bound`, as log decays are.
bool isAtMost(Value value, double bound) {
  auto minimum = value.getDefiningOp<arith::MinimumFOp>();
  return minimum && llvm::any_of(minimum->getOperands(), [&](Value operand) {
           std::optional<APFloat> constant = constantOf(operand);
           return constant && constant->convertToDouble() <= bound;
         });
}

/// exp by Cody-Waite reduction and the polynomial of Cephes' expf (2 ulp): x = n ln 2 + r, |r| <= 0.35.
/// Exactly 0 below -87.69 (where n = -127; kernels have no subnormal results, so from -87.34), infinity above
/// 88.72, NaN for NaN.
struct ExpandExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    Type bits = rewriter.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      bits = vector.clone(bits);
    auto constant = [&](Type of, double value) -> Value {
      Type element = getElementTypeOrSelf(of);
      TypedAttr attribute = isa<FloatType>(element)
                                ? TypedAttr(rewriter.getFloatAttr(element, value))
                                : TypedAttr(rewriter.getIntegerAttr(element, int64_t(value)));
      if (auto vector = dyn_cast<VectorType>(of))
        attribute = DenseElementsAttr::get(vector, Attribute(attribute));
      return arith::ConstantOp::create(rewriter, loc, attribute);
    };
    auto real = [&](double value) { return constant(type, value); };
    auto fma = [&](Value a, Value b, Value c) -> Value {
      return math::FmaOp::create(rewriter, loc, a, b, c);
    };
    auto select = [&](arith::CmpFPredicate predicate, Value a, Value b, Value yes, Value no) -> Value {
      Value condition = arith::CmpFOp::create(rewriter, loc, predicate, a, b);
      return arith::SelectOp::create(rewriter, loc, condition, yes, no);
    };
    // A NaN compares as neither, and is in every product below.
    Value x = op.getOperand();
    x = select(arith::CmpFPredicate::OLT, x, real(-88), real(-88), x);
    bool bounded = isAtMost(op.getOperand(), 88);
    // Adding 1.5 * 2^23 rounds to the nearest integer; with the exponent's bias it then stands in the low
    // bits.
    constexpr double magic = 12582912.0 + 127;
    Value shifted = fma(x, real(1.44269504088896341), real(magic));
    if (!bounded)
      shifted = select(arith::CmpFPredicate::OLT, shifted, real(magic + 127), shifted, real(magic + 127));
    Value n = arith::SubFOp::create(rewriter, loc, shifted, real(magic));
    Value r = fma(n, real(-0.693359375), x);
    r = fma(n, real(2.12194440e-4), r);
    Value p = real(1.9875691500e-4);
    for (double coefficient :
         {1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1})
      p = fma(p, r, real(coefficient));
    Value square = arith::MulFOp::create(rewriter, loc, r, r);
    Value y = arith::AddFOp::create(rewriter, loc, fma(p, square, r), real(1));
    Value exponent = arith::ShLIOp::create(
        rewriter, loc, arith::BitcastOp::create(rewriter, loc, bits, shifted), constant(bits, 23));
    Value power = arith::BitcastOp::create(rewriter, loc, type, exponent);
    Value result = arith::MulFOp::create(rewriter, loc, y, power);
    if (!bounded)
      result = select(arith::CmpFPredicate::OGT, x, real(88.722835),
                      real(std::numeric_limits<double>::infinity()), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// A minimum or maximum with a constant is one comparison: a NaN compares as neither and stays. Zeros of both
/// signs compare as equal, so a bound of zero must be the one that the op prefers less.
template <typename Op> struct ExpandBound : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    constexpr bool isMinimum = std::is_same_v<Op, arith::MinimumFOp>;
    std::optional<APFloat> bound = constantOf(op.getRhs());
    if (!bound || bound->isNaN() || (bound->isZero() && bound->isNegative() == isMinimum))
      return failure();
    auto predicate = isMinimum ? arith::CmpFPredicate::OLT : arith::CmpFPredicate::OGT;
    Value beyond = arith::CmpFOp::create(rewriter, op.getLoc(), predicate, op.getRhs(), op.getLhs());
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, beyond, op.getRhs(), op.getLhs());
    return success();
  }
};

/// tanh(x) = sign(x) (1 - 2 / (exp(2 |x|) + 1)), which is good to a rounding where gates saturate; near zero,
/// where it cancels, the odd polynomial of Cephes' tanhf.
struct ExpandTanh : OpRewritePattern<math::TanhOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::TanhOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return failure();
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    auto real = [&](double value) -> Value {
      TypedAttr attribute = rewriter.getF32FloatAttr(float(value));
      if (auto vector = dyn_cast<VectorType>(type))
        attribute = DenseElementsAttr::get(vector, Attribute(attribute));
      return arith::ConstantOp::create(builder, attribute);
    };
    Value x = op.getOperand(), size = math::AbsFOp::create(builder, x);
    Value square = arith::MulFOp::create(builder, size, size);
    Value p = real(-5.70498872745e-3);
    for (double coefficient : {2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1})
      p = math::FmaOp::create(builder, p, square, real(coefficient));
    Value small = math::FmaOp::create(builder, arith::MulFOp::create(builder, p, square), size, size);
    Value power = math::ExpOp::create(builder, arith::AddFOp::create(builder, size, size));
    Value rest = arith::DivFOp::create(builder, real(2), arith::AddFOp::create(builder, power, real(1)));
    Value large = arith::SubFOp::create(builder, real(1), rest);
    Value isSmall = arith::CmpFOp::create(builder, arith::CmpFPredicate::OLT, size, real(0.625));
    Value magnitude = arith::SelectOp::create(builder, isSmall, small, large);
    rewriter.replaceOpWithNewOp<math::CopySignOp>(op, magnitude, x);
    return success();
  }
};

/// exp2(x) = exp(x ln 2).
struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    TypedAttr ln2 = rewriter.getFloatAttr(getElementTypeOrSelf(type), 0.69314718055994531);
    if (auto vector = dyn_cast<VectorType>(type))
      ln2 = DenseElementsAttr::get(vector, Attribute(ln2));
    Value factor = arith::ConstantOp::create(rewriter, op.getLoc(), ln2);
    Value scaled = arith::MulFOp::create(rewriter, op.getLoc(), op.getOperand(), factor);
    rewriter.replaceOpWithNewOp<math::ExpOp>(op, scaled);
    return success();
  }
};

} // namespace

LogicalResult linmu::cpu::expandMath(Operation *root) {
  MLIRContext *context = root->getContext();
  // First, while minima are still ops that tell a bound.
  RewritePatternSet exponentials(context);
  exponentials.add<ExpandExp, ExpandExp2, ExpandTanh>(context);
  if (failed(applyPatternsGreedily(root, std::move(exponentials))))
    return failure();
  RewritePatternSet patterns(context);
  patterns
      .add<ExpandExp, ExpandExp2, ExpandTanh, ExpandBound<arith::MinimumFOp>, ExpandBound<arith::MaximumFOp>>(
          context, /*benefit=*/10);
  populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions());
  math::populateExpansionPatterns(patterns, {"powf", "rsqrt", "sinh", "cosh", "tan", "ceilf", "roundeven"});
  arith::populateArithExpandOpsPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  return applyPatternsGreedily(root, std::move(patterns));
}
