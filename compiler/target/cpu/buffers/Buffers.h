// The buffers of a kernel's tiles: views of the thread's workspace, and elements of them.
#pragma once
#include "compiler/target/cpu/buffers/Layout.h"
#include "compiler/target/cpu/lower/Emit.h"
#include "llvm/ADT/DenseMap.h"

namespace linmu::cpu {

struct Buffer {
  mlir::Value memref;
  Layout layout = Layout::rows;

  explicit operator bool() const { return bool(memref); }
};

class Buffers {
public:
  using Value = mlir::Value;

  explicit Buffers(Emit &emit) : emit_(emit) {}
  /// Views of `workspace` (memref<?xi8>) are placed before `op`, the loop over the thread's blocks.
  void placeViewsBefore(mlir::Operation *op, Value workspace);

  Buffer allocate(mlir::Type tile, Layout layout);
  /// One of `count` buffers; a view is placed here.
  Buffer allocateSlot(mlir::Type tile, Layout layout, Value slot, std::int64_t count);
  /// Bytes of workspace that all of them take.
  std::int64_t bytes() const { return bytes_; }

  void add(Value tile, Buffer buffer) { buffers_[tile].push_back(buffer); }
  /// In place of all buffers that a tile has.
  void replace(Value tile, Buffer buffer) { buffers_[tile] = {buffer}; }
  bool contains(Value tile) const { return buffers_.contains(tile); }
  /// Null where there is none.
  Buffer find(Value tile, Layout layout) const;
  /// A buffer from which blocks of the tile itself can be read; null where there is none.
  Buffer findReadable(Value tile) const;

  /// One vector of a tile with two axes, in a buffer of rows or panels.
  Value load(const Buffer &buffer, mlir::Type element, Value row, Value panel, Value column);
  void store(Value vector, const Buffer &buffer, Value row, Value panel, Value column);

private:
  Emit &emit_;
  Value workspace_;
  mlir::Operation *viewsBefore_ = nullptr;
  std::int64_t bytes_ = 0;
  llvm::DenseMap<Value, llvm::SmallVector<Buffer, 2>> buffers_;
};

} // namespace linmu::cpu
