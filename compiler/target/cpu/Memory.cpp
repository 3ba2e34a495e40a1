// Operands in memory: loads, gathers and stores.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

LogicalResult KernelLowering::lowerLoad(tile::LoadOp op) {
  if (failed(checkAccess(op, op.getSource(), op.getIndices())))
    return failure();
  if (rankOf(op.getType()) > 0) {
    decide(op.getResult());
    return success();
  }
  SmallVector<Value> place = placeOf(Access::of(op), {}, {});
  Value loaded = memref::LoadOp::create(builder_, location_, memrefOf(op.getSource()), place);
  scalars_.map(op.getResult(), fromStored(loaded, op.getType()));
  return success();
}

/// A vector of elements that lie together; lanes that the mask leaves out are 0.
Value KernelLowering::loadLanes(Value memory, ValueRange place, Value mask) {
  VectorType type = vectorType(cast<MemRefType>(memory.getType()).getElementType());
  if (!mask)
    return vector::LoadOp::create(builder_, location_, type, memory, place);
  return vector::MaskedLoadOp::create(builder_, location_, type, memory, place, mask, constant(type, 0));
}

/// A block of a rank-2 load.
KernelLowering::Vectors KernelLowering::loadBlock(tile::LoadOp op, const Block &at) {
  Access access = Access::of(op);
  Value memory = memrefOf(op.getSource());
  Type element = getElementTypeOrSelf(op.getType());
  int64_t columns = shapeOf(op.getResult())[1];
  Vectors result;
  forEachVector(at, [&](Value row, Value, Value column) {
    Value mask = liveLanes(access.columnIndex(), column, columns);
    if (Value live = isLive(access.rowIndex(), row)) {
      Value lanes = vector::BroadcastOp::create(builder_, location_, vectorType(builder_.getI1Type()), live);
      mask = mask ? Value(arith::AndIOp::create(builder_, location_, mask, lanes)) : lanes;
    }
    result.push_back(fromStored(loadLanes(memory, placeOf(access, row, column), mask), element));
  });
  return result;
}

/// Columns [column, column + width) of a rank-1 load of elements that lie together.
Value KernelLowering::loadVector(tile::LoadOp op, Value column) {
  Access access = Access::of(op);
  Value mask = liveLanes(access.rowIndex(), column, shapeOf(op.getResult())[0]);
  return fromStored(loadLanes(memrefOf(op.getSource()), placeOf(access, column, {}), mask),
                    getElementTypeOrSelf(op.getType()));
}

/// One element of each row: at once where all are live, else one by one.
void KernelLowering::gatherElements(tile::LoadOp op, const Buffer &buffer) {
  Access access = Access::of(op);
  Value memory = memrefOf(op.getSource());
  Type element = getElementTypeOrSelf(op.getType());
  int64_t size = shapeOf(op.getResult())[0];
  auto load = [&](Value row) {
    return toStored(
        fromStored(memref::LoadOp::create(builder_, location_, memory, placeOf(access, row, {})), element));
  };
  auto store = [&](Value row) {
    memref::StoreOp::create(builder_, location_, load(row), buffer.memref, row);
  };
  auto all = [&] {
    VectorType type = vectorType(cast<MemRefType>(buffer.memref.getType()).getElementType());
    for (int64_t column = 0; column < size; column += Machine::width) {
      Value lanes = constant(type, 0);
      for (int64_t lane = 0; lane < Machine::width && column + lane < size; ++lane)
        lanes = vector::InsertOp::create(builder_, location_, load(index(column + lane)), lanes,
                                         ArrayRef<int64_t>{lane});
      vector::StoreOp::create(builder_, location_, lanes, buffer.memref, ValueRange{index(column)});
    }
  };
  Value allLive = isAllLive(access.rowIndex());
  if (!allLive)
    return all();
  auto branch = scf::IfOp::create(builder_, location_, allLive, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  all();
  builder_.setInsertionPointToStart(branch.elseBlock());
  loop(0, size, Machine::width, [&](Value column) {
    VectorType type = vectorType(cast<MemRefType>(buffer.memref.getType()).getElementType());
    vector::StoreOp::create(builder_, location_, constant(type, 0), buffer.memref, ValueRange{column});
  });
  loop(0, size, 1, [&](Value row) { guarded(isLive(access.rowIndex(), row), [&] { store(row); }); });
}

/// Memory holds i1 as bytes.
Value KernelLowering::toMemory(Value value) {
  if (!getElementTypeOrSelf(value.getType()).isInteger(1))
    return toStored(value);
  Type type = builder_.getI8Type();
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(type);
  return arith::ExtUIOp::create(builder_, location_, type, value);
}

/// A vector of elements that lie together; lanes that the mask leaves out stay as they are.
void KernelLowering::storeLanes(Value lanes, Value memory, ValueRange place, Value mask) {
  if (mask)
    vector::MaskedStoreOp::create(builder_, location_, memory, place, mask, lanes);
  else
    vector::StoreOp::create(builder_, location_, lanes, memory, place);
}

/// A matrix, or one element of each of several rows: those that are live and that the mask allows.
void KernelLowering::storeRows(tile::StoreOp op) {
  Access access = Access::of(op);
  Value memory = memrefOf(op.getDestination()), tile = op.getValue(), mask = op.getMask();
  auto whereLive = [&](Value row, function_ref<void()> body) {
    guarded(isLive(access.rowIndex(), row),
            [&] { guarded(mask && rankOf(mask.getType()) ? scalar(mask, row) : Value(), body); });
  };
  if (rankOf(tile.getType()) == 1) {
    loop(0, shapeOf(tile)[0], 1, [&](Value row) {
      whereLive(row, [&] {
        memref::StoreOp::create(builder_, location_, toMemory(scalar(tile, row)), memory,
                                placeOf(access, row, {}));
      });
    });
    return;
  }
  int64_t columns = shapeOf(tile)[1];
  forEachBlockOf(tile, false, [&](const Block &at) {
    Vectors vectors = block(tile, at);
    for (int64_t r = 0; r < at.rows; ++r) {
      Value row = add(at.row, r);
      whereLive(row, [&] {
        for (int64_t p = 0; p < at.panels; ++p) {
          Value column = add(at.column, p * Machine::width);
          storeLanes(toMemory(vectors[p * at.rows + r]), memory, placeOf(access, row, column),
                     liveLanes(access.columnIndex(), column, columns));
        }
      });
    }
  });
}

LogicalResult KernelLowering::lowerStore(tile::StoreOp op) {
  if (failed(checkAccess(op, op.getDestination(), op.getIndices())))
    return failure();
  Access access = Access::of(op);
  Value memory = memrefOf(op.getDestination()), tile = op.getValue(), mask = op.getMask();
  guarded(mask && rankOf(mask.getType()) == 0 ? scalarOf(mask) : Value(), [&] {
    int64_t rank = rankOf(tile.getType());
    if (rank == 0) {
      memref::StoreOp::create(builder_, location_, toMemory(scalarOf(tile)), memory, placeOf(access, {}, {}));
    } else if (rank == 1 && !access.isElements()) {
      int64_t columns = shapeOf(tile)[0];
      loop(0, columns, Machine::width, [&](Value column) {
        storeLanes(toMemory(vector(tile, column)), memory, placeOf(access, column, {}),
                   liveLanes(access.rowIndex(), column, columns));
      });
    } else {
      storeRows(op);
    }
  });
  return success();
}
