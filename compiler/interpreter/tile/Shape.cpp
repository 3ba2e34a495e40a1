// Shapes of tiles, reductions and running sums and products.
#include "compiler/interpreter/tile/Block.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>
#include <stdexcept>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::interpreter {

/// Pairs each element of a slice with its element of the whole, both in row-major order.
template <typename SliceOp, typename Pair>
void Block::sliced(SliceOp op, const std::vector<std::int64_t> &whole, Pair pair) const {
  std::vector<std::int64_t> offsets, strides;
  for (OpFoldResult offset : op.getMixedOffsets())
    offsets.push_back(isa<Value>(offset) ? integer(cast<Value>(offset)) : *getConstantIntValue(offset));
  ArrayRef<std::int64_t> sizes = op.getStaticSizes();
  for (size_t axis = 0; axis < whole.size(); ++axis)
    if (offsets[axis] < 0 || offsets[axis] + sizes[axis] > whole[axis])
      throw std::runtime_error("a slice at " + std::to_string(offsets[axis]) + " of " +
                               std::to_string(sizes[axis]) + " is outside an extent of " +
                               std::to_string(whole[axis]));
  std::int64_t columns = sizes.size() > 1 ? sizes[1] : 1, width = whole.size() > 1 ? whole[1] : 1;
  for (std::int64_t i = 0; i < sizes[0]; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      pair(i * columns + j, (offsets[0] + i) * width + (sizes.size() > 1 ? offsets[1] : 0) + j);
}

bool Block::runShape(Operation &op) {
  if (auto coordinate = dyn_cast<tile::CoordinateOp>(op)) {
    StepValue result = shaped(coordinate.getType());
    std::int64_t columns = result.shape.back();
    for (size_t i = 0; i < result.elements.size(); ++i)
      result.elements[i] =
          double(coordinate.getAxis() + 1 == std::uint64_t(result.shape.size()) ? i % columns : i / columns);
    set(coordinate, result);
  } else if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    StepValue result = shaped(broadcast.getType());
    const StepValue &source = get(broadcast.getSource());
    std::int64_t columns = result.shape.empty() ? 1 : result.shape.back();
    for (size_t i = 0; i < result.elements.size(); ++i)
      result.elements[i] = source.elements[source.shape.empty()        ? 0
                                           : *broadcast.getAxis() == 0 ? i / columns
                                                                       : i % columns];
    set(broadcast, result);
  } else if (auto extract = dyn_cast<tile::ExtractOp>(op)) {
    StepValue result = shaped(extract.getType());
    const StepValue &source = get(extract.getSource());
    std::int64_t size = result.elements.size(), index = integer(extract.getIndex());
    if (index < 0 || index >= source.shape[0])
      throw std::runtime_error("tile.extract is out of bounds");
    for (std::int64_t i = 0; i < size; ++i)
      result.elements[i] = source.elements[index * size + i];
    set(extract, result);
  } else if (auto transpose = dyn_cast<tile::TransposeOp>(op)) {
    StepValue result = shaped(transpose.getType());
    for (std::int64_t i = 0; i < result.shape[0]; ++i)
      for (std::int64_t j = 0; j < result.shape[1]; ++j)
        result.at(i, j) = get(transpose.getSource()).at(j, i);
    set(transpose, result);
  } else if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    StepValue source = get(reduce.getSource()), result = shaped(reduce.getType());
    std::vector<bool> started(result.elements.size());
    std::int64_t columns = source.shape.back();
    for (size_t i = 0; i < source.elements.size(); ++i) {
      size_t to = source.shape.size() == 1 ? 0 : reduce.getAxis() == 0 ? i % columns : i / columns;
      double element = source.elements[i], &total = result.elements[to];
      total = !started[to]                                ? element
              : reduce.getKind() == tile::ReduceKind::add ? total + element
              : reduce.getKind() == tile::ReduceKind::max ? std::fmax(total, element)
                                                          : std::fmin(total, element);
      started[to] = true;
    }
    set(reduce, result);
  } else if (auto cumsum = dyn_cast<tile::CumsumOp>(op)) {
    const StepValue source = get(cumsum.getSource());
    StepValue result = source;
    std::int64_t width = source.elements.size() / source.shape[0], rows = source.shape[0];
    for (std::int64_t column = 0; column < width; ++column) {
      double sum = 0;
      for (std::int64_t step = 0; step < rows; ++step) {
        size_t at = (cumsum.getReversed() ? rows - 1 - step : step) * width + column;
        double before = sum;
        sum += source.elements[at];
        result.elements[at] = cumsum.getExclusive() ? before : sum;
      }
    }
    set(cumsum.getSum(), result);
    set(cumsum.getError(), StepValue::filled(result.shape, 0));
  } else if (auto cumprod = dyn_cast<tile::CumprodOp>(op)) {
    const StepValue source = get(cumprod.getSource());
    StepValue result = source;
    std::int64_t width = source.elements.size() / source.shape[0], rows = source.shape[0];
    std::int64_t every = cumprod.getEvery().value_or(rows);
    for (std::int64_t column = 0; column < width; ++column)
      for (std::int64_t first = 0; first < rows; first += every) {
        double product = 1;
        std::int64_t count = std::min(every, rows - first);
        for (std::int64_t step = 0; step < count; ++step) {
          size_t at = (first + (cumprod.getReversed() ? count - 1 - step : step)) * width + column;
          double before = product;
          product *= source.elements[at];
          result.elements[at] = cumprod.getExclusive() ? before : product;
        }
      }
    set(cumprod, result);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    StepValue result = shaped(slice.getType());
    const StepValue source = get(slice.getSource());
    sliced(slice, source.shape,
           [&](std::int64_t part, std::int64_t whole) { result.elements[part] = source.elements[whole]; });
    set(slice, result);
  } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    StepValue result = get(insert.getDest());
    const StepValue source = get(insert.getSource());
    sliced(insert, result.shape,
           [&](std::int64_t part, std::int64_t whole) { result.elements[whole] = source.elements[part]; });
    set(insert, result);
  } else {
    return false;
  }
  return true;
}

} // namespace linmu::interpreter
