// Products by mma.sync.
#include "compiler/target/cuda/registers/ProductForm.h"
#include "compiler/target/cuda/threads/Lowering.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace {
/// An operand in the precision of f32 as two of tf32: `high` has the ten highest bits of the mantissa, `low`
/// what they leave.
struct Halves {
  Value high, low;
};
} // namespace

static Halves splitPart(Thread &thread, Value vector) {
  auto type = cast<VectorType>(vector.getType());
  auto bitsType = VectorType::get(type.getShape(), thread.getI32Type());
  Value bits = arith::BitcastOp::create(thread, bitsType, vector);
  Value mask = arith::ConstantOp::create(thread, DenseElementsAttr::get(bitsType, APInt(32, 0xffffe000u)));
  Value high = arith::BitcastOp::create(thread, type, arith::AndIOp::create(thread, bits, mask));
  // What is infinite leaves nothing, not infinity less infinity.
  Value low = arith::SubFOp::create(thread, vector, high);
  Value size = math::AbsFOp::create(thread, vector);
  Value infinity =
      arith::ConstantOp::create(thread, DenseElementsAttr::get(type, APFloat::getInf(APFloat::IEEEsingle())));
  Value finite = arith::CmpFOp::create(thread, arith::CmpFPredicate::ONE, size, infinity);
  Value zero = arith::ConstantOp::create(thread, DenseElementsAttr::get(type, APFloat(0.0f)));
  return {high, arith::SelectOp::create(thread, finite, low, zero)};
}

static Halves split(Thread &thread, Value vector) {
  SmallVector<Value> high, low;
  thread.inParts(cast<VectorType>(vector.getType()), [&](int64_t first, int64_t count) {
    Halves halves = splitPart(thread, thread.slice(vector, first, count));
    high.push_back(halves.high);
    low.push_back(halves.low);
    return halves.high;
  });
  return {thread.assemble(high), thread.assemble(low)};
}

LogicalResult linmu::cuda::lowerDot(Thread &thread, tile::DotOp dot) {
  Type element = dot.getLhs().getType().getElementType();
  bool isF32 = element.isF32();
  int64_t inner = dot.getLhs().getType().getDimSize(dot.getTransposeLhs() ? 0 : 1);
  int64_t steps = inner / (isF32 ? 8 : 16);
  int64_t sizeOfA = isF32 ? 4 : 8, sizeOfB = isF32 ? 2 : 4;
  auto resultType = cast<VectorType>(registersFor(dot.getResult().getType()));
  Value lhs = thread.held.lookup(dot.getLhs()), rhs = thread.held.lookup(dot.getRhs());
  if (isSwapped(dot))
    std::swap(lhs, rhs);
  Value sums =
      dot.getInit()
          ? thread.held.lookup(dot.getInit())
          : Value(arith::ConstantOp::create(thread, DenseElementsAttr::get(resultType, APFloat(0.0f))));

  // Small terms first.
  SmallVector<std::pair<Value, Value>> terms{{lhs, rhs}};
  if (isF32) {
    Halves a = split(thread, lhs), b = split(thread, rhs);
    terms = {{a.low, b.high}, {a.high, b.low}, {a.high, b.high}};
  }
  int64_t rows = cast<VectorType>(lhs.getType()).getNumElements() / (sizeOfA * steps);
  int64_t columns = cast<VectorType>(rhs.getType()).getNumElements() / (sizeOfB * steps);
  SmallVector<Value> results;
  for (int64_t first = 0; first < resultType.getNumElements(); first += 4)
    results.push_back(thread.slice(sums, first, 4));
  for (auto [a, b] : terms)
    for (int64_t k = 0; k < steps; ++k)
      for (int64_t m = 0; m < rows; ++m)
        for (int64_t n = 0; n < columns; ++n) {
          Value &sum = results[m * columns + n];
          sum = MmaOp::create(thread, sum.getType(), thread.slice(a, (m * steps + k) * sizeOfA, sizeOfA),
                              thread.slice(b, (n * steps + k) * sizeOfB, sizeOfB), sum);
        }
  thread.held.map(dot.getResult(), thread.assemble(results));
  return success();
}
