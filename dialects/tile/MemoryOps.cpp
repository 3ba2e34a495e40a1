// Verifiers of ops that touch memory.
#include "dialects/tile/TileShapes.h"

using namespace mlir;
using namespace linmu::tile;

LogicalResult RangeOp::verify() {
  if (!getOrder())
    return getBatch() ? emitOpError("requires an order for its batch index") : success();
  RankedTensorType order = getOrder().getType();
  if (order.getRank() != 2 || !order.getElementType().isInteger(32))
    return emitOpError("requires an order of i32 by batch and position, got ") << order;
  if (!getBatch())
    return emitOpError("requires a batch index of its order");
  return success();
}

/// Whether an index names rows one by one: a tile of them, or a range in a token order.
static bool isScattered(Value index) {
  if (auto range = index.getDefiningOp<RangeOp>())
    return range.getOrder() != nullptr;
  return isa<RankedTensorType>(index.getType());
}

/// The shape of what `indices` select of `memory`: the kept axes, then those that are taken whole.
static FailureOr<SmallVector<int64_t>> selectedShape(Operation *op, RankedTensorType memory,
                                                     OperandRange indices) {
  if (int64_t(indices.size()) > memory.getRank())
    return op->emitOpError("requires at most ") << memory.getRank() << " indices, got " << indices.size();
  SmallVector<int64_t> shape;
  for (Value index : indices) {
    if (auto range = dyn_cast<RangeType>(index.getType())) {
      shape.push_back(range.getSize());
    } else if (auto rows = dyn_cast<RankedTensorType>(index.getType())) {
      if (!rows.getElementType().isInteger(32))
        return op->emitOpError("requires gathered rows of i32, got ") << rows;
      shape.push_back(rows.getDimSize(0));
    }
  }
  if (llvm::count_if(indices, isScattered) > 1)
    return op->emitOpError("requires at most one gathered axis");
  for (int64_t axis = indices.size(); axis < memory.getRank(); ++axis) {
    if (memory.isDynamicDim(axis))
      return op->emitOpError("requires an index for the dynamic axis ") << axis;
    shape.push_back(memory.getDimSize(axis));
  }
  if (shape.size() > 2)
    return op->emitOpError("requires a tile of rank 2 at most, got rank ") << shape.size();
  return shape;
}

static LogicalResult verifyAccess(Operation *op, RankedTensorType memory, OperandRange indices, Value tile) {
  auto shape = selectedShape(op, memory, indices);
  if (failed(shape))
    return failure();
  if (memory.getElementType() != getElementTypeOrSelf(tile.getType()))
    return op->emitOpError("requires tile elements of type ")
           << memory.getElementType() << ", got " << getElementTypeOrSelf(tile.getType());
  return expectShape(op, "a tile", tile, *shape);
}

LogicalResult LoadOp::verify() {
  return verifyAccess(*this, getSource().getType(), getIndices(), getResult());
}

LogicalResult StoreOp::verify() {
  if (failed(verifyAccess(*this, getDestination().getType(), getIndices(), getValue())))
    return failure();
  if (!getMask())
    return success();
  auto mask = dyn_cast<RankedTensorType>(getMask().getType());
  for (Value index : getIndices())
    if (auto gathered = dyn_cast<RankedTensorType>(index.getType())) {
      if (!mask || mask.getDimSize(0) != gathered.getDimSize(0))
        return emitOpError("requires a mask over ")
               << gathered.getDimSize(0) << " rows, got " << getMask().getType();
      return success();
    }
  if (mask)
    return emitOpError("requires a scalar mask where no axis has a tile of rows, got ") << mask;
  return success();
}

/// "requires WHAT of type ..., got ..." where a buffer's tile is another.
static LogicalResult expectTile(Operation *op, StringRef what, Type actual, BufferType buffer) {
  // In whatever layout of registers.
  if (auto tile = dyn_cast<RankedTensorType>(actual);
      tile && tile.getShape() == buffer.getShape() && tile.getElementType() == buffer.getElementType())
    return success();
  return op->emitOpError("requires ") << what << " of type " << buffer.getTileType() << ", got " << actual;
}

LogicalResult SlotOp::verify() {
  BufferType ring = getRing().getType(), slot = getResult().getType();
  if (ring.getShape().size() < 2 || ring.getShape().drop_front() != slot.getShape() ||
      ring.getElementType() != slot.getElementType())
    return emitOpError("requires a slot of ") << ring << ", which has one axis less, got " << slot;
  return success();
}

LogicalResult ReadOp::verify() {
  return expectTile(*this, "a result", getResult().getType(), getBuffer().getType());
}

LogicalResult WriteOp::verify() {
  return expectTile(*this, "a value", getValue().getType(), getBuffer().getType());
}

LogicalResult CopyOp::verify() {
  auto shape = selectedShape(*this, getSource().getType(), getIndices());
  if (failed(shape))
    return failure();
  Type copied = RankedTensorType::get(*shape, getSource().getType().getElementType());
  return expectTile(*this, "what is copied", copied, getBuffer().getType());
}
