// One block of a launch.
#pragma once
#include "compiler/interpreter/tile/TileInterpreter.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include <array>
#include <deque>

namespace linmu::interpreter {

using Grid = std::array<std::int64_t, 3>;

class Block {
public:
  Block(Grid id, Grid count) : id_(id), count_(count) {}
  void bindMemory(mlir::Value value, Memory *memory) { memory_[value] = memory; }
  void bindIndex(mlir::Value value, std::int64_t index) {
    set(value, pattern::StepValue::scalar(double(index)));
  }
  void run(mlir::Block &block);
  void run(mlir::Operation &op);
  std::int64_t integer(mlir::Value value) const { return std::int64_t(get(value).elements[0]); }

private:
  /// The positions of a `tile.range`.
  struct Range {
    std::int64_t size, first, from, to;
    bool backward;
    Memory *order;
    std::int64_t batch;
    bool isLive(std::int64_t i) const { return from <= i && i < to; }
    std::int64_t position(std::int64_t i) const { return backward ? first - i : first + i; }
  };
  /// A copy that no wait has finished.
  struct Copy {
    Memory *buffer;
    pattern::StepValue elements;
  };

  const pattern::StepValue &get(mlir::Value value) const;
  void set(mlir::Value value, pattern::StepValue result) { values_[value] = std::move(result); }

  // Memory.cpp
  bool runMemory(mlir::Operation &op);
  Range rangeOf(tile::RangeOp op) const;
  template <typename Touch>
  void access(mlir::Value memory, mlir::OperandRange indices, mlir::Value mask, Touch touch);
  pattern::StepValue load(mlir::Value memory, mlir::OperandRange indices, mlir::Type type);
  // Shape.cpp, Product.cpp
  template <typename SliceOp, typename Pair>
  void sliced(SliceOp op, const std::vector<std::int64_t> &whole, Pair pair) const;
  bool runShape(mlir::Operation &op);
  bool runProduct(mlir::Operation &op);
  // Block.cpp
  bool runControl(mlir::Operation &op);
  bool runScalar(mlir::Operation &op);

  Grid id_, count_;
  llvm::DenseMap<mlir::Value, Memory *> memory_; ///< operands and buffers
  llvm::DenseMap<mlir::Value, pattern::StepValue> values_;
  llvm::DenseMap<mlir::Value, Range> ranges_;
  llvm::DenseMap<mlir::Value, std::vector<Memory *>> rings_; ///< the slots of rings
  std::deque<Memory> buffers_;
  std::deque<Copy> copies_;
};

/// Zeros of a type's shape.
pattern::StepValue shaped(mlir::Type type);

/// A number rounded to a float type, to the nearest, ties to even.
double rounded(double value, mlir::FloatType type);

} // namespace linmu::interpreter
