// Operands in memory, ranges of their axes, buffers and copies.
#include "compiler/interpreter/tile/Block.h"
#include <stdexcept>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::interpreter {

Block::Range Block::rangeOf(tile::RangeOp op) const {
  Range range;
  range.size = op.getResult().getType().getSize();
  range.first = integer(op.getFirst());
  range.from = op.getFrom() ? integer(op.getFrom()) : 0;
  range.to = op.getTo() ? integer(op.getTo()) : range.size;
  range.backward = op.getBackward();
  range.order = op.getOrder() ? memory_.at(op.getOrder()) : nullptr;
  range.batch = op.getBatch() ? integer(op.getBatch()) : 0;
  return range;
}

static void checkBounds(std::int64_t position, size_t axis, std::int64_t extent) {
  if (position < 0 || position >= extent)
    throw std::runtime_error("index " + std::to_string(position) + " of axis " + std::to_string(axis) +
                             " is outside an extent of " + std::to_string(extent));
}

/// Calls `touch(element of memory, element of the tile, in row-major order)` for each element that the
/// indices name; the first is null where it is dead.
template <typename Touch> void Block::access(Value operand, OperandRange indices, Value mask, Touch touch) {
  Memory &memory = *memory_.at(operand);
  // The extent of each axis in the tile, 1 for those that an index drops.
  std::vector<std::int64_t> extents;
  for (size_t axis = 0; axis < memory.shape.size(); ++axis) {
    if (axis >= indices.size())
      extents.push_back(memory.shape[axis]);
    else if (auto found = ranges_.find(indices[axis]); found != ranges_.end())
      extents.push_back(found->second.size);
    else
      extents.push_back(get(indices[axis]).shape.empty() ? 1 : get(indices[axis]).shape[0]);
  }
  std::int64_t count = 1;
  for (std::int64_t extent : extents)
    count *= extent;
  std::vector<std::int64_t> place(extents.size());
  for (std::int64_t element = 0; element < count; ++element) {
    for (std::int64_t axis = std::int64_t(extents.size()) - 1, rest = element; axis >= 0; --axis) {
      place[axis] = rest % extents[axis];
      rest /= extents[axis];
    }
    bool live = !mask || !get(mask).shape.empty() || get(mask).elements[0];
    for (size_t axis = 0; axis < indices.size(); ++axis)
      if (auto found = ranges_.find(indices[axis]); found != ranges_.end())
        live = live && found->second.isLive(place[axis]);
      else if (mask && !get(mask).shape.empty() && !get(indices[axis]).shape.empty())
        live = live && get(mask).elements[place[axis]];
    if (!live) {
      touch(nullptr, element);
      continue;
    }
    std::int64_t offset = 0;
    for (size_t axis = 0; axis < place.size(); ++axis) {
      std::int64_t position = place[axis];
      if (axis < indices.size()) {
        if (auto found = ranges_.find(indices[axis]); found != ranges_.end()) {
          const Range &range = found->second;
          position = range.position(position);
          if (range.order) {
            checkBounds(range.batch, 0, range.order->shape[0]);
            checkBounds(position, 1, range.order->shape[1]);
            position = std::int64_t(range.order->at(range.batch, position));
          }
        } else {
          position = std::int64_t(get(indices[axis]).elements[position]);
        }
      }
      checkBounds(position, axis, memory.shape[axis]);
      offset = offset * memory.shape[axis] + position;
    }
    touch(&memory.elements[offset], element);
  }
}

StepValue Block::load(Value memory, OperandRange indices, Type type) {
  StepValue result = shaped(type);
  access(memory, indices, {},
         [&](double *there, std::int64_t element) { result.elements[element] = there ? *there : 0; });
  return result;
}

bool Block::runMemory(Operation &op) {
  if (auto range = dyn_cast<tile::RangeOp>(op)) {
    ranges_[range.getResult()] = rangeOf(range);
  } else if (auto loadOp = dyn_cast<tile::LoadOp>(op)) {
    set(loadOp, load(loadOp.getSource(), loadOp.getIndices(), loadOp.getType()));
  } else if (auto store = dyn_cast<tile::StoreOp>(op)) {
    const StepValue &value = get(store.getValue());
    access(store.getDestination(), store.getIndices(), store.getMask(),
           [&](double *there, std::int64_t element) {
             if (there)
               *there = value.elements[element];
           });
  } else if (auto alloc = dyn_cast<tile::AllocOp>(op)) {
    ArrayRef<int64_t> shape = alloc.getType().getShape();
    memory_[alloc] = &buffers_.emplace_back(StepValue::filled({shape.begin(), shape.end()}, NAN));
    rings_.erase(alloc);
  } else if (auto slot = dyn_cast<tile::SlotOp>(op)) {
    std::vector<Memory *> &slots = rings_[slot.getRing()];
    ArrayRef<int64_t> shape = slot.getRing().getType().getShape();
    std::int64_t index = integer(slot.getIndex());
    if (index < 0 || index >= shape[0])
      throw std::out_of_range("a ring of " + std::to_string(shape[0]) + " buffers has no slot " +
                              std::to_string(index));
    while (std::int64_t(slots.size()) < shape[0])
      slots.push_back(&buffers_.emplace_back(StepValue::filled({shape.begin() + 1, shape.end()}, NAN)));
    memory_[slot] = slots[index];
  } else if (auto read = dyn_cast<tile::ReadOp>(op)) {
    set(read, *memory_.at(read.getBuffer()));
  } else if (auto write = dyn_cast<tile::WriteOp>(op)) {
    *memory_.at(write.getBuffer()) = get(write.getValue());
  } else if (auto copy = dyn_cast<tile::CopyOp>(op)) {
    Memory *buffer = memory_.at(copy.getBuffer());
    RankedTensorType tile = copy.getBuffer().getType().getTileType();
    bool happens = !copy.getCondition() || integer(copy.getCondition()) != 0;
    copies_.push_back({buffer, happens ? load(copy.getSource(), copy.getIndices(), tile) : shaped(tile)});
    std::fill(buffer->elements.begin(), buffer->elements.end(), NAN);
  } else if (auto wait = dyn_cast<tile::WaitOp>(op)) {
    for (; copies_.size() > wait.getPending(); copies_.pop_front())
      *copies_.front().buffer = std::move(copies_.front().elements);
  } else if (!isa<tile::BarrierOp>(op)) {
    return false;
  }
  return true;
}

} // namespace linmu::interpreter
