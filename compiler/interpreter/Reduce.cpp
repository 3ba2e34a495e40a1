// reduce and inner_product: sums of elements, each added where it belongs.
#include "compiler/interpreter/Evaluation.h"
#include <numeric>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

/// Calls body(index) for every index of a shape, in order.
static void forEachIndex(ArrayRef<std::int64_t> shape,
                         llvm::function_ref<void(ArrayRef<std::int64_t>)> body) {
  if (llvm::is_contained(shape, 0))
    return;
  std::vector<std::int64_t> index(shape.size(), 0);
  for (;;) {
    body(index);
    std::size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1])
      index[--axis] = 0;
    if (axis == 0)
      return;
  }
}

static double &elementAt(HostTensor &tensor, ArrayRef<std::int64_t> index) {
  std::int64_t place = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis)
    place = place * tensor.shape[axis] + index[axis];
  return tensor.elements[place];
}

/// The result's type with the dynamic extents of a source.
static HostTensor zerosLike(RankedTensorType type, const HostTensor &source) {
  HostTensor result{source.dtype, type.getShape().vec(), {}};
  for (std::size_t axis = 0; axis < result.shape.size(); ++axis)
    if (type.isDynamicDim(axis))
      result.shape[axis] = source.shape[axis];
  std::int64_t count =
      std::accumulate(result.shape.begin(), result.shape.end(), std::int64_t(1), std::multiplies());
  result.elements.assign(count, 0.0);
  return result;
}

FailureOr<HostTensor> interpreter::evaluate(pattern::ReduceOp op, const Values &values, const Call &) {
  auto type = cast<RankedTensorType>(op.getType());
  pattern::Kind to = pattern::kindOf(type);
  HostTensor result = zerosLike(type, values.at(op.getSources().front()));
  // The type of a source says nothing of that of the result.
  result.dtype = type.getElementType().isF32()    ? DType::f32
                 : type.getElementType().isBF16() ? DType::bf16
                                                  : DType::f16;
  bool headless = to == pattern::Kind::tokens && type.getRank() == 2;
  for (Value operand : op.getSources()) {
    const HostTensor &source = values.at(operand);
    std::size_t heads =
        pattern::kindOf(cast<RankedTensorType>(operand.getType())) == pattern::Kind::tokens ? 2 : 1;
    std::size_t element = 0;
    forEachIndex(source.shape, [&](ArrayRef<std::int64_t> index) {
      std::vector<std::int64_t> at(index.begin(), index.end());
      if (headless) {
        at.resize(2);
      } else {
        std::int64_t own = type.getDimSize(to == pattern::Kind::param ? 0 : heads);
        at[heads] /= source.shape[heads] / own;
        if (to == pattern::Kind::param)
          at.erase(at.begin());
      }
      elementAt(result, at) += source.elements[element++];
    });
  }
  return result;
}

FailureOr<HostTensor> interpreter::evaluate(pattern::InnerProductOp op, const Values &values, const Call &) {
  const HostTensor &lhs = values.at(op.getLhs()), &rhs = values.at(op.getRhs());
  HostTensor result = zerosLike(cast<RankedTensorType>(op.getType()), lhs);
  std::size_t element = 0;
  forEachIndex(lhs.shape, [&](ArrayRef<std::int64_t> index) {
    std::vector<std::int64_t> at(index.begin(), index.begin() + 2);
    for (std::size_t axis = 2; axis < index.size(); ++axis)
      if (!llvm::is_contained(op.getAxes(), std::int64_t(axis - 2)))
        at.push_back(index[axis]);
    elementAt(result, at) += lhs.elements[element] * rhs.elements[element];
    ++element;
  });
  return result;
}
