// StepOp for integer ops, comparisons and conversions: their values on every operand (docs/patterns.md).
#include "dialects/pattern/StepModels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace linmu::pattern;

namespace {

/// Whole numbers and truth values have no derivative.
struct Stepwise {
  SmallVector<Value> vjp(Operation *op, StepBuilder &, Value) const {
    return SmallVector<Value>(op->getNumOperands());
  }
};

/// An integer of a step as signed ops see it. Values hold an i1 as 0 or 1, which signed ops take as 0 or -1.
int64_t asSigned(double value, unsigned width) { return width == 1 ? -int64_t(value) : int64_t(value); }

/// The integer modulo 2^width as a value.
double wrapped(int64_t value, unsigned width) {
  return width == 1 ? double(value & 1) : width == 32 ? double(int32_t(value)) : double(value);
}

/// Of an index as well, which tile programs compute with.
unsigned widthOf(Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
}

template <typename Op, int64_t (*function)(int64_t, int64_t)>
struct IntegerModel : StepOp::ExternalModel<IntegerModel<Op, function>, Op>, Stepwise {
  using Stepwise::vjp;
  SmallVector<unsigned> linearIn(Operation *) const { return {}; }
  StepValue evaluate(Operation *op, ArrayRef<StepValue> operands) const {
    unsigned width = widthOf(op->getResult(0));
    return elementwise(operands[0], operands[1], [&](double a, double b) {
      return wrapped(function(asSigned(a, width), asSigned(b, width)), width);
    });
  }
};

// Of 32 bits at most, sums and products fit into 64.
int64_t add(int64_t a, int64_t b) { return a + b; }
int64_t subtract(int64_t a, int64_t b) { return a - b; }
int64_t multiply(int64_t a, int64_t b) { return a * b; }
int64_t divide(int64_t a, int64_t b) { return b == 0 ? -1 : a / b; }
int64_t remainder(int64_t a, int64_t b) { return b == 0 ? a : a % b; }
int64_t bitAnd(int64_t a, int64_t b) { return a & b; }
int64_t bitOr(int64_t a, int64_t b) { return a | b; }
int64_t bitXor(int64_t a, int64_t b) { return a ^ b; }
int64_t maximum(int64_t a, int64_t b) { return std::max(a, b); }
int64_t minimum(int64_t a, int64_t b) { return std::min(a, b); }

template <typename Op, double (*function)(double value, unsigned from, unsigned to)>
struct ConversionModel : StepOp::ExternalModel<ConversionModel<Op, function>, Op>, Stepwise {
  using Stepwise::vjp;
  SmallVector<unsigned> linearIn(Operation *) const { return {}; }
  StepValue evaluate(Operation *op, ArrayRef<StepValue> operands) const {
    unsigned from = widthOf(op->getOperand(0)), to = widthOf(op->getResult(0));
    return elementwise(operands[0], [&](double value) { return function(value, from, to); });
  }
};

double fromSigned(double value, unsigned from, unsigned) { return double(asSigned(value, from)); }
double fromUnsigned(double value, unsigned from, unsigned) {
  return from == 1 ? value : double(uint32_t(int64_t(value)));
}
/// Towards zero, to the nearest integer that there is; NaN is 0.
double toSigned(double value, unsigned, unsigned to) {
  if (std::isnan(value))
    return 0;
  double low = to == 1 ? -1 : double(std::numeric_limits<int32_t>::min());
  double high = to == 1 ? 0 : double(std::numeric_limits<int32_t>::max());
  return wrapped(int64_t(std::trunc(std::clamp(value, low, high))), to);
}
double extend(double value, unsigned, unsigned) { return value; }

struct CompareFloatModel : StepOp::ExternalModel<CompareFloatModel, arith::CmpFOp>, Stepwise {
  using Stepwise::vjp;
  SmallVector<unsigned> linearIn(Operation *) const { return {}; }
  StepValue evaluate(Operation *op, ArrayRef<StepValue> operands) const {
    arith::CmpFPredicate predicate = cast<arith::CmpFOp>(op).getPredicate();
    return elementwise(operands[0], operands[1], [&](double a, double b) -> double {
      return arith::applyCmpPredicate(predicate, APFloat(a), APFloat(b));
    });
  }
};

struct CompareIntegerModel : StepOp::ExternalModel<CompareIntegerModel, arith::CmpIOp>, Stepwise {
  using Stepwise::vjp;
  SmallVector<unsigned> linearIn(Operation *) const { return {}; }
  StepValue evaluate(Operation *op, ArrayRef<StepValue> operands) const {
    arith::CmpIPredicate predicate = cast<arith::CmpIOp>(op).getPredicate();
    unsigned width = widthOf(op->getOperand(0));
    // Extended by their signs, integers keep both their orders.
    return elementwise(operands[0], operands[1], [&](double a, double b) -> double {
      return arith::applyCmpPredicate(predicate, APInt(64, asSigned(a, width), /*isSigned=*/true),
                                      APInt(64, asSigned(b, width), /*isSigned=*/true));
    });
  }
};

} // namespace

void linmu::pattern::registerIntegerStepModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    arith::CmpFOp::attachInterface<CompareFloatModel>(*context);
    arith::CmpIOp::attachInterface<CompareIntegerModel>(*context);
    arith::AddIOp::attachInterface<IntegerModel<arith::AddIOp, add>>(*context);
    arith::SubIOp::attachInterface<IntegerModel<arith::SubIOp, subtract>>(*context);
    arith::MulIOp::attachInterface<IntegerModel<arith::MulIOp, multiply>>(*context);
    arith::DivSIOp::attachInterface<IntegerModel<arith::DivSIOp, divide>>(*context);
    arith::RemSIOp::attachInterface<IntegerModel<arith::RemSIOp, remainder>>(*context);
    arith::AndIOp::attachInterface<IntegerModel<arith::AndIOp, bitAnd>>(*context);
    arith::OrIOp::attachInterface<IntegerModel<arith::OrIOp, bitOr>>(*context);
    arith::XOrIOp::attachInterface<IntegerModel<arith::XOrIOp, bitXor>>(*context);
    arith::MaxSIOp::attachInterface<IntegerModel<arith::MaxSIOp, maximum>>(*context);
    arith::MinSIOp::attachInterface<IntegerModel<arith::MinSIOp, minimum>>(*context);
    arith::SIToFPOp::attachInterface<ConversionModel<arith::SIToFPOp, fromSigned>>(*context);
    arith::UIToFPOp::attachInterface<ConversionModel<arith::UIToFPOp, fromUnsigned>>(*context);
    arith::FPToSIOp::attachInterface<ConversionModel<arith::FPToSIOp, toSigned>>(*context);
    arith::ExtUIOp::attachInterface<ConversionModel<arith::ExtUIOp, extend>>(*context);
  });
}
