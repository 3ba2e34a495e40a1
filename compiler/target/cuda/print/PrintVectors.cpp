// vector: elements of a thread's registers that change places.
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu::cuda;

/// The only position of an op on a vector of one axis.
static std::string place(KernelPrinter &printer, ArrayRef<int64_t> positions, ValueRange dynamic) {
  if (dynamic.empty())
    return std::to_string(positions.front());
  return printer.name(dynamic.front()).str();
}

static LogicalResult requireOneAxis(Operation *op, VectorType vector) {
  if (vector.getRank() != 1)
    return op->emitOpError("requires vectors of one axis, got ") << vector;
  return success();
}

static LogicalResult printExtract(KernelPrinter &printer, vector::ExtractOp op) {
  if (failed(requireOneAxis(op, op.getSourceVectorType())))
    return failure();
  return printer.define(op, printer.name(op.getSource()) + "[" +
                                place(printer, op.getStaticPosition(), op.getDynamicPosition()) + "]");
}

static LogicalResult printInsert(KernelPrinter &printer, vector::InsertOp op) {
  if (failed(requireOneAxis(op, op.getDestVectorType())))
    return failure();
  return printer.define(op, "insert(" + printer.name(op.getDest()) + ", " +
                                printer.name(op.getValueToStore()) + ", " +
                                place(printer, op.getStaticPosition(), op.getDynamicPosition()) + ")");
}

static LogicalResult printFromElements(KernelPrinter &printer, vector::FromElementsOp op) {
  return printer.define(op, "{{" + printer.names(op.getElements()) + "}}");
}

static LogicalResult printBroadcast(KernelPrinter &printer, vector::BroadcastOp op) {
  auto source = dyn_cast<VectorType>(op.getSourceType());
  if (source && failed(requireOneAxis(op, source)))
    return failure();
  StringRef name = printer.name(op.getSource());
  if (source == op.getResultVectorType())
    return printer.define(op, name);
  return printer.define(op, "splat<" + Twine(op.getResultVectorType().getNumElements()) + ">(" + name +
                                (source ? "[0])" : ")"));
}

static LogicalResult requireUnitStride(Operation *op, ArrayAttr strides) {
  for (auto stride : strides.getAsRange<IntegerAttr>())
    if (stride.getInt() != 1)
      return op->emitOpError("requires stride 1, got ") << stride.getInt();
  return success();
}

static LogicalResult printExtractSlice(KernelPrinter &printer, vector::ExtractStridedSliceOp op) {
  if (failed(requireUnitStride(op, op.getStrides())) || failed(requireOneAxis(op, op.getSourceVectorType())))
    return failure();
  int64_t first = cast<IntegerAttr>(op.getOffsets()[0]).getInt();
  int64_t size = cast<IntegerAttr>(op.getSizes()[0]).getInt();
  return printer.define(op, "slice<" + Twine(first) + ", " + Twine(size) + ">(" +
                                printer.name(op.getSource()) + ")");
}

static LogicalResult printInsertSlice(KernelPrinter &printer, vector::InsertStridedSliceOp op) {
  if (failed(requireUnitStride(op, op.getStrides())) || failed(requireOneAxis(op, op.getDestVectorType())))
    return failure();
  int64_t first = cast<IntegerAttr>(op.getOffsets()[0]).getInt();
  return printer.define(op, "insert_slice<" + Twine(first) + ">(" + printer.name(op.getValueToStore()) +
                                ", " + printer.name(op.getDest()) + ")");
}

static LogicalResult printShuffle(KernelPrinter &printer, vector::ShuffleOp op) {
  std::string places;
  for (int64_t place : op.getMask()) {
    // A place that is left open may hold anything.
    places += (places.empty() ? "" : ", ") + std::to_string(std::max<int64_t>(place, 0));
  }
  return printer.define(op,
                        "shuffle_elements<" + places + ">(" + printer.names({op.getV1(), op.getV2()}) + ")");
}

static LogicalResult printBitcast(KernelPrinter &printer, vector::BitCastOp op) {
  FailureOr<std::string> type = printer.type(op, op.getType());
  if (failed(type))
    return failure();
  return printer.define(op, "same_bits<" + *type + ">(" + printer.name(op.getSource()) + ")");
}

void linmu::cuda::addVectors(OpTable &table) {
  table.add<vector::BitCastOp>(printBitcast);
  table.add<vector::BroadcastOp>(printBroadcast);
  table.add<vector::ExtractOp>(printExtract);
  table.add<vector::ExtractStridedSliceOp>(printExtractSlice);
  table.add<vector::FromElementsOp>(printFromElements);
  table.add<vector::InsertOp>(printInsert);
  table.add<vector::InsertStridedSliceOp>(printInsertSlice);
  table.add<vector::ShuffleOp>(printShuffle);
}
