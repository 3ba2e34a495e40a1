#include "compiler/target/cpu/Access.h"
#include "compiler/target/cpu/buffers/Layout.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

static int64_t axesOf(Value memory) { return cast<RankedTensorType>(memory.getType()).getRank(); }

Access Access::of(Operation *op) {
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return {load.getSource(), load.getIndices(), load.getType()};
  auto store = cast<tile::StoreOp>(op);
  return {store.getDestination(), store.getIndices(), store.getValue().getType()};
}

int64_t Access::axisOf(int64_t axis) const {
  int64_t kept = 0;
  for (int64_t place = 0; place < axesOf(memory); ++place) {
    bool dropped = place < int64_t(indices.size()) && indices[place].getType().isIndex();
    if (!dropped && kept++ == axis)
      return place;
  }
  return -1;
}

Value Access::indexOf(int64_t axis) const {
  int64_t place = axisOf(axis);
  return place >= 0 && place < int64_t(indices.size()) ? indices[place] : Value();
}

/// Whether elements of an axis that is indexed so follow each other.
static bool isConsecutive(Value index) {
  auto range = index ? index.getDefiningOp<tile::RangeOp>() : tile::RangeOp();
  return !index || (range && !range.getBackward() && !range.getOrder());
}

bool Access::isElements() const {
  return rankOf(tile) == 1 && (axisOf(0) + 1 < axesOf(memory) || !isConsecutive(rowIndex()));
}

int64_t Access::rows() const { return cast<RankedTensorType>(tile).getDimSize(0); }

int64_t Access::rowBytes() const {
  auto type = cast<RankedTensorType>(tile);
  return (isElements() ? 1 : type.getShape().back()) * std::max(8u, type.getElementTypeBitWidth()) / 8;
}

LogicalResult Access::check(Operation *loadOrStore) const {
  if (rankOf(tile) != 2)
    return success();
  if (axisOf(1) + 1 != axesOf(memory))
    return loadOrStore->emitOpError(
        "requires the columns of a tile to be the operand's last axis on the CPU");
  if (!isConsecutive(columnIndex()))
    return loadOrStore->emitOpError("requires columns that follow each other in memory on the CPU");
  return success();
}
