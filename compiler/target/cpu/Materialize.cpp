// Which tiles get a buffer, and filling it.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

const Buffer *KernelLowering::find(Value tile, Layout layout) {
  auto found = buffers_.find(tile);
  if (found == buffers_.end())
    return nullptr;
  for (const Buffer &buffer : found->second)
    if (buffer.layout == layout)
      return &buffer;
  return nullptr;
}

/// A buffer from which blocks of the tile itself can be read.
const Buffer *KernelLowering::findAny(Value tile) {
  const Buffer *buffer = find(tile, Layout::rows);
  return buffer ? buffer : find(tile, Layout::panels);
}

MemRefType linmu::cpu::bufferType(Type tile, Layout layout) {
  auto type = cast<RankedTensorType>(tile);
  constexpr int64_t width = Machine::width;
  SmallVector<int64_t> shape(type.getShape());
  if (type.getRank() == 1)
    shape = {roundUp(shape[0], width)};
  else if (layout == Layout::rows)
    shape = {shape[0], roundUp(shape[1], width)};
  else if (layout == Layout::panels)
    shape = {roundUp(shape[1], width) / width, shape[0], width};
  else
    shape = {roundUp(shape[0], width) / width, roundUp(shape[1], width), width};
  Type element = type.getElementType();
  if (element.isInteger(1))
    element = IntegerType::get(tile.getContext(), 32);
  if (element.isBF16())
    element = IntegerType::get(tile.getContext(), 16);
  return MemRefType::get(shape, element);
}

int64_t linmu::cpu::bytesOf(MemRefType type) {
  return roundUp(type.getNumElements() * type.getElementTypeBitWidth() / 8, 64);
}

Buffer KernelLowering::allocate(Type tile, Layout layout) {
  MemRefType type = bufferType(tile, layout);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPoint(blockLoop_);
  Value offset = index(workspaceBytes_);
  workspaceBytes_ += bytesOf(type);
  auto view = memref::ViewOp::create(builder_, location_, type, entryWorkspace_, offset, ValueRange{});
  return {view, layout};
}

/// A buffer for each of the blocks that walk together; this block's.
Buffer KernelLowering::allocateSlot(Type tile, Layout layout) {
  MemRefType type = bufferType(tile, layout);
  Value offset = add(multiply(stretch_.slot, bytesOf(type)), workspaceBytes_);
  workspaceBytes_ += blocksTogether_ * bytesOf(type);
  auto view = memref::ViewOp::create(builder_, location_, type, entryWorkspace_, offset, ValueRange{});
  return {view, layout};
}

/// How many panels of a row are in registers together where a nest goes row by row.
int64_t KernelLowering::panelsOfRow(Value tile) {
  int64_t panels = roundUp(shapeOf(tile)[1], Machine::width) / Machine::width;
  int64_t together = std::min<int64_t>(panels, 8);
  while (panels % together)
    --together;
  return together;
}

/// Loads row by row, so that where a row lies is computed once for several panels. Dead rows are zero.
void KernelLowering::fillByRows(Value tile, const Buffer &buffer) {
  int64_t panels = roundUp(shapeOf(tile)[1], Machine::width) / Machine::width;
  int64_t together = panelsOfRow(tile);
  Access access = Access::of(rowwiseLoad(tile));
  VectorType stored = vectorType(cast<MemRefType>(buffer.memref.getType()).getElementType());
  auto fillRow = [&](Value row, function_ref<Vectors(const Block &)> vectorsOf) {
    loop(0, panels, together, [&](Value first) {
      memo_.clear();
      Block at{row, 1, first, multiply(first, Machine::width), together};
      storeBlock(vectorsOf(at), buffer, at);
    });
  };
  loop(0, shapeOf(tile)[0], 1, [&](Value row) {
    auto live = [&] { fillRow(row, [&](const Block &at) { return block(tile, at); }); };
    Value isLiveRow = isLive(access.rowIndex(), row);
    if (!isLiveRow)
      return live();
    auto branch = scf::IfOp::create(builder_, location_, isLiveRow, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToStart(branch.thenBlock());
    knownLive_ = access.rowIndex();
    live();
    knownLive_ = {};
    builder_.setInsertionPointToStart(branch.elseBlock());
    Type element = getElementTypeOrSelf(tile.getType());
    Value zero = fromStored(constant(stored, 0), element);
    fillRow(row, [&](const Block &at) { return Vectors(at.size(), zero); });
  });
  memo_.clear();
}

/// The load that a tile is, or is the extension of; null for others and where the load has a buffer.
tile::LoadOp KernelLowering::rowwiseLoad(Value tile) {
  if (findAny(tile))
    return {};
  Operation *op = tile.getDefiningOp();
  if (auto extension = dyn_cast_if_present<arith::ExtFOp>(op))
    return rowwiseLoad(extension.getIn());
  return dyn_cast_if_present<tile::LoadOp>(op);
}

void KernelLowering::fill(Value tile, const Buffer &buffer) {
  if (rankOf(tile.getType()) == 1) {
    if (tile::LoadOp load = rowwiseLoad(tile);
        load && load == tile.getDefiningOp() && Access::of(load).isElements())
      return gatherElements(load, buffer);
    loop(0, shapeOf(tile)[0], Machine::width, [&](Value column) {
      vector::StoreOp::create(builder_, location_, toStored(vector(tile, column)), buffer.memref,
                              ValueRange{column});
    });
    return;
  }
  if (rowwiseLoad(tile))
    return fillByRows(tile, buffer);
  forEachBlockOf(tile, hasLowerUsesOnly(tile),
                 [&](const Block &at) { storeBlock(block(tile, at), buffer, at); });
}

/// 8 vectors of 8 elements to their transpose, in three stages of shuffles.
static SmallVector<Value, 8> transpose8(OpBuilder &builder, Location loc, ArrayRef<Value> in) {
  auto shuffle = [&](Value a, Value b, ArrayRef<int64_t> mask) -> Value {
    return vector::ShuffleOp::create(builder, loc, a, b, mask);
  };
  SmallVector<Value, 8> pairs, quads, out;
  for (int i = 0; i < 8; i += 2) {
    pairs.push_back(shuffle(in[i], in[i + 1], {0, 8, 1, 9, 4, 12, 5, 13}));
    pairs.push_back(shuffle(in[i], in[i + 1], {2, 10, 3, 11, 6, 14, 7, 15}));
  }
  for (int i : {0, 4})
    for (int j : {0, 1}) {
      quads.push_back(shuffle(pairs[i + j], pairs[i + j + 2], {0, 1, 8, 9, 4, 5, 12, 13}));
      quads.push_back(shuffle(pairs[i + j], pairs[i + j + 2], {2, 3, 10, 11, 6, 7, 14, 15}));
    }
  for (int i = 0; i < 4; ++i)
    out.push_back(shuffle(quads[i], quads[i + 4], {0, 1, 2, 3, 8, 9, 10, 11}));
  for (int i = 0; i < 4; ++i)
    out.push_back(shuffle(quads[i], quads[i + 4], {4, 5, 6, 7, 12, 13, 14, 15}));
  return out;
}

void KernelLowering::fillTransposed(Value tile, const Buffer &buffer) {
  constexpr int64_t width = Machine::width;
  int64_t rows = shapeOf(tile)[0], columns = shapeOf(tile)[1];
  int64_t panels = roundUp(columns, width) / width;
  // Element (i, j) of the tile lies at [i / width][j][i % width].
  auto place = [&](Value row, auto &&store) {
    Value w = index(width);
    store(arith::DivUIOp::create(builder_, location_, row, w),
          arith::RemUIOp::create(builder_, location_, row, w));
  };
  if (rows % 8 == 0) {
    loop(0, rows, 8, [&](Value row) {
      place(row, [&](Value rowPanel, Value lane) {
        loop(0, panels, 1, [&](Value panel) {
          memo_.clear();
          Value column = multiply(panel, width);
          Vectors vectors = block(tile, {row, 8, panel, column});
          for (int64_t half = 0; half < width; half += 8) {
            SmallVector<Value, 8> eights;
            for (Value vector : vectors)
              eights.push_back(
                  vector::ExtractStridedSliceOp::create(builder_, location_, vector, ArrayRef<int64_t>{half},
                                                        ArrayRef<int64_t>{8}, ArrayRef<int64_t>{1}));
            for (auto [c, vector] : llvm::enumerate(transpose8(builder_, location_, eights)))
              vector::StoreOp::create(builder_, location_, vector, buffer.memref,
                                      ValueRange{rowPanel, add(column, half + int64_t(c)), lane});
          }
        });
      });
    });
  } else {
    loop(0, rows, 1, [&](Value row) {
      place(row, [&](Value rowPanel, Value lane) {
        loop(0, panels, 1, [&](Value panel) {
          memo_.clear();
          Value column = multiply(panel, width);
          Value vector = block(tile, {row, 1, panel, column}).front();
          for (int64_t c = 0; c < width; ++c) {
            Value element = vector::ExtractOp::create(builder_, location_, vector, ArrayRef<int64_t>{c});
            memref::StoreOp::create(builder_, location_, element, buffer.memref,
                                    ValueRange{rowPanel, add(column, c), lane});
          }
        });
      });
    });
  }
  memo_.clear();
}

Buffer KernelLowering::materialize(Value tile, Layout layout) {
  if (const Buffer *existing = find(tile, layout))
    return *existing;
  Buffer buffer = allocate(tile.getType(), layout);
  if (layout == Layout::transposedPanels)
    fillTransposed(tile, buffer);
  else
    fill(tile, buffer);
  buffers_[tile].push_back(buffer);
  return buffer;
}

/// Only elements on and below the diagonal are ever read.
bool KernelLowering::hasLowerUsesOnly(Value tile) {
  if (tile.use_empty())
    return false;
  for (OpOperand &use : tile.getUses()) {
    Operation *user = use.getOwner();
    if (auto dot = dyn_cast<tile::DotOp>(user)) {
      if (dot.getTriangle() != tile::Triangle::lhs_lower || use.getOperandNumber() != 0 ||
          dot.getTransposeLhs())
        return false;
    } else if (auto solve = dyn_cast<tile::SolveOp>(user)) {
      if (use.getOperandNumber() >= solve.getSystems().size())
        return false;
    } else if (isa<tile::DecayValuesOp>(user)) {
      if (use.getOperandNumber() != 0)
        return false;
    } else if (!isElementwise(user) || !hasLowerUsesOnly(user->getResult(0))) {
      return false;
    }
  }
  return true;
}

/// Whether recomputing the tile costs more than reading it back.
bool KernelLowering::isExpensive(Value tile, int &budget) {
  if (rankOf(tile.getType()) < 2 || findAny(tile))
    return false;
  Operation *op = tile.getDefiningOp();
  if (!op || isa<arith::ConstantOp, tile::BroadcastOp, tile::CoordinateOp>(op))
    return false;
  if (isa<tile::LoadOp, tile::DotOp, arith::DivFOp>(op) || isa<math::MathDialect>(op->getDialect()) ||
      --budget < 0)
    return true;
  return llvm::any_of(op->getOperands(), [&](Value operand) { return isExpensive(operand, budget); });
}

/// Called where `tile` is defined, in program order.
void KernelLowering::decide(Value tile) {
  Operation *op = tile.getDefiningOp();
  Type element = getElementTypeOrSelf(tile.getType());
  bool trivial = isa<arith::ConstantOp, tile::CoordinateOp>(op) ||
                 (isa<tile::BroadcastOp>(op) && rankOf(op->getOperand(0).getType()) == 0);
  if (rankOf(tile.getType()) == 1) {
    // Bits are recomputed from what they compare; everything else of rank 1 is small.
    auto load = dyn_cast<tile::LoadOp>(op);
    bool passThrough =
        load && !Access::of(load).isElements() &&
        llvm::all_of(tile.getUsers(), [](Operation *user) { return isa<arith::ExtFOp>(user); });
    if (!trivial && !tile.use_empty() && !passThrough && (load || !element.isInteger(1)))
      materialize(tile, Layout::rows);
    return;
  }
  bool rows = false, panels = false, transposed = false;
  int64_t others = 0;
  for (OpOperand &use : tile.getUses()) {
    Operation *user = use.getOwner();
    unsigned operand = use.getOperandNumber();
    if (auto dot = dyn_cast<tile::DotOp>(user); dot && operand == 0)
      rows = true;
    else if (dot && operand == 1)
      (dot.getTransposeRhs() ? transposed : panels) = true;
    else if (auto solve = dyn_cast<tile::SolveOp>(user); solve && operand < solve.getSystems().size())
      rows = true;
    else if (isa<tile::DecayScoresOp, tile::DecayValuesOp, tile::ExtractOp, tile::TransposeOp>(user))
      rows = true;
    else
      // A consumer in an inner loop asks again and again.
      others += user->getBlock() == op->getBlock() ? 1 : 2;
  }
  int budget = 8;
  bool passThrough = isa<tile::LoadOp>(op) && others == 1 && !rows && !panels && !transposed;
  bool costly = others > 1 && !trivial && !passThrough && isExpensive(tile, budget);
  if (rows || costly || (transposed && others > 0 && !panels))
    materialize(tile, Layout::rows);
  if (panels)
    materialize(tile, Layout::panels);
  if (transposed)
    materialize(tile, Layout::transposedPanels);
}
