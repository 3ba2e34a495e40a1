#include "runtime/core/launch_frame.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <array>
#include <string>

namespace linmu {

bool usesTemporaries(const Variant &variant) {
  return std::any_of(variant.launches.begin(), variant.launches.end(), [](const Launch &launch) {
    return std::any_of(launch.operands.begin(), launch.operands.end(),
                       [](const Binding &binding) { return binding.kind == Binding::temporary; });
  });
}

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
  offsets_.clear();
  temporary_bytes_ = 0;
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
  first_temporary_ = descriptors_.size();
  if (!package.temporaries.empty())
    appendTemporaries(package, symbols);
}

namespace {

[[noreturn]] void failMemory(const Package &package, const Symbols &symbols, const std::string &bytes) {
  throw Error(ErrorCode::io, "pattern '" + package.signature.name + "': cannot allocate " + bytes +
                                 " bytes of temporaries for B=" + std::to_string(symbols.batch) +
                                 ", N=" + std::to_string(symbols.tokens));
}

} // namespace

void LaunchFrame::appendTemporaries(const Package &package, const Symbols &symbols) {
  constexpr std::int64_t alignment = temporary_alignment;
  bool overflow = false;
  for (const Temporary &temporary : package.temporaries) {
    std::int64_t bytes = linmu::sizeOf(temporary.dtype);
    for (ExpressionId extent : temporary.shape)
      overflow |= __builtin_mul_overflow(bytes, valueOf(extent), &bytes);
    offsets_.push_back(temporary_bytes_);
    overflow |= bytes > INT64_MAX - alignment ||
                __builtin_add_overflow(temporary_bytes_, (bytes + alignment - 1) / alignment * alignment,
                                       &temporary_bytes_);
  }
  if (overflow)
    failMemory(package, symbols, "more than 2^63");
  for (const Temporary &temporary : package.temporaries) {
    const std::vector<ExpressionId> &shape = temporary.shape;
    std::array<std::int64_t, TensorView::maxRank> sizes{}, strides{};
    std::int64_t stride = 1;
    for (int axis = int(shape.size()) - 1; axis >= 0; --axis) {
      sizes[axis] = valueOf(shape[axis]);
      strides[axis] = stride;
      stride *= sizes[axis];
    }
    append(nullptr, int(shape.size()), sizes.data(), strides.data());
  }
}

void LaunchFrame::placeTemporaries(std::byte *memory) {
  for (std::size_t i = 0; i < offsets_.size(); ++i) {
    std::int64_t *descriptor = &words_[descriptors_[first_temporary_ + i]];
    descriptor[0] = descriptor[1] = reinterpret_cast<std::int64_t>(memory + offsets_[i]);
  }
}

void LaunchFrame::useOwnMemory(const Package &package, const Symbols &symbols) {
  if (temporary_bytes_ == 0)
    return;
  std::byte *memory = memory_.require(temporary_bytes_);
  if (!memory)
    failMemory(package, symbols, std::to_string(temporary_bytes_));
  placeTemporaries(memory);
}

std::int64_t LaunchFrame::blocksOf(const Launch &launch) const {
  std::int64_t blocks = 1;
  for (ExpressionId extent : launch.grid)
    if (__builtin_mul_overflow(blocks, valueOf(extent), &blocks))
      return INT64_MAX;
  return blocks;
}

std::span<std::int64_t> LaunchFrame::descriptorOf(const Package &package, const Binding &binding) {
  std::size_t slot = binding.index + (binding.kind == Binding::input    ? 0
                                      : binding.kind == Binding::result ? package.signature.inputs.size()
                                                                        : first_temporary_);
  std::size_t begin = descriptors_[slot];
  std::size_t end = slot + 1 < descriptors_.size() ? descriptors_[slot + 1] : words_.size();
  return std::span(words_).subspan(begin, end - begin);
}

void LaunchFrame::fillGrid(const Launch &launch) {
  grid_.fill(1);
  for (std::size_t dimension = 0; dimension < launch.grid.size(); ++dimension)
    grid_[dimension] = valueOf(launch.grid[dimension]);
}

void *const *LaunchFrame::arguments(const Package &package, const Launch &launch) {
  arguments_.clear();
  for (const Binding &binding : launch.operands)
    arguments_.push_back(binding.kind == Binding::expression ? &values_[binding.index]
                                                             : descriptorOf(package, binding).data());
  fillGrid(launch);
  arguments_.push_back(grid_.data());
  return arguments_.data();
}

std::span<std::int64_t> LaunchFrame::words(const Package &package, const Launch &launch) {
  launch_words_.clear();
  for (const Binding &binding : launch.operands) {
    if (binding.kind == Binding::expression) {
      launch_words_.push_back(values_[binding.index]);
      continue;
    }
    // A descriptor is the address twice and an offset of 0, then the sizes and the strides.
    std::span<std::int64_t> descriptor = descriptorOf(package, binding);
    launch_words_.push_back(descriptor[0]);
    launch_words_.insert(launch_words_.end(), descriptor.begin() + 3, descriptor.end());
  }
  fillGrid(launch);
  launch_words_.insert(launch_words_.end(), grid_.begin(), grid_.end());
  return launch_words_;
}

} // namespace linmu
