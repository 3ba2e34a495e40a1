// Products by mma.sync.
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

static Halves split(Thread &thread, Value vector) {
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

namespace {
/// The fragments of one operand.
struct Fragments {
  Fragments(Thread &thread, Value vector, int64_t size) : thread(thread), vector(vector), size(size) {}
  Value operator[](int64_t number) {
    Value &known = made[number];
    if (!known) {
      if (size == cast<VectorType>(vector.getType()).getNumElements())
        return known = vector;
      known = mlir::vector::ExtractStridedSliceOp::create(thread, vector, ArrayRef<int64_t>{number * size},
                                                          ArrayRef<int64_t>{size}, ArrayRef<int64_t>{1});
    }
    return known;
  }
  int64_t count() const { return cast<VectorType>(vector.getType()).getNumElements() / size; }

  Thread &thread;
  Value vector;
  int64_t size;
  DenseMap<int64_t, Value> made;
};
} // namespace

LogicalResult linmu::cuda::lowerDot(Thread &thread, tile::DotOp dot) {
  Type element = dot.getLhs().getType().getElementType();
  bool isF32 = element.isF32();
  int64_t inner = dot.getLhs().getType().getDimSize(dot.getTransposeLhs() ? 0 : 1);
  int64_t steps = inner / (isF32 ? 8 : 16);
  int64_t sizeOfA = isF32 ? 4 : 8, sizeOfB = isF32 ? 2 : 4;
  auto resultType = cast<VectorType>(registersFor(dot.getResult().getType()));
  Value lhs = thread.held.lookup(dot.getLhs()), rhs = thread.held.lookup(dot.getRhs());
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
  Fragments accumulators(thread, sums, 4);
  SmallVector<Value> results;
  for (int64_t i = 0; i < accumulators.count(); ++i)
    results.push_back(accumulators[i]);
  for (auto [left, right] : terms) {
    Fragments a(thread, left, sizeOfA), b(thread, right, sizeOfB);
    for (int64_t k = 0; k < steps; ++k)
      for (int64_t m = 0; m < rows; ++m)
        for (int64_t n = 0; n < columns; ++n) {
          Value &sum = results[m * columns + n];
          sum = MmaOp::create(thread, sum.getType(), a[m * steps + k], b[n * steps + k], sum);
        }
  }
  Value result = results.front();
  if (results.size() > 1) {
    result = sums;
    for (auto [index, part] : llvm::enumerate(results))
      result = vector::InsertStridedSliceOp::create(
          thread, part, result, ArrayRef<int64_t>{int64_t(index) * 4}, ArrayRef<int64_t>{1});
  }
  thread.held.map(dot.getResult(), result);
  return success();
}
