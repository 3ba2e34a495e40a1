// The walk over a kernel in program order.
#include "compiler/target/cpu/buffers/Fill.h"
#include "compiler/target/cpu/buffers/Uses.h"
#include "compiler/target/cpu/lower/Lowering.h"
#include "compiler/target/cpu/lower/Operands.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

void linmu::cpu::addBuffers(Lowering &lowering, Operation &op) {
  std::optional<SmallVector<Layouts>> buffers = layoutsIn(&op, buffersAttribute);
  if (!buffers)
    return; // the op has no tiles
  for (auto [result, layouts] : llvm::zip(op.getResults(), *buffers))
    for (Layout layout : layouts)
      materialize(lowering, result, layout);
}

static LogicalResult lowerDim(Kernel &kernel, tensor::DimOp dim) {
  Value memory = kernel.memory(dim.getSource());
  if (!memory)
    return dim.emitOpError("requires an operand of the kernel");
  kernel.scalars.map(dim.getResult(),
                     memref::DimOp::create(kernel.emit, memory, kernel.scalar(dim.getIndex())));
  return success();
}

/// A copy: the program's buffer may be written before the tile is used.
static void lowerRead(Lowering &lowering, tile::ReadOp read) {
  Buffers &buffers = lowering.kernel.buffers;
  buffers.replace(read, buffers.find(read.getBuffer(), Layout::rows));
  Buffer copy = buffers.allocate(read.getType(), Layout::rows);
  fill(lowering, read, copy);
  buffers.replace(read, copy);
}

/// An op without tiles stays as it is; elementwise ops on tiles are built where their result is asked for.
static LogicalResult lowerOther(Lowering &lowering, Operation &op) {
  bool tiles = llvm::any_of(op.getResultTypes(), [](Type type) { return rankOf(type) > 0; });
  if (!tiles) {
    if (op.getNumRegions() || !isMemoryEffectFree(&op))
      return op.emitOpError("is not supported by the CPU target");
    lowering.kernel.emit.clone(op, lowering.kernel.scalars);
    return success();
  }
  if (!isElementwise(&op) && !isa<arith::ConstantOp>(op))
    return op.emitOpError("is not supported on tiles by the CPU target");
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()); !dense || !dense.isSplat())
      return op.emitOpError("requires a constant tile with one value");
  return success();
}

static LogicalResult lowerOp(Lowering &lowering, Operation &op) {
  Kernel &kernel = lowering.kernel;
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](tile::BlockIdOp id) {
        kernel.scalars.map(id.getResult(), kernel.blockPlace(kernel.block, id.getDimension()));
        return success();
      })
      .Case([&](tile::BlockCountOp count) {
        kernel.scalars.map(count.getResult(), kernel.grid[count.getDimension()]);
        return success();
      })
      .Case([&](tensor::DimOp dim) { return lowerDim(kernel, dim); })
      .Case([&](tile::LoadOp load) { return lowerLoad(lowering, load); })
      .Case([&](tile::StoreOp store) { return lowerStore(lowering, store); })
      .Case([&](tile::RangeOp range) { return lowering.places.lowerRange(range), success(); })
      .Case([&](tile::AllocOp alloc) {
        Buffer buffer = kernel.buffers.allocate(alloc.getType().getTileType(), Layout::rows);
        return kernel.buffers.add(alloc, buffer), success();
      })
      .Case([&](tile::WriteOp write) {
        Buffer buffer = kernel.buffers.find(write.getBuffer(), Layout::rows);
        return fill(lowering, write.getValue(), buffer), success();
      })
      .Case([&](tile::ReadOp read) { return lowerRead(lowering, read), success(); })
      .Case([&](tile::ReduceOp reduce) { return lowerReduce(lowering, reduce), success(); })
      .Case([&](tile::CumsumOp cumsum) { return lowerCumsum(lowering, cumsum), success(); })
      .Case([&](tile::CumprodOp cumprod) { return lowerCumprod(lowering, cumprod), success(); })
      .Case([&](tile::SolveOp solve) { return lowerSolve(lowering, solve), success(); })
      .Case([&](tile::TransposeOp transpose) { return lowerTranspose(lowering, transpose), success(); })
      .Case([&](tile::ExtractOp extract) { return lowerExtract(lowering, extract), success(); })
      .Case([&](tile::DecayScoresOp scores) { return lowerDecayScores(lowering, scores), success(); })
      .Case([&](tile::DecayValuesOp values) { return lowerDecayValues(lowering, values), success(); })
      .Case([&](tile::DecayPathsOp paths) { return lowerDecayPaths(lowering, paths), success(); })
      .Case([&](scf::ForOp loop) { return lowerFor(lowering, loop); })
      .Case([&](scf::IfOp branch) { return lowerIf(lowering, branch); })
      // Built where their result is asked for.
      .Case<tile::DotOp, tile::BroadcastOp, tile::CoordinateOp>([](Operation *) { return success(); })
      .Default([&](Operation *other) { return lowerOther(lowering, *other); });
}

LogicalResult linmu::cpu::lowerOps(Lowering &lowering, llvm::iterator_range<mlir::Block::iterator> ops) {
  for (Operation &op : ops) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      break;
    lowering.kernel.emit.setLoc(op.getLoc());
    if (failed(lowerOp(lowering, op)))
      return failure();
    // The walk's results are there after the last stretch only.
    if (&op != lowering.walk.loop())
      addBuffers(lowering, op);
  }
  return success();
}
