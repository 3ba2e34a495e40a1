// Which block and thread this is, and what threads do together.
#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

static LogicalResult printBlockId(KernelPrinter &printer, tile::BlockIdOp op) {
  return printer.define(op, "block_id<" + Twine(op.getDimension()) + ">(arguments)");
}

static LogicalResult printBlockCount(KernelPrinter &printer, tile::BlockCountOp op) {
  return printer.define(op, "block_count<" + Twine(op.getDimension()) + ">(arguments)");
}

static LogicalResult printLane(KernelPrinter &printer, gpu::LaneIdOp op) {
  return printer.define(op, "static_cast<i32>(lane_index())");
}

static LogicalResult printWarp(KernelPrinter &printer, gpu::SubgroupIdOp op) {
  return printer.define(op, "static_cast<i32>(warp_index())");
}

static LogicalResult printThread(KernelPrinter &printer, gpu::ThreadIdOp op) {
  if (op.getDimension() != gpu::Dimension::x)
    return op.emitOpError("requires dimension x, the only one that blocks have");
  return printer.define(op, "static_cast<i32>(thread_index())");
}

static LogicalResult printBarrier(KernelPrinter &printer, gpu::BarrierOp) {
  printer.line("barrier();");
  return success();
}

static StringRef shuffleName(gpu::ShuffleMode mode) {
  switch (mode) {
  case gpu::ShuffleMode::XOR:
    return "shuffled_xor";
  case gpu::ShuffleMode::UP:
    return "shuffled_up";
  case gpu::ShuffleMode::DOWN:
    return "shuffled_down";
  case gpu::ShuffleMode::IDX:
    return "shuffled";
  }
  llvm_unreachable("all modes are handled");
}

static LogicalResult printShuffle(KernelPrinter &printer, gpu::ShuffleOp op) {
  Type type = op.getValue().getType();
  if (!type.isF32() && !type.isInteger(32))
    return op.emitOpError("requires an f32 or i32, got ") << type;
  APInt width;
  if (!matchPattern(op.getWidth(), m_ConstantInt(&width)) || width != 32)
    return op.emitOpError("requires a width of 32, all lanes of the warp");
  if (!op.getValid().use_empty())
    return op.emitOpError("requires that nothing uses its second result; compare lanes instead");
  return printer.define(op, op.getShuffleResult(),
                        shuffleName(op.getMode()) + "(" + printer.names({op.getValue(), op.getOffset()}) +
                            ")");
}

static LogicalResult printProduct(KernelPrinter &printer, MmaOp op) {
  return printer.define(op, "mma(" + printer.names(op->getOperands()) + ")");
}

void linmu::cuda::addThreads(OpTable &table) {
  table.add<MmaOp>(printProduct);
  table.add<gpu::BarrierOp>(printBarrier);
  table.add<gpu::LaneIdOp>(printLane);
  table.add<gpu::ShuffleOp>(printShuffle);
  table.add<gpu::SubgroupIdOp>(printWarp);
  table.add<gpu::ThreadIdOp>(printThread);
  table.add<tile::BlockCountOp>(printBlockCount);
  table.add<tile::BlockIdOp>(printBlockId);
}
