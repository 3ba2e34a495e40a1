// A tile's registers against a buffer in shared memory, a part of it, or a slot of a ring.
#pragma once
#include "compiler/target/cuda/layout/SharedMemory.h"
#include "compiler/target/cuda/threads/Thread.h"

namespace linmu::cuda {

struct SharedTile {
  /// `first` are the coordinates where a part begins.
  SharedTile(Thread &thread, mlir::Type tile, mlir::Value buffer, llvm::ArrayRef<int64_t> first = {});

  /// Registers of a layout that need not hold all of the buffer.
  SharedTile(Thread &thread, const LinearLayout &registers, mlir::Type element, mlir::Value buffer);

  /// In elements, of a register of this thread.
  mlir::Value offset(uint64_t registers) { return offsetBy(offsets.images(laneInput), registers); }
  /// With the images of lanes given.
  mlir::Value offsetBy(llvm::ArrayRef<uint64_t> lanes, uint64_t registers) {
    return thread.place(lanes, offsets.images(warpInput), offsets(registers) ^ base, slotBase);
  }
  /// Of the row of an 8 x 8 matrix that this lane tells ldmatrix of.
  mlir::Value offsetOfRow(uint64_t registers, const MatrixAccess &access);
  /// Says which slot an access is of, and whose elements it touches.
  void mark(mlir::Operation *access) const;

  Thread &thread;
  LinearLayout memory, layout;
  mlir::Type element;
  LinearLayout offsets; ///< register, lane, warp to offset
  uint64_t base = 0;    ///< the offset of the part's first element
  mlir::Value slotBase; ///< the offset of the slot; null: no ring
  mlir::DenseI64ArrayAttr place;
  mlir::DenseI64ArrayAttr owners; ///< null where several threads have an element, and for parts
  mlir::Value memref;
};

} // namespace linmu::cuda
