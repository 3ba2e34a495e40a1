#include "compiler/target/cpu/buffers/Fill.h"
#include "compiler/target/cpu/buffers/Uses.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Nests.h"
#include "compiler/target/cpu/lower/Operands.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

void linmu::cpu::storeBlock(Kernel &kernel, ArrayRef<Value> vectors, const Buffer &buffer,
                            const RegisterBlock &at) {
  forEachVector(kernel.emit, at, [&](Value row, Value panel, Value column) {
    kernel.buffers.store(vectors.consume_front(), buffer, row, panel, column);
  });
}

void linmu::cpu::copyBuffer(Lowering &lowering, Value tile, const Buffer &from, const Buffer &to) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  if (rankOf(tile.getType()) == 1) {
    VectorType type = vectorType(elementTypeOf(from.memref));
    emit.loop(0, shapeOf(tile)[0], Machine::width, [&](Value column) {
      Value vector = vector::LoadOp::create(emit, type, from.memref, ValueRange{column});
      vector::StoreOp::create(emit, vector, to.memref, ValueRange{column});
    });
    return;
  }
  Type element = getElementTypeOrSelf(tile.getType());
  forEachBlock(kernel, shapeOf(tile), false, 1, [&](const RegisterBlock &at) {
    forEachVector(emit, at, [&](Value row, Value panel, Value column) {
      kernel.buffers.store(kernel.buffers.load(from, element, row, panel, column), to, row, panel, column);
    });
  });
}

/// The load that a tile is, or is the extension of; null for others and where the load has a buffer.
static tile::LoadOp rowwiseLoad(const Buffers &buffers, Value tile) {
  if (buffers.findReadable(tile))
    return {};
  Operation *op = tile.getDefiningOp();
  if (auto extension = dyn_cast_if_present<arith::ExtFOp>(op))
    return rowwiseLoad(buffers, extension.getIn());
  return dyn_cast_if_present<tile::LoadOp>(op);
}

/// Loads row by row, so that where a row lies is computed once for several panels. Dead rows are zero.
static void fillByRows(Lowering &lowering, tile::LoadOp load, Value tile, const Buffer &buffer) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  int64_t panels = panelsOf(shapeOf(tile)[1]), together = panelsOfRow(tile);
  Value rows = Access::of(load).rowIndex();
  VectorType stored = vectorType(elementTypeOf(buffer.memref));
  auto fillRow = [&](Value row, function_ref<Vectors(const RegisterBlock &)> vectorsAt) {
    emit.loop(0, panels, together, [&](Value first) {
      RegisterBlock at{row, 1, first, emit.multiply(first, Machine::width), together};
      storeBlock(kernel, vectorsAt(at), buffer, at);
    });
  };
  emit.loop(0, shapeOf(tile)[0], 1, [&](Value row) {
    auto live = [&] {
      fillRow(row, [&](const RegisterBlock &at) { return BlockValues(lowering, at).of(tile); });
    };
    auto dead = [&] {
      Value zero = emit.fromStored(emit.constant(stored, 0), getElementTypeOrSelf(tile.getType()));
      fillRow(row, [&](const RegisterBlock &at) { return Vectors(at.size(), zero); });
    };
    Value isLiveRow = lowering.places.isLive(rows, row);
    if (!isLiveRow)
      return live();
    emit.either(isLiveRow, [&] { lowering.places.whileLive(rows, live); }, dead);
  });
}

/// 8 vectors of 8 elements to their transpose, in three stages of shuffles.
static SmallVector<Value, 8> transpose8(Emit &emit, ArrayRef<Value> in) {
  auto shuffle = [&](Value a, Value b, ArrayRef<int64_t> mask) -> Value {
    return vector::ShuffleOp::create(emit, a, b, mask);
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

/// Element (i, j) of the tile lies at [i / width][j][i % width]. Eight rows at a time are transposed in
/// registers; where their number is no multiple of eight, elements are stored one by one.
static void fillTransposed(Lowering &lowering, Value tile, const Buffer &buffer) {
  Emit &emit = lowering.kernel.emit;
  constexpr int64_t width = Machine::width;
  int64_t rows = shapeOf(tile)[0], panels = panelsOf(shapeOf(tile)[1]);
  int64_t together = rows % 8 == 0 ? 8 : 1;
  auto storeEight = [&](const Vectors &vectors, Value rowPanel, Value column, Value lane) {
    for (int64_t half = 0; half < width; half += 8) {
      SmallVector<Value, 8> eights;
      for (Value vector : vectors)
        eights.push_back(vector::ExtractStridedSliceOp::create(emit, vector, ArrayRef<int64_t>{half},
                                                               ArrayRef<int64_t>{8}, ArrayRef<int64_t>{1}));
      for (auto [c, vector] : llvm::enumerate(transpose8(emit, eights)))
        vector::StoreOp::create(emit, vector, buffer.memref,
                                ValueRange{rowPanel, emit.add(column, half + int64_t(c)), lane});
    }
  };
  auto storeOne = [&](Value vector, Value rowPanel, Value column, Value lane) {
    for (int64_t c = 0; c < width; ++c) {
      Value element = vector::ExtractOp::create(emit, vector, ArrayRef<int64_t>{c});
      memref::StoreOp::create(emit, element, buffer.memref, ValueRange{rowPanel, emit.add(column, c), lane});
    }
  };
  emit.loop(0, rows, together, [&](Value row) {
    Value w = emit.index(width);
    Value rowPanel = arith::DivUIOp::create(emit, row, w), lane = arith::RemUIOp::create(emit, row, w);
    emit.loop(0, panels, 1, [&](Value panel) {
      Value column = emit.multiply(panel, width);
      Vectors vectors = BlockValues(lowering, {row, together, panel, column}).of(tile);
      if (together == 8)
        storeEight(vectors, rowPanel, column, lane);
      else
        storeOne(vectors.front(), rowPanel, column, lane);
    });
  });
}

/// Only elements on and below the diagonal are ever read.
static bool hasLowerUsesOnly(Value tile) {
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
    } else if (isa<tile::DecayValuesOp, tile::DecayPathsOp>(user)) {
      if (use.getOperandNumber() != 0)
        return false;
    } else if (!isElementwise(user) || !hasLowerUsesOnly(user->getResult(0))) {
      return false;
    }
  }
  return true;
}

static void fillVector(Lowering &lowering, Value tile, const Buffer &buffer) {
  Emit &emit = lowering.kernel.emit;
  tile::LoadOp load = rowwiseLoad(lowering.kernel.buffers, tile);
  if (load && load == tile.getDefiningOp() && Access::of(load).isElements())
    return gatherElements(lowering, load, buffer);
  emit.loop(0, shapeOf(tile)[0], Machine::width, [&](Value column) {
    Value stored = emit.toStored(vectorOf(lowering, tile, column));
    vector::StoreOp::create(emit, stored, buffer.memref, ValueRange{column});
  });
}

void linmu::cpu::fill(Lowering &lowering, Value tile, const Buffer &buffer) {
  if (rankOf(tile.getType()) == 1)
    return fillVector(lowering, tile, buffer);
  if (buffer.layout == Layout::transposedPanels)
    return fillTransposed(lowering, tile, buffer);
  if (tile::LoadOp load = rowwiseLoad(lowering.kernel.buffers, tile))
    return fillByRows(lowering, load, tile, buffer);
  forEachBlockOf(lowering, tile, hasLowerUsesOnly(tile), [&](const RegisterBlock &at) {
    storeBlock(lowering.kernel, BlockValues(lowering, at).of(tile), buffer, at);
  });
}

void linmu::cpu::materialize(Lowering &lowering, Value tile, Layout layout) {
  Buffers &buffers = lowering.kernel.buffers;
  if (buffers.find(tile, layout))
    return;
  Buffer buffer = buffers.allocate(tile.getType(), layout);
  fill(lowering, tile, buffer);
  buffers.add(tile, buffer);
}
