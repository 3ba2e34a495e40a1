// Transposition and extraction of rows and elements.
#include "compiler/target/cpu/lower/Elements.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

void linmu::cpu::lowerTranspose(Lowering &lowering, tile::TransposeOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Buffer source = kernel.buffers.find(op.getSource(), Layout::rows);
  Buffer buffer = kernel.buffers.allocate(op.getType(), Layout::rows);
  ArrayRef<int64_t> shape = shapeOf(op.getResult());
  emit.loop(0, shape[0], 1, [&](Value row) {
    emit.loop(0, shape[1], 1, [&](Value column) {
      Value element = memref::LoadOp::create(emit, source.memref, ValueRange{column, row});
      memref::StoreOp::create(emit, element, buffer.memref, ValueRange{row, column});
    });
  });
  kernel.buffers.add(op.getResult(), buffer);
}

void linmu::cpu::lowerExtract(Lowering &lowering, tile::ExtractOp op) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  Value source = op.getSource(), at = kernel.scalar(op.getIndex());
  if (rankOf(source.getType()) == 1) {
    kernel.scalars.map(op.getResult(), elementOf(kernel, source, at));
    return;
  }
  Buffer rows = kernel.buffers.find(source, Layout::rows);
  Buffer buffer = kernel.buffers.allocate(op.getType(), Layout::rows);
  VectorType type = vectorType(elementTypeOf(rows.memref));
  // Elements stay as they are stored.
  emit.loop(0, shapeOf(op.getResult())[0], Machine::width, [&](Value column) {
    Value vector = vector::LoadOp::create(emit, type, rows.memref, ValueRange{at, column});
    vector::StoreOp::create(emit, vector, buffer.memref, ValueRange{column});
  });
  kernel.buffers.add(op.getResult(), buffer);
}
