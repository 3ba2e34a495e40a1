// What one thread of a block does: the builder of its ops, its place, and what it holds of each tile.
#pragma once
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/registers/TileLayouts.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseMap.h"

namespace linmu::cuda {

/// The element type of a tile or of a scalar.
mlir::Type elementOf(mlir::Type type);
/// What a thread holds of a tile with a layout: a vector of registers. Scalars are what they are.
mlir::Type registersFor(mlir::Type type);

/// On a branch: all threads of a block take the same way, so that barriers may stand in it.
inline constexpr llvm::StringLiteral uniformAttribute = "cuda.uniform";

/// On stores to shared memory: the number of the write of a tile that they are part of.
inline constexpr llvm::StringLiteral writeAttribute = "cuda.write";

/// On accesses of a ring: how many steps of its loop ahead of the present one the slot is for, and the slots.
inline constexpr llvm::StringLiteral slotAttribute = "cuda.slot";

/// On accesses of a buffer of which each element belongs to one thread: which thread has which. Accesses with
/// the same layout are each thread's own.
inline constexpr llvm::StringLiteral ownersAttribute = "cuda.owners";

class Thread : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;

  /// At the end of `entry`, where the thread's place is found out.
  Thread(mlir::Location location, mlir::Block *entry);

  Value index(int64_t value);
  Value add(Value a, int64_t b);
  Value lane() const { return lane_; }
  Value warp() const { return warp_; }

  /// Of a layout with the inputs register, lane and warp: output `output`, or the whole word where it has
  /// one, for a register of this thread.
  Value coordinate(const LinearLayout &layout, llvm::StringRef output, uint64_t registers);
  /// The same bits of several registers at once, from the bits of this thread's lane and warp alone.
  Value laneAndWarp(llvm::ArrayRef<uint64_t> laneImages, llvm::ArrayRef<uint64_t> warpImages);
  /// The exclusive or of what laneAndWarp() gives and a constant; `base`, if any, has none of their bits.
  Value place(llvm::ArrayRef<uint64_t> laneImages, llvm::ArrayRef<uint64_t> warpImages, uint64_t constant,
              Value base = {});
  /// i1: this thread is the first of those that hold the same elements; null where each holds others.
  Value isFirstHolder(const LinearLayout &layout);

  /// What the thread holds of a tile or scalar of the kernel as it was.
  mlir::IRMapping held;
  /// The registers of a vector, one by one, and back.
  Value element(Value vector, int64_t at);
  Value join(llvm::ArrayRef<Value> elements);
  /// Some of them, or those at these places: taken of the parts that the vector was made of, so that what is
  /// done to one part waits for no other.
  Value slice(Value vector, int64_t first, int64_t count);
  Value gather(Value vector, llvm::ArrayRef<int64_t> registers);
  /// A vector of parts of equal size, one after the other.
  Value assemble(llvm::ArrayRef<Value> parts);
  /// `part(first, count)` for each few registers of a vector of `type`, in parts of which an instruction
  /// takes no less.
  Value inParts(mlir::VectorType type, llvm::function_ref<Value(int64_t first, int64_t count)> part);

  /// For the stores of one more tile.
  mlir::Attribute nextWrite() { return getI64IntegerAttr(writes_++); }

  Value shuffle(Value value, Value lane);
  Value shuffleXor(Value value, int64_t mask);

private:
  static constexpr int64_t partSize = 4;
  Value concatenated(Value a, Value b);
  Value bitsOf(Value number, llvm::ArrayRef<uint64_t> images);
  Value shuffled(Value value, Value offset, mlir::gpu::ShuffleMode mode);

  Value lane_, warp_;
  llvm::DenseMap<Value, llvm::SmallVector<Value>> parts_, elements_; ///< that vectors were made of
  llvm::DenseMap<std::tuple<Value, int64_t, int64_t, mlir::Block *>, Value> slices_;
  int64_t writes_ = 0;
};

} // namespace linmu::cuda
