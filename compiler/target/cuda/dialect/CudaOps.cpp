#include "compiler/target/cuda/dialect/Cuda.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace linmu::cuda;

#define GET_OP_CLASSES
#include "compiler/target/cuda/dialect/CudaOps.cpp.inc"

/// An access of `elements` (an element, or a vector of neighbours) of an operand in memory.
static LogicalResult verifyAccess(Operation *op, RankedTensorType memory, OperandRange indices,
                                  Type elements) {
  if (int64_t(indices.size()) != memory.getRank())
    return op->emitOpError("requires an index for each of the ")
           << memory.getRank() << " axes of the operand, got " << indices.size();
  if (getElementTypeOrSelf(elements) != memory.getElementType())
    return op->emitOpError("requires elements of ")
           << memory.getElementType() << " as the operand has them, got " << elements;
  return success();
}

LogicalResult LoadOp::verify() {
  return verifyAccess(*this, getSource().getType(), getIndices(), getResult().getType());
}

LogicalResult StoreOp::verify() {
  return verifyAccess(*this, getDestination().getType(), getIndices(), getValue().getType());
}

LogicalResult CopyOp::verify() {
  Type element = getBuffer().getType().getElementType();
  if (failed(verifyAccess(*this, getSource().getType(), getIndices(), element)))
    return failure();
  int64_t bytes = int64_t(getElements()) * element.getIntOrFloatBitWidth() / 8;
  if (bytes != 4 && bytes != 8 && bytes != 16)
    return emitOpError("requires 4, 8 or 16 bytes, got ") << bytes;
  return success();
}

/// A part of a buffer, whose sizes divide its offsets and the buffer's.
static LogicalResult verifyPart(Operation *op, RankedTensorType tile, linmu::tile::BufferType buffer,
                                ArrayRef<int64_t> offsets) {
  if (tile.getElementType() != buffer.getElementType() ||
      tile.getShape().size() != buffer.getShape().size() || offsets.size() != buffer.getShape().size())
    return op->emitOpError("requires a tile and offsets of the rank and element type of ")
           << buffer << ", got " << tile << " at " << offsets.size() << " offsets";
  for (auto [size, offset, whole] : llvm::zip(tile.getShape(), offsets, buffer.getShape()))
    if (offset % size || offset < 0 || offset + size > whole)
      return op->emitOpError("requires offsets inside the buffer that the tile's sizes divide, got ")
             << offset << " for " << size << " of " << whole;
  return success();
}

LogicalResult ReadPartOp::verify() {
  return verifyPart(*this, cast<RankedTensorType>(getResult().getType()), getBuffer().getType(),
                    getOffsets());
}

LogicalResult WritePartOp::verify() {
  return verifyPart(*this, cast<RankedTensorType>(getValue().getType()), getBuffer().getType(), getOffsets());
}

/// Registers of 8 x 8 matrices and the memory that they come from or go to.
static LogicalResult verifyMatrices(Operation *op, VectorType registers, MemRefType buffer) {
  if (registers.getElementType() != buffer.getElementType())
    return op->emitOpError("requires elements of ")
           << buffer.getElementType() << " as the buffer has them, got " << registers.getElementType();
  int64_t matrices = registers.getNumElements() / 2;
  if (registers.getNumElements() % 2 || (matrices != 1 && matrices != 2 && matrices != 4))
    return op->emitOpError("requires 2, 4 or 8 elements, two a matrix, got ") << registers.getNumElements();
  return success();
}

LogicalResult LoadMatrixOp::verify() {
  return verifyMatrices(*this, getResult().getType(), getBuffer().getType());
}

LogicalResult StoreMatrixOp::verify() {
  return verifyMatrices(*this, getValue().getType(), getBuffer().getType());
}

LogicalResult MmaOp::verify() {
  auto a = getA().getType(), b = getB().getType(), sum = getAccumulator().getType();
  if (a.getElementType() != b.getElementType() || a.getElementType().isInteger())
    return emitOpError("requires a and b of one type of bf16, f16 or f32, got ") << a << " and " << b;
  int64_t count = a.getNumElements();
  bool isTF32 = a.getElementType().isF32();
  if ((count != 4 && (isTF32 || count != 8)) || b.getNumElements() != count / 2)
    return emitOpError("requires 4 registers of a and 2 of b, or 8 and 4 of 16 bits, got ")
           << a << " and " << b;
  if (!sum.getElementType().isF32() || sum.getNumElements() != 4)
    return emitOpError("requires an accumulator of vector<4xf32>, got ") << sum;
  return success();
}
