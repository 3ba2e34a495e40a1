// Operands in memory, shared memory, copies between them, and matrices in shared memory.
#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/target/cuda/print/KernelPrinter.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu::cuda;

static std::string at(KernelPrinter &printer, Value memory, ValueRange indices) {
  return ("at(" + printer.name(memory) + ", " + printer.names(indices) + ")").str();
}

static std::string atRow(KernelPrinter &printer, Value memory, ValueRange indices, bool scattered) {
  return (scattered ? "at_scattered(" : "at(") +
         (printer.name(memory) + ", " + printer.names(indices) + ")").str();
}

/// `name<elements>` for a vector, `name` for one element.
static std::string counted(StringRef name, Type elements) {
  if (auto vector = dyn_cast<VectorType>(elements))
    return (name + "<" + Twine(vector.getNumElements()) + ">").str();
  return name.str();
}

/// `name(` or, with a condition, `name_where(condition, `.
static std::string call(KernelPrinter &printer, StringRef name, Value live, const Twine &parameters = "") {
  if (!live)
    return (name + parameters + "(").str();
  return (name + "_where" + parameters + "(" + printer.name(live) + ", ").str();
}

static std::string count(Type elements) {
  auto vector = dyn_cast<VectorType>(elements);
  return vector ? "<" + std::to_string(vector.getNumElements()) + ">" : "";
}

static LogicalResult printLoad(KernelPrinter &printer, LoadOp op) {
  return printer.define(op, call(printer, "load", op.getLive(), count(op.getType())) +
                                atRow(printer, op.getSource(), op.getIndices(), op.getScattered()) + ")");
}

static LogicalResult printStore(KernelPrinter &printer, StoreOp op) {
  printer.line(call(printer, "store", op.getLive()) + printer.name(op.getValue()) + ", " +
               atRow(printer, op.getDestination(), op.getIndices(), op.getScattered()) + ");");
  return success();
}

static LogicalResult printCopy(KernelPrinter &printer, CopyOp op) {
  printer.line(call(printer, "copy", op.getLive(), "<" + Twine(op.getElements()) + ">") +
               at(printer, op.getBuffer(), op.getOffset()) + ", " +
               atRow(printer, op.getSource(), op.getIndices(), op.getScattered()) + ");");
  return success();
}

static LogicalResult printCommit(KernelPrinter &printer, CommitOp) {
  printer.line("copy_commit();");
  return success();
}

static LogicalResult printWait(KernelPrinter &printer, WaitOp op) {
  printer.line("copy_wait<" + Twine(op.getPending()) + ">();");
  return success();
}

static LogicalResult printLoadMatrix(KernelPrinter &printer, LoadMatrixOp op) {
  StringRef name = op.getTransposed() ? "load_matrix_transposed" : "load_matrix";
  return printer.define(op, counted(name, op.getType()) + "(" + at(printer, op.getBuffer(), op.getOffset()) +
                                ")");
}

static LogicalResult printStoreMatrix(KernelPrinter &printer, StoreMatrixOp op) {
  StringRef name = op.getTransposed() ? "store_matrix_transposed(" : "store_matrix(";
  printer.line(name + printer.name(op.getValue()) + ", " + at(printer, op.getBuffer(), op.getOffset()) +
               ");");
  return success();
}

//===------------------------------------------------------------------------------------------------===//
// Shared memory as a memref
//===------------------------------------------------------------------------------------------------===//

static LogicalResult requireShared(Operation *op, MemRefType memory) {
  auto space = dyn_cast_or_null<gpu::AddressSpaceAttr>(memory.getMemorySpace());
  if (memory.getRank() != 1 || !space || space.getValue() != gpu::AddressSpace::Workgroup)
    return op->emitOpError("requires a memref of one axis in the workgroup's address space, got ") << memory;
  return success();
}

static LogicalResult printSharedMemory(KernelPrinter &printer, gpu::DynamicSharedMemoryOp op) {
  return printer.define(op, "dynamic_shared_memory()");
}

static LogicalResult printView(KernelPrinter &printer, memref::ViewOp op) {
  if (failed(requireShared(op, op.getType())))
    return failure();
  StringRef element = elementName(op.getType().getElementType());
  return printer.define(op,
                        "view<" + element + ">(" + printer.names({op.getSource(), op.getByteShift()}) + ")");
}

template <typename Op> static LogicalResult printSharedLoad(KernelPrinter &printer, Op op) {
  if (failed(requireShared(op, op.getMemRefType())))
    return failure();
  Operation *load = op;
  Value buffer = load->getOperand(0);
  return printer.define(op, counted("load", load->getResult(0).getType()) + "(" +
                                at(printer, buffer, op.getIndices()) + ")");
}

template <typename Op> static LogicalResult printSharedStore(KernelPrinter &printer, Op op) {
  if (failed(requireShared(op, op.getMemRefType())))
    return failure();
  Operation *store = op;
  printer.line("store(" + printer.name(store->getOperand(0)) + ", " +
               at(printer, store->getOperand(1), op.getIndices()) + ");");
  return success();
}

static LogicalResult printDimension(KernelPrinter &printer, tensor::DimOp op) {
  std::optional<int64_t> axis = op.getConstantIndex();
  if (!axis)
    return op.emitOpError("requires a constant axis");
  return printer.define(op, "dimension<" + Twine(*axis) + ">(" + printer.name(op.getSource()) + ")");
}

void linmu::cuda::addMemory(OpTable &table) {
  table.add<CommitOp>(printCommit);
  table.add<CopyOp>(printCopy);
  table.add<LoadMatrixOp>(printLoadMatrix);
  table.add<LoadOp>(printLoad);
  table.add<StoreMatrixOp>(printStoreMatrix);
  table.add<StoreOp>(printStore);
  table.add<WaitOp>(printWait);
  table.add<gpu::DynamicSharedMemoryOp>(printSharedMemory);
  table.add<memref::LoadOp>(printSharedLoad<memref::LoadOp>);
  table.add<memref::StoreOp>(printSharedStore<memref::StoreOp>);
  table.add<memref::ViewOp>(printView);
  table.add<tensor::DimOp>(printDimension);
  table.add<vector::LoadOp>(printSharedLoad<vector::LoadOp>);
  table.add<vector::StoreOp>(printSharedStore<vector::StoreOp>);
}
