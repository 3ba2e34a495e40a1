// Operands in memory: loads, gathers and stores.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

int64_t linmu::cpu::gatheredAxis(OperandRange indices) {
  for (auto [axis, index] : llvm::enumerate(indices))
    if (rankOf(index.getType()) == 1)
      return axis;
  return -1;
}

/// Indices of one element or row: scalars as they are, the gathered axis replaced by `row`.
template <typename Lookup>
static SmallVector<Value> indicesAt(OperandRange indices, Value row, Lookup &&lookup) {
  SmallVector<Value> result;
  for (Value index : indices)
    result.push_back(rankOf(index.getType()) == 1 ? row : lookup(index));
  return result;
}

LogicalResult KernelLowering::lowerLoad(tile::LoadOp op) {
  if (rankOf(op.getType()) > 0) {
    decide(op.getResult());
    return success();
  }
  SmallVector<Value> at = indicesAt(op.getIndices(), {}, [&](Value index) { return scalarOf(index); });
  Value loaded = memref::LoadOp::create(builder_, location_, memrefOf(op.getSource()), at);
  scalars_.map(op.getResult(), fromStored(loaded, op.getType()));
  return success();
}

/// A block of a rank-2 load.
KernelLowering::Vectors KernelLowering::loadBlock(tile::LoadOp op, const Block &at) {
  Value memory = memrefOf(op.getSource());
  Type stored = cast<MemRefType>(memory.getType()).getElementType();
  int64_t gathered = gatheredAxis(op.getIndices());
  int64_t columns = shapeOf(op.getResult())[1];
  bool ragged = columns % Machine::width;
  Vectors result;
  forEachVector(at, [&](Value row, Value, Value column) {
    if (gathered >= 0)
      row = arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                       scalar(op.getIndices()[gathered], row));
    SmallVector<Value> indices =
        indicesAt(op.getIndices(), row, [&](Value index) { return scalarOf(index); });
    if (gathered < 0)
      indices.push_back(row);
    indices.push_back(column);
    VectorType type = vectorType(stored);
    Value loaded = ragged
                       ? Value(vector::MaskedLoadOp::create(builder_, location_, type, memory, indices,
                                                            columnMask(column, columns), constant(type, 0)))
                       : Value(vector::LoadOp::create(builder_, location_, type, memory, indices));
    result.push_back(fromStored(loaded, getElementTypeOrSelf(op.getType())));
  });
  return result;
}

/// Columns [column, column + width) of a rank-1 load of contiguous features.
Value KernelLowering::loadVector(tile::LoadOp op, Value column) {
  Value memory = memrefOf(op.getSource());
  VectorType type = vectorType(cast<MemRefType>(memory.getType()).getElementType());
  int64_t columns = shapeOf(op.getResult())[0];
  Type element = getElementTypeOrSelf(op.getType());
  if (int64_t gathered = gatheredAxis(op.getIndices()); gathered >= 0) {
    // One element a row: lane by lane, the last row again in the padding.
    Value result = constant(type, 0);
    for (int64_t lane = 0; lane < Machine::width; ++lane) {
      Value row = arith::MinUIOp::create(builder_, location_, add(column, lane), index(columns - 1));
      Value at = arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                            scalar(op.getIndices()[gathered], row));
      Value loaded = memref::LoadOp::create(
          builder_, location_, memory, indicesAt(op.getIndices(), at, [&](Value i) { return scalarOf(i); }));
      result = vector::InsertOp::create(builder_, location_, loaded, result, ArrayRef<int64_t>{lane});
    }
    return fromStored(result, element);
  }
  SmallVector<Value> indices = indicesAt(op.getIndices(), {}, [&](Value index) { return scalarOf(index); });
  indices.push_back(column);
  Value loaded = columns % Machine::width
                     ? Value(vector::MaskedLoadOp::create(builder_, location_, type, memory, indices,
                                                          columnMask(column, columns), constant(type, 0)))
                     : Value(vector::LoadOp::create(builder_, location_, type, memory, indices));
  return fromStored(loaded, element);
}

LogicalResult KernelLowering::lowerStore(tile::StoreOp op) {
  Value memory = memrefOf(op.getDestination()), tile = op.getValue();
  int64_t gathered = gatheredAxis(op.getIndices());
  auto lookup = [&](Value index) { return scalarOf(index); };
  auto rowIndex = [&](Value row) -> Value {
    return arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                      scalar(op.getIndices()[gathered], row));
  };
  auto storeVector = [&](Value vector, SmallVector<Value> indices, Value column, int64_t columns) {
    indices.push_back(column);
    if (columns % Machine::width)
      vector::MaskedStoreOp::create(builder_, location_, memory, indices, columnMask(column, columns),
                                    vector);
    else
      vector::StoreOp::create(builder_, location_, vector, memory, indices);
  };
  Value mask = op.getMask();
  bool rowMask = mask && rankOf(mask.getType()) == 1;
  auto stored = [&](Value value) { // i1 operands are bytes
    if (!getElementTypeOrSelf(value.getType()).isInteger(1))
      return toStored(value);
    Type type = builder_.getI8Type();
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      type = vector.clone(type);
    return Value(arith::ExtUIOp::create(builder_, location_, type, value));
  };

  guarded(mask && !rowMask ? scalarOf(mask) : Value(), [&] {
    int64_t rank = rankOf(tile.getType());
    if (rank == 0) {
      memref::StoreOp::create(builder_, location_, stored(scalarOf(tile)), memory,
                              indicesAt(op.getIndices(), {}, lookup));
    } else if (rank == 1 && gathered >= 0) {
      loop(0, shapeOf(tile)[0], 1, [&](Value row) {
        guarded(rowMask ? scalar(mask, row) : Value(), [&] {
          memref::StoreOp::create(builder_, location_, stored(scalar(tile, row)), memory,
                                  indicesAt(op.getIndices(), rowIndex(row), lookup));
        });
      });
    } else if (rank == 1) {
      int64_t columns = shapeOf(tile)[0];
      loop(0, columns, Machine::width, [&](Value column) {
        storeVector(stored(vector(tile, column)), indicesAt(op.getIndices(), {}, lookup), column, columns);
      });
    } else {
      int64_t columns = shapeOf(tile)[1];
      forEachBlockOf(tile, false, [&](const Block &at) {
        Vectors vectors = block(tile, at);
        for (int64_t r = 0; r < at.rows; ++r) {
          Value row = add(at.row, r);
          guarded(rowMask ? scalar(mask, row) : Value(), [&] {
            SmallVector<Value> indices =
                indicesAt(op.getIndices(), gathered >= 0 ? rowIndex(row) : Value(), lookup);
            if (gathered < 0)
              indices.push_back(row);
            for (int64_t p = 0; p < at.panels; ++p)
              storeVector(stored(vectors[p * at.rows + r]), indices, add(at.column, p * Machine::width),
                          columns);
          });
        }
      });
    }
  });
  return success();
}
