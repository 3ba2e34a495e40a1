// Reductions along an axis.
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Nests.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

static double neutral(tile::ReduceKind kind) {
  switch (kind) {
  case tile::ReduceKind::add:
    return 0;
  case tile::ReduceKind::max:
    return -std::numeric_limits<double>::infinity();
  case tile::ReduceKind::min:
    return std::numeric_limits<double>::infinity();
  }
  llvm_unreachable("all kinds are listed");
}

static Value combine(Emit &emit, tile::ReduceKind kind, Value lhs, Value rhs) {
  switch (kind) {
  case tile::ReduceKind::add:
    return arith::AddFOp::create(emit, lhs, rhs);
  case tile::ReduceKind::max:
    return arith::MaxNumFOp::create(emit, lhs, rhs, arith::FastMathFlags::nsz);
  case tile::ReduceKind::min:
    return arith::MinNumFOp::create(emit, lhs, rhs, arith::FastMathFlags::nsz);
  }
  llvm_unreachable("all kinds are listed");
}

static Value combineLanes(Emit &emit, tile::ReduceKind kind, Value vector) {
  auto combining = kind == tile::ReduceKind::add   ? vector::CombiningKind::ADD
                   : kind == tile::ReduceKind::max ? vector::CombiningKind::MAXNUMF
                                                   : vector::CombiningKind::MINNUMF;
  // Lanes may be added in any order: a tree is faster, and no less exact, than a chain.
  return vector::ReductionOp::create(emit, combining, vector, arith::FastMathFlags::reassoc);
}

/// Each row to one element: lanes that are padding count as nothing.
static void reduceColumns(Lowering &lowering, tile::ReduceOp op, Value start, const Buffer &buffer,
                          function_ref<Value(Value, Value)> unpadded) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  ArrayRef<int64_t> shape = shapeOf(op.getSource());
  int64_t rows = blockRows(kernel, shape[0]);
  emit.loop(0, shape[0], rows, [&](Value row) {
    Value none = emit.index(0), end = emit.index(panelsOf(shape[1]));
    Vectors sums = emit.loop(none, end, 1, Vectors(rows, start), [&](Value panel, ValueRange carried) {
      Value column = emit.multiply(panel, Machine::width);
      Vectors vectors = BlockValues(lowering, {row, rows, panel, column}).of(op.getSource());
      for (auto [sum, vector] : llvm::zip(carried, vectors))
        vector = combine(emit, op.getKind(), sum, unpadded(vector, column));
      return vectors;
    });
    for (int64_t r = 0; r < rows; ++r) {
      Value total = combineLanes(emit, op.getKind(), sums[r]);
      memref::StoreOp::create(emit, total, buffer.memref, emit.add(row, r));
    }
  });
}

/// Each column to one element: several rows side by side, which are combined in the end.
static void reduceRows(Lowering &lowering, tile::ReduceOp op, Value start, const Buffer &buffer) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  ArrayRef<int64_t> shape = shapeOf(op.getSource());
  int64_t rows = blockRows(kernel, shape[0]);
  emit.loop(0, panelsOf(shape[1]), 1, [&](Value panel) {
    Value column = emit.multiply(panel, Machine::width);
    Value none = emit.index(0), end = emit.index(shape[0]);
    Vectors sums = emit.loop(none, end, rows, Vectors(rows, start), [&](Value row, ValueRange carried) {
      Vectors vectors = BlockValues(lowering, {row, rows, panel, column}).of(op.getSource());
      for (auto [sum, vector] : llvm::zip(carried, vectors))
        vector = combine(emit, op.getKind(), sum, vector);
      return vectors;
    });
    for (size_t half = sums.size() / 2; half > 0; half /= 2)
      for (size_t i = 0; i < half; ++i)
        sums[i] = combine(emit, op.getKind(), sums[i], sums[i + half]);
    vector::StoreOp::create(emit, sums[0], buffer.memref, ValueRange{column});
  });
}

void linmu::cpu::lowerReduce(Lowering &lowering, tile::ReduceOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Value source = op.getSource();
  ArrayRef<int64_t> shape = shapeOf(source);
  int64_t columns = shape.back();
  Value start = emit.constant(vectorType(emit.getF32Type()), neutral(op.getKind()));
  auto unpadded = [&](Value vector, Value column) -> Value {
    if (columns % Machine::width == 0)
      return vector;
    Value mask = emit.lanesBefore(emit.index(columns), column);
    return arith::SelectOp::create(emit, mask, vector, start);
  };
  if (shape.size() == 1) {
    Value none = emit.index(0), end = emit.index(columns);
    Vectors sum = emit.loop(none, end, Machine::width, {start}, [&](Value column, ValueRange carried) {
      Value vector = unpadded(vectorOf(lowering, source, column), column);
      return Vectors{combine(emit, op.getKind(), carried[0], vector)};
    });
    kernel.scalars.map(op.getResult(), combineLanes(emit, op.getKind(), sum[0]));
    return;
  }
  Buffer buffer = kernel.buffers.allocate(op.getType(), Layout::rows);
  kernel.buffers.add(op.getResult(), buffer);
  if (op.getAxis() == 1)
    reduceColumns(lowering, op, start, buffer, unpadded);
  else
    reduceRows(lowering, op, start, buffer);
}
