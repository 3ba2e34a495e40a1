#include "runtime/core/memory_check.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace linmu {

namespace {

/// The addresses from a view's first byte to past its last; equal where it has no elements.
struct Range {
  std::uintptr_t begin = 0, end = 0;
  bool meets(const Range &other) const { return begin < other.end && other.begin < end; }
};

/// False where the view leaves the address space.
bool rangeOf(const TensorView &view, Range &range) {
  std::int64_t below = 0, above = 0, bytes = sizeOf(view.dtype);
  bool overflow = false;
  for (int axis = 0; axis < view.rank; ++axis) {
    if (view.sizes[axis] == 0) {
      range = {};
      return true;
    }
    std::int64_t reach = 0;
    overflow |= __builtin_mul_overflow(view.sizes[axis] - 1, view.strides[axis], &reach);
    std::int64_t &side = reach < 0 ? below : above;
    overflow |= __builtin_add_overflow(side, reach, &side);
  }
  overflow |= __builtin_mul_overflow(below, bytes, &below);
  overflow |= __builtin_mul_overflow(above, bytes, &above) || __builtin_add_overflow(above, bytes, &above);
  auto address = reinterpret_cast<std::uintptr_t>(view.data);
  overflow |= __builtin_sub_overflow(address, std::uintptr_t(0) - std::uintptr_t(below), &range.begin);
  overflow |= __builtin_add_overflow(address, std::uintptr_t(above), &range.end);
  return !overflow;
}

/// The same set of bytes as runs of `run` bytes at all sums of multiples of the strides, which fall.
struct Runs {
  struct Axis {
    std::int64_t stride, size;
  };
  std::array<Axis, TensorView::maxRank> axes;
  std::array<std::int64_t, TensorView::maxRank + 1> spans; ///< bytes that the axes from here on cover
  int count = 0;
  std::int64_t run = 0;

  explicit Runs(const TensorView &view) : run(sizeOf(view.dtype)) {
    const std::int64_t bytes = run;
    for (int axis = 0; axis < view.rank; ++axis)
      if (view.sizes[axis] > 1 && view.strides[axis] != 0)
        axes[count++] = {std::abs(view.strides[axis]) * bytes, view.sizes[axis]};
    std::sort(axes.begin(), axes.begin() + count, [](Axis a, Axis b) { return a.stride < b.stride; });
    int kept = 0;
    for (int axis = 0; axis < count; ++axis) {
      if (kept == 0 && axes[axis].stride == run)
        run *= axes[axis].size;
      else if (kept > 0 && axes[axis].stride == axes[kept - 1].stride * axes[kept - 1].size)
        axes[kept - 1].size *= axes[axis].size;
      else
        axes[kept++] = axes[axis];
    }
    count = kept;
    std::reverse(axes.begin(), axes.begin() + count);
    spans[count] = run;
    for (int axis = count - 1; axis >= 0; --axis)
      spans[axis] = spans[axis + 1] + (axes[axis].size - 1) * axes[axis].stride;
  }
};

std::int64_t floorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

/// Whether the axes of `a` from i on and those of `b` from j on, which begins `offset` bytes later, have a
/// byte in common. Exact, except that views of unlike strides whose rows meet in very many ways count as
/// meeting once `budget` is spent.
bool meet(const Runs &a, int i, const Runs &b, int j, std::int64_t offset, int &budget) {
  if (offset >= a.spans[i] || offset <= -b.spans[j])
    return false;
  if ((i == a.count && j == b.count) || --budget < 0)
    return true;
  std::int64_t stride = std::max(i < a.count ? a.axes[i].stride : 0, j < b.count ? b.axes[j].stride : 0);
  std::int64_t a_rows = 1, b_rows = 1;
  if (i < a.count && a.axes[i].stride == stride)
    a_rows = a.axes[i++].size;
  if (j < b.count && b.axes[j].stride == stride)
    b_rows = b.axes[j++].size;
  // Row p of a and row q of b with p - q = ahead: only those few whose spans meet.
  std::int64_t from = std::max(1 - b_rows, floorDivide(offset - a.spans[i], stride) + 1);
  std::int64_t to = std::min(a_rows - 1, -floorDivide(-offset - b.spans[j], stride) - 1);
  for (std::int64_t ahead = from; ahead <= to; ++ahead)
    if (meet(a, i, b, j, offset - ahead * stride, budget))
      return true;
  return false;
}

bool shareMemory(const TensorView &a, const Range &a_range, const TensorView &b, const Range &b_range) {
  int budget = 4096;
  return meet(Runs(a), 0, Runs(b), 0, std::int64_t(b_range.begin - a_range.begin), budget);
}

/// False only where every element has a place of its own: each stride reaches past all that smaller ones
/// cover.
bool mayCoincide(const TensorView &view) {
  std::array<std::pair<std::int64_t, std::int64_t>, TensorView::maxRank> axes; // stride, size
  int count = 0;
  bool sorted = true;
  for (int axis = view.rank - 1; axis >= 0; --axis)
    if (view.sizes[axis] > 1) {
      axes[count] = {std::abs(view.strides[axis]), view.sizes[axis]};
      sorted = sorted && (count == 0 || axes[count - 1].first <= axes[count].first);
      ++count;
    }
  if (!sorted)
    std::sort(axes.begin(), axes.begin() + count);
  std::int64_t covered = 1;
  for (int axis = 0; axis < count; ++axis) {
    if (axes[axis].first < covered)
      return true;
    covered += axes[axis].first * (axes[axis].second - 1);
  }
  return false;
}

bool sameElements(const TensorView &a, const TensorView &b) {
  if (a.data != b.data || a.rank != b.rank || a.dtype != b.dtype)
    return false;
  for (int axis = 0; axis < a.rank; ++axis)
    if (a.sizes[axis] != b.sizes[axis] || (a.sizes[axis] > 1 && a.strides[axis] != b.strides[axis]))
      return false;
  return true;
}

std::string listed(const std::array<std::int64_t, TensorView::maxRank> &numbers, int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::to_string(numbers[std::size_t(i)]);
  return text + "]";
}

[[noreturn]] void fail(const Signature &signature, bool input, std::size_t index, const std::string &expected,
                       const std::string &actual) {
  throw Error(ErrorCode::invalidArgument, std::string(input ? "operand '" : "result '") +
                                              (input ? signature.inputs : signature.results)[index].name +
                                              "' of pattern '" + signature.name + "': expected " + expected +
                                              ", got " + actual);
}

} // namespace

void checkMemory(const Signature &signature, std::span<const TensorView> inputs,
                 std::span<const TensorView> results) {
  thread_local std::vector<Range> ranges; // of the inputs, then of the results
  ranges.resize(inputs.size() + results.size());
  Range *of_input = ranges.data(), *of_result = of_input + inputs.size();
  auto measure = [&](const TensorView &view, Range &range, bool input, std::size_t index) {
    if (!rangeOf(view, range))
      fail(signature, input, index, "a tensor inside the address space",
           "strides " + listed(view.strides, view.rank) + " for shape " + listed(view.sizes, view.rank));
  };
  for (std::size_t i = 0; i < inputs.size(); ++i)
    measure(inputs[i], of_input[i], true, i);
  for (std::size_t r = 0; r < results.size(); ++r) {
    const TensorView &result = results[r];
    measure(result, of_result[r], false, r);
    if (of_result[r].begin == of_result[r].end)
      continue;
    if (mayCoincide(result))
      fail(signature, false, r, "strides that keep its elements apart",
           listed(result.strides, result.rank) + " for shape " + listed(result.sizes, result.rank));
    const OperandSpec &spec = signature.results[r];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!of_input[i].meets(of_result[r]))
        continue;
      bool in_place = spec.in_place_of == i;
      if (in_place && sameElements(inputs[i], result))
        continue;
      if (shareMemory(inputs[i], of_input[i], result, of_result[r]))
        fail(signature, false, r,
             in_place ? "memory of its own or exactly that of operand '" + signature.inputs[i].name + "'"
                      : "memory of its own",
             "an overlap with operand '" + signature.inputs[i].name + "'");
    }
    for (std::size_t other = 0; other < r; ++other)
      if (of_result[other].meets(of_result[r]) &&
          shareMemory(results[other], of_result[other], result, of_result[r]))
        fail(signature, false, r, "memory of its own",
             "an overlap with result '" + signature.results[other].name + "'");
  }
}

} // namespace linmu
