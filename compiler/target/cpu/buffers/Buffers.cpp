#include "compiler/target/cpu/buffers/Buffers.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu::cpu;

void Buffers::placeViewsBefore(Operation *op, Value workspace) {
  viewsBefore_ = op;
  workspace_ = workspace;
}

Buffer Buffers::allocate(Type tile, Layout layout) {
  MemRefType type = bufferType(tile, layout);
  OpBuilder::InsertionGuard guard(emit_);
  emit_.setInsertionPoint(viewsBefore_);
  Value offset = emit_.index(bytes_);
  bytes_ += bytesOf(type);
  return {memref::ViewOp::create(emit_, type, workspace_, offset, ValueRange{}), layout};
}

Buffer Buffers::allocateSlot(Type tile, Layout layout, Value slot, int64_t count) {
  MemRefType type = bufferType(tile, layout);
  Value offset = emit_.add(emit_.multiply(slot, bytesOf(type)), bytes_);
  bytes_ += count * bytesOf(type);
  return {memref::ViewOp::create(emit_, type, workspace_, offset, ValueRange{}), layout};
}

Buffer Buffers::find(Value tile, Layout layout) const {
  auto found = buffers_.find(tile);
  if (found != buffers_.end())
    for (const Buffer &buffer : found->second)
      if (buffer.layout == layout)
        return buffer;
  return {};
}

Buffer Buffers::findReadable(Value tile) const {
  Buffer buffer = find(tile, Layout::rows);
  return buffer ? buffer : find(tile, Layout::panels);
}

/// Where a vector starts.
static SmallVector<Value> placeIn(Emit &emit, Layout layout, Value row, Value panel, Value column) {
  if (layout == Layout::panels)
    return {panel, row, emit.index(0)};
  return {row, column};
}

Value Buffers::load(const Buffer &buffer, Type element, Value row, Value panel, Value column) {
  VectorType type = vectorType(elementTypeOf(buffer.memref));
  SmallVector<Value> place = placeIn(emit_, buffer.layout, row, panel, column);
  return emit_.fromStored(vector::LoadOp::create(emit_, type, buffer.memref, place), element);
}

void Buffers::store(Value vector, const Buffer &buffer, Value row, Value panel, Value column) {
  SmallVector<Value> place = placeIn(emit_, buffer.layout, row, panel, column);
  vector::StoreOp::create(emit_, emit_.toStored(vector), buffer.memref, place);
}
