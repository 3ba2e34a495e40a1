// Reductions, cumulative sums, transposition and extraction: always materialised.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

static Value combine(OpBuilder &builder, Location loc, tile::ReduceKind kind, Value lhs, Value rhs) {
  switch (kind) {
  case tile::ReduceKind::add:
    return arith::AddFOp::create(builder, loc, lhs, rhs);
  case tile::ReduceKind::max:
    return arith::MaxNumFOp::create(builder, loc, lhs, rhs, arith::FastMathFlags::nsz);
  case tile::ReduceKind::min:
    return arith::MinNumFOp::create(builder, loc, lhs, rhs, arith::FastMathFlags::nsz);
  }
  llvm_unreachable("all kinds are listed");
}

static Value combineLanes(OpBuilder &builder, Location loc, tile::ReduceKind kind, Value vector) {
  auto combining = kind == tile::ReduceKind::add   ? vector::CombiningKind::ADD
                   : kind == tile::ReduceKind::max ? vector::CombiningKind::MAXNUMF
                                                   : vector::CombiningKind::MINNUMF;
  // Lanes may be added in any order: a tree is faster, and no less exact, than a chain.
  return vector::ReductionOp::create(builder, loc, combining, vector, arith::FastMathFlags::reassoc);
}

void KernelLowering::lowerReduce(tile::ReduceOp op) {
  Value source = op.getSource();
  tile::ReduceKind kind = op.getKind();
  VectorType type = vectorType(builder_.getF32Type());
  constexpr int64_t width = Machine::width;
  ArrayRef<int64_t> shape = shapeOf(source);
  int64_t columns = shape.back(), panels = roundUp(columns, width) / width;
  Value start = constant(type, neutral(kind));
  auto unpadded = [&](Value vector, Value column) -> Value {
    if (columns % width == 0)
      return vector;
    return arith::SelectOp::create(builder_, location_, columnMask(column, columns), vector, start);
  };

  if (shape.size() == 1) {
    Vectors sum = loop(index(0), index(columns), width, {start}, [&](Value column, ValueRange carried) {
      return Vectors{
          combine(builder_, location_, kind, carried[0], unpadded(vector(source, column), column))};
    });
    scalars_.map(op.getResult(), combineLanes(builder_, location_, kind, sum[0]));
    return;
  }
  Buffer buffer = allocate(op.getType(), Layout::rows);
  buffers_[op.getResult()].push_back(buffer);
  int64_t rows = blockRows(shape[0]);
  if (op.getAxis() == 1) {
    loop(0, shape[0], rows, [&](Value row) {
      Vectors sums =
          loop(index(0), index(panels), 1, Vectors(rows, start), [&](Value panel, ValueRange carried) {
            memo_.clear();
            Value column = multiply(panel, width);
            Vectors vectors = block(source, {row, rows, panel, column});
            for (auto [sum, vector] : llvm::zip(carried, vectors))
              vector = combine(builder_, location_, kind, sum, unpadded(vector, column));
            return vectors;
          });
      for (int64_t r = 0; r < rows; ++r)
        memref::StoreOp::create(builder_, location_, combineLanes(builder_, location_, kind, sums[r]),
                                buffer.memref, add(row, r));
    });
  } else {
    loop(0, panels, 1, [&](Value panel) {
      Value column = multiply(panel, width);
      Vectors sums =
          loop(index(0), index(shape[0]), rows, Vectors(rows, start), [&](Value row, ValueRange carried) {
            memo_.clear();
            Vectors vectors = block(source, {row, rows, panel, column});
            for (auto [sum, vector] : llvm::zip(carried, vectors))
              vector = combine(builder_, location_, kind, sum, vector);
            return vectors;
          });
      for (size_t half = sums.size() / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; ++i)
          sums[i] = combine(builder_, location_, kind, sums[i], sums[i + half]);
      vector::StoreOp::create(builder_, location_, sums[0], buffer.memref, ValueRange{column});
    });
  }
  memo_.clear();
}

/// Knuth's TwoSum: sum + error is exactly total + value.
static std::pair<Value, Value> twoSum(OpBuilder &builder, Location loc, Value total, Value value) {
  Value sum = arith::AddFOp::create(builder, loc, total, value);
  Value back = arith::SubFOp::create(builder, loc, sum, total);
  Value lostTotal =
      arith::SubFOp::create(builder, loc, total, arith::SubFOp::create(builder, loc, sum, back));
  Value lostValue = arith::SubFOp::create(builder, loc, value, back);
  return {sum, arith::AddFOp::create(builder, loc, lostTotal, lostValue)};
}

void KernelLowering::lowerCumsum(tile::CumsumOp op) {
  Value source = op.getSource();
  Buffer sums = allocate(source.getType(), Layout::rows), errors = allocate(source.getType(), Layout::rows);
  bool exclusive = op.getExclusive();
  ArrayRef<int64_t> shape = shapeOf(source);
  // Rank 1 runs on scalars, rank 2 on a vector for each panel of columns.
  auto run = [&](Value zero, function_ref<Value(Value)> read, function_ref<void(Value, Value, Value)> write) {
    loop(index(0), index(shape[0]), 1, {zero, zero}, [&](Value row, ValueRange carried) {
      Value value = read(row);
      if (exclusive)
        write(row, carried[0], carried[1]);
      auto [sum, lost] = twoSum(builder_, location_, carried[0], value);
      Value error = arith::AddFOp::create(builder_, location_, carried[1], lost);
      if (!exclusive)
        write(row, sum, error);
      return Vectors{sum, error};
    });
  };
  if (shape.size() == 1) {
    run(
        constant(builder_.getF32Type(), 0), [&](Value row) { return scalar(source, row); },
        [&](Value row, Value sum, Value error) {
          memref::StoreOp::create(builder_, location_, sum, sums.memref, row);
          memref::StoreOp::create(builder_, location_, error, errors.memref, row);
        });
  } else {
    loop(0, roundUp(shape[1], Machine::width) / Machine::width, 1, [&](Value panel) {
      Value column = multiply(panel, Machine::width);
      run(
          constant(vectorType(builder_.getF32Type()), 0),
          [&](Value row) {
            memo_.clear();
            return block(source, {row, 1, panel, column}).front();
          },
          [&](Value row, Value sum, Value error) {
            storeBuffer(sum, sums, row, panel, column);
            storeBuffer(error, errors, row, panel, column);
          });
    });
    memo_.clear();
  }
  buffers_[op.getSum()].push_back(sums);
  buffers_[op.getError()].push_back(errors);
}

void KernelLowering::lowerCumprod(tile::CumprodOp op) {
  Value source = op.getSource();
  Buffer products = allocate(source.getType(), Layout::rows);
  ArrayRef<int64_t> shape = shapeOf(source);
  // From one end of the rows to the other, with the product of the rows that were met.
  auto run = [&](ValueRange ones, function_ref<Vectors(Value)> read,
                 function_ref<void(Value, ValueRange)> write) {
    loop(index(0), index(shape[0]), 1, ones, [&](Value step, ValueRange carried) {
      Value row = op.getReversed()
                      ? Value(arith::SubIOp::create(builder_, location_, index(shape[0] - 1), step))
                      : step;
      Vectors next;
      for (auto [product, value] : llvm::zip(carried, read(row)))
        next.push_back(arith::MulFOp::create(builder_, location_, product, value));
      write(row, op.getExclusive() ? carried : ValueRange(next));
      return next;
    });
  };
  if (shape.size() == 1) {
    run(
        constant(builder_.getF32Type(), 1), [&](Value row) { return Vectors{scalar(source, row)}; },
        [&](Value row, ValueRange product) {
          memref::StoreOp::create(builder_, location_, product[0], products.memref, row);
        });
  } else {
    int64_t together = panelsOfRow(source);
    loop(0, roundUp(shape[1], Machine::width) / Machine::width, together, [&](Value panel) {
      Value column = multiply(panel, Machine::width);
      run(
          Vectors(together, constant(vectorType(builder_.getF32Type()), 1)),
          [&](Value row) {
            memo_.clear();
            return block(source, {row, 1, panel, column, together});
          },
          [&](Value row, ValueRange product) {
            storeBlock(Vectors(product), products, {row, 1, panel, column, together});
          });
    });
    memo_.clear();
  }
  buffers_[op.getResult()].push_back(products);
}

void KernelLowering::lowerTranspose(tile::TransposeOp op) {
  // The panels of the transpose are what a right-hand side needs; other uses read them as panels too.
  Buffer source = materialize(op.getSource(), Layout::rows);
  Buffer buffer = allocate(op.getType(), Layout::rows);
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  loop(0, shape[0], 1, [&](Value row) {
    loop(0, shape[1], 1, [&](Value column) {
      Value element = memref::LoadOp::create(builder_, location_, source.memref, ValueRange{column, row});
      memref::StoreOp::create(builder_, location_, element, buffer.memref, ValueRange{row, column});
    });
  });
  buffers_[op.getResult()].push_back(buffer);
}

void KernelLowering::lowerExtract(tile::ExtractOp op) {
  Value source = op.getSource(), at = scalarOf(op.getIndex());
  if (rankOf(source.getType()) == 1) {
    scalars_.map(op.getResult(), scalar(source, at));
    return;
  }
  Buffer rows = materialize(source, Layout::rows);
  Buffer buffer = allocate(op.getType(), Layout::rows);
  loop(0, shapeOf(op.getResult())[0], Machine::width, [&](Value column) {
    Value vector = loadBuffer(rows, builder_.getF32Type(), at, {}, column);
    vector::StoreOp::create(builder_, location_, vector, buffer.memref, ValueRange{column});
  });
  buffers_[op.getResult()].push_back(buffer);
}
