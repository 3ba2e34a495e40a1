#include "compiler/interpreter/Evaluation.h"
#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace linmu;
using namespace linmu::interpreter;

Rows::Rows(const HostTensor &tensor, unsigned leading) : tensor(&tensor) {
  for (std::int64_t extent :
       ArrayRef(tensor.shape).drop_front(std::min<size_t>(leading, tensor.shape.size())))
    features *= extent;
}

static DType dtypeOf(Type element) {
  return element.isF32()         ? DType::f32
         : element.isBF16()      ? DType::bf16
         : element.isF16()       ? DType::f16
         : element.isInteger(32) ? DType::i32
                                 : DType::i1;
}

HostTensor interpreter::zeros(Type type, const Call &call) {
  auto tensor = cast<RankedTensorType>(type);
  HostTensor result{dtypeOf(tensor.getElementType()), tensor.getShape().vec(), {}};
  std::int64_t count = 1;
  for (unsigned axis = 0; axis < result.shape.size(); ++axis) {
    if (tensor.isDynamicDim(axis))
      result.shape[axis] = axis == 0 ? call.batch : call.tokens;
    count *= result.shape[axis];
  }
  result.elements.assign(count, 0);
  return result;
}

FailureOr<std::vector<MediaItem>> interpreter::mediaItems(Operation *op, const HostTensor &table,
                                                          const Call &call) {
  std::vector<MediaItem> items;
  std::vector<std::int64_t> owner(call.tokens, -1);
  for (std::int64_t row = 0; row < table.shape[0]; ++row) {
    auto at = [&](std::int64_t column) { return std::int64_t(table.elements[row * 4 + column]); };
    MediaItem item{at(0), {at(1), at(2), at(3)}};
    if (item.extents[0] < 0 || item.extents[1] < 0 || item.extents[2] < 0)
      return op->emitOpError("requires extents of at least 0 in the media table, got (")
             << at(1) << ", " << at(2) << ", " << at(3) << ") in row " << row;
    if (item.volume() == 0)
      continue;
    if (item.first < 0 || item.first + item.volume() > call.tokens)
      return op->emitOpError("requires media items inside the ")
             << call.tokens << " tokens, got tokens [" << item.first << ", " << item.first + item.volume()
             << ") in row " << row;
    for (std::int64_t token = item.first; token < item.first + item.volume(); ++token) {
      if (owner[token] >= 0)
        return op->emitOpError("requires media items that do not overlap, got token ")
               << token << " in rows " << owner[token] << " and " << row;
      owner[token] = row;
    }
    items.push_back(item);
  }
  return items;
}

LogicalResult interpreter::checkOrder(Operation *op, const HostTensor &order, const Call &call) {
  for (std::int64_t batch = 0; batch < order.shape[0]; ++batch) {
    std::vector<bool> seen(call.tokens, false);
    for (std::int64_t position = 0; position < call.tokens; ++position) {
      auto token = std::int64_t(entry(order, batch, position));
      if (token < 0 || token >= call.tokens || seen[token])
        return op->emitOpError("requires order to hold each token of 0 to ")
               << call.tokens - 1 << " once, got " << token
               << (token >= 0 && token < call.tokens ? " again" : "") << " at position " << position
               << " of sequence " << batch;
      seen[token] = true;
    }
  }
  return success();
}

LogicalResult interpreter::checkSequences(Operation *op, const HostTensor &table, const Call &call) {
  std::int64_t last = table.shape[0] - 1;
  auto at = [&](std::int64_t index) { return std::int64_t(table.elements[index]); };
  if (at(0) != 0)
    return op->emitOpError("requires entry 0 of sequences to be 0, got ") << at(0);
  for (std::int64_t index = 1; index <= last; ++index)
    if (at(index) < at(index - 1))
      return op->emitOpError("requires entry ") << index << " of sequences to be at least entry " << index - 1
                                                << ", " << at(index - 1) << ", got " << at(index);
  if (at(last) != call.tokens)
    return op->emitOpError("requires the last entry of sequences to be the ")
           << call.tokens << " tokens, got " << at(last);
  return success();
}

LogicalResult interpreter::emitViolation(const ViolationAt &at, std::int64_t heads) {
  pattern::AssumeOp op = at.violation.op;
  return op.emitOpError("requires a value in [")
         << op.getMinimum().convertToDouble() << ", " << op.getMaximum().convertToDouble() << "], got "
         << at.violation.value << " at sequence " << at.index / heads << ", token " << at.token << ", head "
         << at.index % heads;
}

std::optional<ViolationAt>
interpreter::parallelFor(std::int64_t count, int threads,
                         llvm::function_ref<std::optional<ViolationAt>(std::int64_t)> body) {
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  std::optional<ViolationAt> first;
  // Indices are handed out in order and what was handed out is finished, so the smallest one that fails is
  // always found.
  auto work = [&] {
    for (std::int64_t index; (index = next++) < count;)
      if (auto violation = body(index)) {
        std::lock_guard lock(mutex);
        violation->index = index;
        if (!first || index < first->index)
          first = violation;
        next = count;
      }
  };
  std::vector<std::thread> others;
  for (std::int64_t i = 1; i < std::min<std::int64_t>(threads, count); ++i)
    others.emplace_back(work);
  work();
  for (std::thread &other : others)
    other.join();
  return first;
}
