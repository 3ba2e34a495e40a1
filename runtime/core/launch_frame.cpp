#include "runtime/core/launch_frame.h"
#include "runtime/core/error.h"
#include <array>
#include <string>

namespace linmu {

LaunchFrame &LaunchFrame::ofThisThread() {
  thread_local LaunchFrame frame;
  return frame;
}

void LaunchFrame::append(void *data, int rank, const std::int64_t *sizes, const std::int64_t *strides) {
  descriptors_.push_back(words_.size());
  auto address = reinterpret_cast<std::int64_t>(data);
  words_.insert(words_.end(), {address, address, 0});
  words_.insert(words_.end(), sizes, sizes + rank);
  words_.insert(words_.end(), strides, strides + rank);
}

void LaunchFrame::fill(const Package &package, const Symbols &symbols, std::span<const TensorView> inputs,
                       std::span<const TensorView> results) {
  words_.clear();
  descriptors_.clear();
  values_.clear();
  for (const Expression &expression : package.expressions)
    values_.push_back(expression.evaluate(symbols));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    TensorView view = inputs[i];
    for (int axis = 0; axis < view.rank; ++axis)
      if (package.signature.inputs[i].shape[axis].kind == Extent::batch && view.sizes[axis] == 1) {
        view.sizes[axis] = symbols.batch;
        view.strides[axis] = 0;
      }
    append(view.data, view.rank, view.sizes.data(), view.strides.data());
  }
  for (const TensorView &view : results)
    append(view.data, view.rank, view.sizes.data(), view.strides.data());
  if (!package.temporaries.empty())
    appendTemporaries(package, symbols);
}

void LaunchFrame::appendTemporaries(const Package &package, const Symbols &symbols) {
  offsets_.clear();
  std::int64_t total = 0;
  bool overflow = false;
  for (const Temporary &temporary : package.temporaries) {
    std::int64_t bytes = linmu::sizeOf(temporary.dtype);
    for (ExpressionId extent : temporary.shape)
      overflow |= __builtin_mul_overflow(bytes, valueOf(extent), &bytes);
    offsets_.push_back(total);
    overflow |= bytes > INT64_MAX - 64 || __builtin_add_overflow(total, (bytes + 63) / 64 * 64, &total);
  }
  std::byte *memory = overflow ? nullptr : memory_.require(total);
  if (!memory && (overflow || total > 0))
    throw Error(ErrorCode::io, "pattern '" + package.signature.name + "': cannot allocate " +
                                   (overflow ? "more than 2^63" : std::to_string(total)) +
                                   " bytes of temporaries for B=" + std::to_string(symbols.batch) +
                                   ", N=" + std::to_string(symbols.tokens));
  for (std::size_t i = 0; i < package.temporaries.size(); ++i) {
    const std::vector<ExpressionId> &shape = package.temporaries[i].shape;
    std::array<std::int64_t, TensorView::maxRank> sizes{}, strides{};
    std::int64_t stride = 1;
    for (int axis = int(shape.size()) - 1; axis >= 0; --axis) {
      sizes[axis] = valueOf(shape[axis]);
      strides[axis] = stride;
      stride *= sizes[axis];
    }
    append(memory + offsets_[i], int(shape.size()), sizes.data(), strides.data());
  }
}

std::int64_t LaunchFrame::blocksOf(const Launch &launch) const {
  std::int64_t blocks = 1;
  for (ExpressionId extent : launch.grid)
    if (__builtin_mul_overflow(blocks, valueOf(extent), &blocks))
      return INT64_MAX;
  return blocks;
}

void *const *LaunchFrame::arguments(const Package &package, const Launch &launch) {
  std::size_t inputs = package.signature.inputs.size(), results = package.signature.results.size();
  arguments_.clear();
  for (const Binding &binding : launch.operands) {
    if (binding.kind == Binding::expression) {
      arguments_.push_back(&values_[binding.index]);
      continue;
    }
    std::size_t slot = binding.index + (binding.kind == Binding::input    ? 0
                                        : binding.kind == Binding::result ? inputs
                                                                          : inputs + results);
    arguments_.push_back(&words_[descriptors_[slot]]);
  }
  grid_.fill(1);
  for (std::size_t dimension = 0; dimension < launch.grid.size(); ++dimension)
    grid_[dimension] = valueOf(launch.grid[dimension]);
  arguments_.push_back(grid_.data());
  return arguments_.data();
}

} // namespace linmu
