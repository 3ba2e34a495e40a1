#include "compiler/target/cpu/lower/Operands.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Nests.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

// Memory holds i1 as bytes.
static constexpr unsigned bitsOfBool = 8;

/// A vector of elements that lie together; lanes that the mask leaves out are 0.
static Value loadLanes(Emit &emit, Value memory, ValueRange place, Value mask) {
  VectorType type = vectorType(elementTypeOf(memory));
  if (!mask)
    return vector::LoadOp::create(emit, type, memory, place);
  return vector::MaskedLoadOp::create(emit, type, memory, place, mask, emit.constant(type, 0));
}

/// A vector of elements that lie together; lanes that the mask leaves out stay as they are.
static void storeLanes(Emit &emit, Value lanes, Value memory, ValueRange place, Value mask) {
  if (mask)
    vector::MaskedStoreOp::create(emit, memory, place, mask, lanes);
  else
    vector::StoreOp::create(emit, lanes, memory, place);
}

LogicalResult linmu::cpu::lowerLoad(Lowering &lowering, tile::LoadOp op) {
  Kernel &kernel = lowering.kernel;
  Access access = Access::of(op);
  if (failed(access.check(op)))
    return failure();
  if (rankOf(op.getType()) > 0)
    return success();
  SmallVector<Value> place = lowering.places.of(access, {}, {});
  Value loaded = memref::LoadOp::create(kernel.emit, kernel.memory(op.getSource()), place);
  kernel.scalars.map(op.getResult(), kernel.emit.fromStored(loaded, op.getType()));
  return success();
}

Vectors linmu::cpu::loadBlock(Lowering &lowering, tile::LoadOp op, const RegisterBlock &at) {
  Emit &emit = lowering.kernel.emit;
  Places &places = lowering.places;
  Access access = Access::of(op);
  Value memory = lowering.kernel.memory(op.getSource());
  Type element = getElementTypeOrSelf(op.getType());
  int64_t columns = shapeOf(op.getResult())[1];
  Vectors result;
  forEachVector(emit, at, [&](Value row, Value, Value column) {
    Value mask = places.liveLanes(access.columnIndex(), column, columns);
    if (Value live = places.isLive(access.rowIndex(), row)) {
      Value lanes = vector::BroadcastOp::create(emit, vectorType(emit.getI1Type()), live);
      mask = mask ? Value(arith::AndIOp::create(emit, mask, lanes)) : lanes;
    }
    SmallVector<Value> place = places.of(access, row, column);
    result.push_back(emit.fromStored(loadLanes(emit, memory, place, mask), element));
  });
  return result;
}

Value linmu::cpu::loadVector(Lowering &lowering, tile::LoadOp op, Value column) {
  Emit &emit = lowering.kernel.emit;
  Access access = Access::of(op);
  Value mask = lowering.places.liveLanes(access.rowIndex(), column, shapeOf(op.getResult())[0]);
  Value memory = lowering.kernel.memory(op.getSource());
  SmallVector<Value> place = lowering.places.of(access, column, {});
  return emit.fromStored(loadLanes(emit, memory, place, mask), getElementTypeOrSelf(op.getType()));
}

void linmu::cpu::gatherElements(Lowering &lowering, tile::LoadOp op, const Buffer &buffer) {
  Emit &emit = lowering.kernel.emit;
  Places &places = lowering.places;
  Access access = Access::of(op);
  Value memory = lowering.kernel.memory(op.getSource());
  Type element = getElementTypeOrSelf(op.getType());
  VectorType type = vectorType(elementTypeOf(buffer.memref));
  int64_t size = shapeOf(op.getResult())[0];
  auto load = [&](Value row) {
    SmallVector<Value> place = places.of(access, row, {});
    return emit.toStored(emit.fromStored(memref::LoadOp::create(emit, memory, place), element));
  };
  auto loadAll = [&] {
    for (int64_t column = 0; column < size; column += Machine::width) {
      Value lanes = emit.constant(type, 0);
      for (int64_t lane = 0; lane < Machine::width && column + lane < size; ++lane)
        lanes =
            vector::InsertOp::create(emit, load(emit.index(column + lane)), lanes, ArrayRef<int64_t>{lane});
      vector::StoreOp::create(emit, lanes, buffer.memref, ValueRange{emit.index(column)});
    }
  };
  auto loadLive = [&] {
    emit.loop(0, size, Machine::width, [&](Value column) {
      vector::StoreOp::create(emit, emit.constant(type, 0), buffer.memref, ValueRange{column});
    });
    emit.loop(0, size, 1, [&](Value row) {
      emit.guarded(places.isLive(access.rowIndex(), row),
                   [&] { memref::StoreOp::create(emit, load(row), buffer.memref, row); });
    });
  };
  if (Value allLive = places.isAllLive(access.rowIndex()))
    emit.either(allLive, loadAll, loadLive);
  else
    loadAll();
}

/// A matrix, or one element of each of several rows: those that are live and that the mask allows.
static void storeRows(Lowering &lowering, tile::StoreOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Places &places = lowering.places;
  Access access = Access::of(op);
  Value memory = kernel.memory(op.getDestination()), tile = op.getValue(), mask = op.getMask();
  auto whereLive = [&](Value row, function_ref<void()> body) {
    emit.guarded(places.isLive(access.rowIndex(), row), [&] {
      emit.guarded(mask && rankOf(mask.getType()) ? elementOf(kernel, mask, row) : Value(), body);
    });
  };
  if (rankOf(tile.getType()) == 1) {
    emit.loop(0, shapeOf(tile)[0], 1, [&](Value row) {
      whereLive(row, [&] {
        Value element = emit.toStored(elementOf(kernel, tile, row), bitsOfBool);
        memref::StoreOp::create(emit, element, memory, places.of(access, row, {}));
      });
    });
    return;
  }
  int64_t columns = shapeOf(tile)[1];
  forEachBlockOf(lowering, tile, false, [&](const RegisterBlock &at) {
    Vectors vectors = BlockValues(lowering, at).of(tile);
    for (int64_t r = 0; r < at.rows; ++r) {
      Value row = emit.add(at.row, r);
      whereLive(row, [&] {
        for (int64_t p = 0; p < at.panels; ++p) {
          Value column = emit.add(at.column, p * Machine::width);
          Value lanes = emit.toStored(vectors[p * at.rows + r], bitsOfBool);
          SmallVector<Value> place = places.of(access, row, column);
          storeLanes(emit, lanes, memory, place, places.liveLanes(access.columnIndex(), column, columns));
        }
      });
    }
  });
}

/// A tile with one axis whose elements lie together.
static void storeVector(Lowering &lowering, tile::StoreOp op) {
  Emit &emit = lowering.kernel.emit;
  Access access = Access::of(op);
  Value memory = lowering.kernel.memory(op.getDestination()), tile = op.getValue();
  int64_t columns = shapeOf(tile)[0];
  emit.loop(0, columns, Machine::width, [&](Value column) {
    Value lanes = emit.toStored(vectorOf(lowering, tile, column), bitsOfBool);
    SmallVector<Value> place = lowering.places.of(access, column, {});
    storeLanes(emit, lanes, memory, place, lowering.places.liveLanes(access.rowIndex(), column, columns));
  });
}

LogicalResult linmu::cpu::lowerStore(Lowering &lowering, tile::StoreOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Access access = Access::of(op);
  if (failed(access.check(op)))
    return failure();
  Value tile = op.getValue(), mask = op.getMask();
  emit.guarded(mask && rankOf(mask.getType()) == 0 ? kernel.scalar(mask) : Value(), [&] {
    if (rankOf(tile.getType()) == 0) {
      Value element = emit.toStored(kernel.scalar(tile), bitsOfBool);
      memref::StoreOp::create(emit, element, kernel.memory(op.getDestination()),
                              lowering.places.of(access, {}, {}));
    } else if (rankOf(tile.getType()) == 1 && !access.isElements()) {
      storeVector(lowering, op);
    } else {
      storeRows(lowering, op);
    }
  });
  return success();
}
