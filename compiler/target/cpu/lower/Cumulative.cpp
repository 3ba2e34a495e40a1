// Cumulative sums and products: from one end of the rows to the other, with what the rows so far came to.
#include "compiler/target/cpu/buffers/Fill.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Nests.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

/// Knuth's TwoSum: sum + error is exactly total + value.
static std::pair<Value, Value> twoSum(Emit &emit, Value total, Value value) {
  Value sum = arith::AddFOp::create(emit, total, value);
  Value back = arith::SubFOp::create(emit, sum, total);
  Value lostTotal = arith::SubFOp::create(emit, total, arith::SubFOp::create(emit, sum, back));
  Value lostValue = arith::SubFOp::create(emit, value, back);
  return {sum, arith::AddFOp::create(emit, lostTotal, lostValue)};
}

void linmu::cpu::lowerCumsum(Lowering &lowering, tile::CumsumOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Value source = op.getSource();
  Buffer sums = kernel.buffers.allocate(source.getType(), Layout::rows);
  Buffer errors = kernel.buffers.allocate(source.getType(), Layout::rows);
  bool exclusive = op.getExclusive();
  ArrayRef<int64_t> shape = shapeOf(source);
  // Rank 1 runs on scalars, rank 2 on a vector for each panel of columns.
  auto run = [&](Value zero, function_ref<Value(Value)> read, function_ref<void(Value, Value, Value)> write) {
    Value none = emit.index(0), end = emit.index(shape[0]);
    emit.loop(none, end, 1, {zero, zero}, [&](Value step, ValueRange carried) {
      Value row =
          op.getReversed() ? Value(arith::SubIOp::create(emit, emit.index(shape[0] - 1), step)) : step;
      Value value = read(row);
      if (exclusive)
        write(row, carried[0], carried[1]);
      auto [sum, lost] = twoSum(emit, carried[0], value);
      Value error = arith::AddFOp::create(emit, carried[1], lost);
      if (!exclusive)
        write(row, sum, error);
      return Vectors{sum, error};
    });
  };
  if (shape.size() == 1) {
    run(
        emit.constant(emit.getF32Type(), 0), [&](Value row) { return elementOf(kernel, source, row); },
        [&](Value row, Value sum, Value error) {
          memref::StoreOp::create(emit, sum, sums.memref, row);
          memref::StoreOp::create(emit, error, errors.memref, row);
        });
  } else {
    emit.loop(0, panelsOf(shape[1]), 1, [&](Value panel) {
      Value column = emit.multiply(panel, Machine::width);
      run(
          emit.constant(vectorType(emit.getF32Type()), 0),
          [&](Value row) { return BlockValues(lowering, {row, 1, panel, column}).of(source).front(); },
          [&](Value row, Value sum, Value error) {
            kernel.buffers.store(sum, sums, row, panel, column);
            kernel.buffers.store(error, errors, row, panel, column);
          });
    });
  }
  kernel.buffers.add(op.getSum(), sums);
  kernel.buffers.add(op.getError(), errors);
}

void linmu::cpu::lowerCumprod(Lowering &lowering, tile::CumprodOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Value source = op.getSource();
  Buffer products = kernel.buffers.allocate(source.getType(), Layout::rows);
  ArrayRef<int64_t> shape = shapeOf(source);
  auto run = [&](ValueRange ones, function_ref<Vectors(Value)> read,
                 function_ref<void(Value, ValueRange)> write) {
    int64_t every = op.getEvery().value_or(shape[0]);
    emit.loop(0, shape[0], every, [&](Value first) {
      Value left = arith::SubIOp::create(emit, emit.index(shape[0]), first);
      Value count = arith::MinUIOp::create(emit, left, emit.index(every));
      Value last = arith::SubIOp::create(emit, count, emit.index(1));
      emit.loop(emit.index(0), count, 1, ones, [&](Value step, ValueRange carried) {
        Value inside = op.getReversed() ? Value(arith::SubIOp::create(emit, last, step)) : step;
        Value row = arith::AddIOp::create(emit, first, inside);
        Vectors next;
        for (auto [product, value] : llvm::zip(carried, read(row)))
          next.push_back(arith::MulFOp::create(emit, product, value));
        write(row, op.getExclusive() ? carried : ValueRange(next));
        return next;
      });
    });
  };
  if (shape.size() == 1) {
    run(
        emit.constant(emit.getF32Type(), 1),
        [&](Value row) { return Vectors{elementOf(kernel, source, row)}; },
        [&](Value row, ValueRange product) {
          memref::StoreOp::create(emit, product[0], products.memref, row);
        });
  } else {
    int64_t together = panelsOfRow(source);
    emit.loop(0, panelsOf(shape[1]), together, [&](Value panel) {
      Value column = emit.multiply(panel, Machine::width);
      run(
          Vectors(together, emit.constant(vectorType(emit.getF32Type()), 1)),
          [&](Value row) { return BlockValues(lowering, {row, 1, panel, column, together}).of(source); },
          [&](Value row, ValueRange product) {
            storeBlock(kernel, Vectors(product), products, {row, 1, panel, column, together});
          });
    });
  }
  kernel.buffers.add(op.getResult(), products);
}
