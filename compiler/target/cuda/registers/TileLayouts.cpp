#include "compiler/target/cuda/registers/TileLayouts.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace linmu::cuda;

static unsigned log2Of(int64_t size) {
  assert(llvm::isPowerOf2_64(size) && "tiles are padded to powers of two");
  return llvm::Log2_64(size);
}

static Extents extents(ArrayRef<int64_t> shape) { return {log2Of(shape[0]), log2Of(shape[1])}; }

MatrixInstruction TileLayouts::instructionFor(Type element) {
  return element.isF32() ? MatrixInstruction::m16n8k8TF32 : MatrixInstruction::m16n8k16Half;
}

WarpGrid TileLayouts::rowsFirst(int64_t rows) const {
  WarpGrid grid;
  grid.rows = std::min(warps_, log2Of(rows) - 4);
  grid.columns = warps_ - grid.rows;
  return grid;
}

LayoutAttr TileLayouts::accumulator(ArrayRef<int64_t> shape, const WarpGrid &warps) {
  return attr(operandLayout(MatrixInstruction::m16n8k16Half, Operand::accumulator, extents(shape), warps));
}

LayoutAttr TileLayouts::lhs(ArrayRef<int64_t> stored, bool transposed, Type element, const WarpGrid &warps) {
  SmallVector<int64_t> shape(stored);
  if (transposed)
    std::swap(shape[0], shape[1]);
  LayoutAttr layout = attr(operandLayout(instructionFor(element), Operand::a, extents(shape), warps));
  return transposed ? transpose(layout) : layout;
}

LayoutAttr TileLayouts::rhs(ArrayRef<int64_t> stored, bool transposed, Type element, const WarpGrid &warps) {
  SmallVector<int64_t> shape(stored);
  if (transposed)
    std::swap(shape[0], shape[1]);
  LayoutAttr layout = attr(operandLayout(instructionFor(element), Operand::b, extents(shape), warps));
  return transposed ? transpose(layout) : layout;
}

LayoutAttr TileLayouts::rows(ArrayRef<int64_t> shape, Type element, int64_t mostElements,
                             int64_t leastElements) {
  int64_t bytes = std::max<int64_t>(element.getIntOrFloatBitWidth() / 8, 1);
  int64_t most = std::min({mostElements, 16 / bytes, shape[1]});
  // No wider than what gives every thread something.
  int64_t threads = int64_t(32) << warps_;
  most = std::min(most, std::max(shape[0] * shape[1] / threads, leastElements));
  return attr(rowLayout(extents(shape), llvm::Log2_64(most), warps_));
}

LayoutAttr TileLayouts::vector(int64_t size) {
  unsigned bits = log2Of(size), lanes = std::min(bits, laneBits);
  LinearLayout layout = LinearLayout::identity(laneInput, rowOutput, lanes);
  layout = productOf(layout, LinearLayout::broadcast(laneInput, rowOutput, laneBits - lanes));
  layout = productOf(layout, LinearLayout::identity(registerInput, rowOutput, bits - lanes));
  layout = productOf(layout, LinearLayout::broadcast(warpInput, rowOutput, warps_));
  return attr(layout.orderIns({registerInput, laneInput, warpInput}));
}

LayoutAttr TileLayouts::columns(ArrayRef<int64_t> shape) {
  Extents of = extents(shape);
  // Two neighbours to a thread, which memory gives at once.
  unsigned pair = std::min(of.columns, 1U), left = of.columns - pair;
  // Lanes that columns leave over take a part of the rows each.
  unsigned spare = laneBits + warps_ > left ? laneBits + warps_ - left : 0;
  unsigned rowLanes = std::min({spare, of.rows, laneBits});
  unsigned lanes = std::min(left, laneBits - rowLanes), warps = std::min(left - lanes, warps_);
  auto part = [](StringRef in, StringRef out, unsigned bits) {
    return LinearLayout::identity(in, out, bits);
  };
  LinearLayout layout =
      productOf(part(registerInput, columnOutput, pair), part(laneInput, columnOutput, lanes));
  layout = productOf(layout, part(warpInput, columnOutput, warps));
  layout = productOf(layout, part(registerInput, columnOutput, left - lanes - warps));
  layout = productOf(layout, part(registerInput, rowOutput, of.rows - rowLanes));
  layout = productOf(layout, part(laneInput, rowOutput, rowLanes));
  layout = productOf(layout, LinearLayout::broadcast(laneInput, columnOutput, laneBits - lanes - rowLanes));
  layout = productOf(layout, LinearLayout::broadcast(warpInput, columnOutput, warps_ - warps));
  return attr(layout.orderIns({registerInput, laneInput, warpInput}).orderOuts({rowOutput, columnOutput}));
}

unsigned TileLayouts::rowLanesOf(LayoutAttr columns) {
  const LinearLayout &layout = columns.getLayout();
  uint64_t rows = (uint64_t(1) << layout.outBits(rowOutput)) - 1;
  return unsigned(
      llvm::count_if(layout.images(laneInput), [&](uint64_t image) { return (image & rows) != 0; }));
}

unsigned TileLayouts::columnLanesOf(LayoutAttr columns) {
  const LinearLayout &layout = columns.getLayout();
  return unsigned(llvm::count_if(layout.images(laneInput),
                                 [&](uint64_t image) { return (image >> layout.outBits(rowOutput)) != 0; }));
}

LayoutAttr TileLayouts::blockColumns(ArrayRef<int64_t> shape) {
  Extents of = extents(shape);
  unsigned lanes = std::min(of.columns, laneBits), blocks = of.rows - of.columns,
           warps = std::min(blocks, warps_);
  LinearLayout layout = productOf(LinearLayout::identity(registerInput, rowOutput, of.columns),
                                  LinearLayout::identity(laneInput, columnOutput, lanes));
  layout = productOf(layout, LinearLayout::identity(registerInput, columnOutput, of.columns - lanes));
  layout = productOf(layout, LinearLayout::identity(warpInput, rowOutput, warps));
  layout = productOf(layout, LinearLayout::identity(registerInput, rowOutput, blocks - warps));
  layout = productOf(layout, LinearLayout::broadcast(laneInput, columnOutput, laneBits - lanes));
  layout = productOf(layout, LinearLayout::broadcast(warpInput, rowOutput, warps_ - warps));
  return attr(layout.orderIns({registerInput, laneInput, warpInput}).orderOuts({rowOutput, columnOutput}));
}

LayoutAttr TileLayouts::slice(LayoutAttr matrix, unsigned axis) {
  const LinearLayout &layout = matrix.getLayout();
  unsigned shift = axis == 0 ? 0 : layout.outBits(rowOutput);
  unsigned bits = layout.outBits(axis == 0 ? rowOutput : columnOutput);
  uint64_t mask = (uint64_t(1) << bits) - 1;
  // Registers that differ along the other axis only hold one element of the vector.
  SmallVector<uint64_t> images;
  Dimensions ins;
  for (const Dimension &in : layout.ins()) {
    unsigned kept = 0;
    for (uint64_t image : layout.images(in.name)) {
      uint64_t along = (image >> shift) & mask;
      if (in.name == registerInput && along == 0)
        continue;
      images.push_back(along);
      ++kept;
    }
    ins.push_back({in.name, kept});
  }
  return LayoutAttr::get(matrix.getContext(), LinearLayout(ins, {{rowOutput.str(), bits}}, images));
}

LayoutAttr TileLayouts::transpose(LayoutAttr matrix) {
  LinearLayout layout = matrix.getLayout()
                            .renameOut(rowOutput, "swapped")
                            .renameOut(columnOutput, rowOutput)
                            .renameOut("swapped", columnOutput)
                            .orderOuts({rowOutput, columnOutput});
  return LayoutAttr::get(matrix.getContext(), layout);
}

LayoutAttr linmu::cuda::layoutOf(Type type) {
  auto tile = dyn_cast<RankedTensorType>(type);
  return tile ? dyn_cast_or_null<LayoutAttr>(tile.getEncoding()) : LayoutAttr();
}

RankedTensorType linmu::cuda::withLayout(Type tile, LayoutAttr layout) {
  auto type = cast<RankedTensorType>(tile);
  return RankedTensorType::get(type.getShape(), type.getElementType(), layout);
}

int64_t linmu::cuda::registersOf(LayoutAttr layout) {
  return int64_t(1) << layout.getLayout().inBits(registerInput);
}
