// Inverses of triangular blocks: a block to a warp, a column of its inverse to a lane, by forward
// substitution.
#include "compiler/target/cuda/threads/Lowering.h"
#include "compiler/target/cuda/threads/SharedTile.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

/// The system's element at the same row and column of each warp's block, for registers that count columns
/// first: bits of the block, then of what blocks there are beyond the warps.
static LinearLayout blocksOf(int64_t extent, int64_t size, unsigned warpCount) {
  unsigned rows = llvm::Log2_64(extent), inside = llvm::Log2_64(size), blocks = rows - inside;
  auto diagonal = [&](unsigned bit) { return (uint64_t(1) << bit) | (uint64_t(1) << (bit + rows)); };
  SmallVector<uint64_t> registers, warps;
  for (unsigned bit = 0; bit < inside; ++bit)
    registers.push_back(uint64_t(1) << (bit + rows));
  for (unsigned bit = 0; bit < inside; ++bit)
    registers.push_back(uint64_t(1) << bit);
  for (unsigned bit = 0; bit < warpCount; ++bit)
    warps.push_back(bit < blocks ? diagonal(inside + bit) : 0);
  for (unsigned bit = warpCount; bit < blocks; ++bit)
    registers.push_back(diagonal(inside + bit));
  SmallVector<uint64_t> images(registers);
  images.append(laneBits, 0);
  images.append(warps);
  return LinearLayout({{registerInput.str(), unsigned(registers.size())},
                       {laneInput.str(), laneBits},
                       {warpInput.str(), warpCount}},
                      {{rowOutput.str(), rows}, {columnOutput.str(), rows}}, images);
}

LogicalResult linmu::cuda::lowerDiagonalInverses(Thread &thread, DiagonalInversesOp op) {
  auto type = cast<RankedTensorType>(op.getInverses().getType());
  const LinearLayout &result = layoutOf(type).getLayout();
  int64_t size = type.getDimSize(1);
  SharedTile system(thread, blocksOf(type.getDimSize(0), size, result.inBits(warpInput)),
                    type.getElementType(), op.getSystem());
  DenseMap<int64_t, Value> loaded; // by the number of the first of four registers
  auto elementAt = [&](int64_t number) {
    Value &part = loaded[number / 4];
    if (!part)
      part = vector::LoadOp::create(thread, VectorType::get({4}, thread.getF32Type()), system.memref,
                                    ValueRange{system.offset(number / 4 * 4)});
    return thread.element(part, number % 4);
  };
  auto constant = [&](float value) -> Value {
    return arith::ConstantOp::create(thread, thread.getF32FloatAttr(value));
  };
  Value zero = constant(0), one = constant(1);
  // Registers: the rows of a block, the columns that lanes leave, the blocks that warps leave.
  int64_t columns = int64_t(1) << (llvm::Log2_64(size) > laneBits ? llvm::Log2_64(size) - laneBits : 0);
  int64_t blocks = registersOf(layoutOf(type)) / (size * columns);
  SmallVector<Value> elements;
  for (int64_t block = 0; block < blocks; ++block)
    for (int64_t column = 0; column < columns; ++column) {
      Value number = thread.coordinate(result, columnOutput, uint64_t(column * size));
      SmallVector<Value> rows;
      for (int64_t row = 0; row < size; ++row) {
        Value own = arith::CmpIOp::create(thread, arith::CmpIPredicate::eq, number, thread.index(row));
        Value sum = arith::SelectOp::create(thread, own, one, zero);
        for (auto [before, solved] : llvm::enumerate(rows))
          sum = math::FmaOp::create(thread, elementAt((block * size + row) * size + int64_t(before)), solved,
                                    sum);
        // Nothing of the block, whatever it holds, reaches what is above the diagonal.
        Value below = arith::CmpIOp::create(thread, arith::CmpIPredicate::sle, number, thread.index(row));
        rows.push_back(arith::SelectOp::create(thread, below, sum, zero));
      }
      llvm::append_range(elements, rows);
    }
  thread.held.map(op.getInverses(), thread.join(elements));
  return success();
}
