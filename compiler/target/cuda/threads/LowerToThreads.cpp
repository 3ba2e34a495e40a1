// Rebuilds each kernel as what one thread of its block does.
#include "compiler/target/cuda/threads/Lowering.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_LOWERTOTHREADS
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

static LogicalResult lowerBlock(Thread &thread, Block &block);

/// An op on elements, on registers instead.
static void lowerElementwise(Thread &thread, Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Type type = registersFor(op->getResult(0).getType());
    if (auto vector = dyn_cast<VectorType>(type)) {
      auto elements = cast<DenseElementsAttr>(constant.getValue());
      auto splat = DenseElementsAttr::get(vector, elements.getSplatValue<Attribute>());
      thread.held.map(op->getResult(0), arith::ConstantOp::create(thread, splat));
      return;
    }
  }
  auto type = dyn_cast<VectorType>(registersFor(op->getResult(0).getType()));
  if (type && op->getNumResults() == 1) {
    auto ofPart = [&](int64_t first, int64_t count) {
      IRMapping operands;
      for (Value operand : op->getOperands()) {
        Value value = thread.held.lookupOrDefault(operand);
        operands.map(operand, isa<VectorType>(value.getType()) ? thread.slice(value, first, count) : value);
      }
      Operation *clone = thread.clone(*op, operands);
      clone->getResult(0).setType(VectorType::get({count}, type.getElementType()));
      return clone->getResult(0);
    };
    thread.held.map(op->getResult(0), thread.inParts(type, ofPart));
    return;
  }
  Operation *clone = thread.clone(*op, thread.held);
  for (auto [old, result] : llvm::zip(op->getResults(), clone->getResults())) {
    result.setType(registersFor(old.getType()));
    thread.held.map(old, result);
  }
}

static LogicalResult lowerRegion(Thread &thread, Block &from, Block &to) {
  OpBuilder::InsertionGuard guard(thread);
  if (!to.empty())
    to.back().erase();
  thread.setInsertionPointToEnd(&to);
  if (failed(lowerBlock(thread, from)))
    return failure();
  SmallVector<Value> yielded;
  for (Value value : from.getTerminator()->getOperands())
    yielded.push_back(thread.held.lookupOrDefault(value));
  scf::YieldOp::create(thread, yielded);
  return success();
}

static LogicalResult lowerFor(Thread &thread, scf::ForOp loop) {
  auto held = [&](Value value) { return thread.held.lookupOrDefault(value); };
  SmallVector<Value> inits = llvm::map_to_vector(loop.getInitArgs(), held);
  auto clone = scf::ForOp::create(thread, held(loop.getLowerBound()), held(loop.getUpperBound()),
                                  held(loop.getStep()), inits);
  thread.held.map(loop.getInductionVar(), clone.getInductionVar());
  thread.held.map(loop.getRegionIterArgs(), clone.getRegionIterArgs());
  thread.held.map(loop.getResults(), clone.getResults());
  return lowerRegion(thread, *loop.getBody(), *clone.getBody());
}

static LogicalResult lowerIf(Thread &thread, scf::IfOp branch) {
  SmallVector<Type> types = llvm::map_to_vector(branch.getResultTypes(), registersFor);
  bool hasElse = !branch.getElseRegion().empty();
  auto clone = scf::IfOp::create(thread, types, thread.held.lookupOrDefault(branch.getCondition()), hasElse);
  clone->setAttr(uniformAttribute, thread.getUnitAttr());
  thread.held.map(branch.getResults(), clone.getResults());
  if (failed(lowerRegion(thread, *branch.thenBlock(), *clone.thenBlock())))
    return failure();
  return hasElse ? lowerRegion(thread, *branch.elseBlock(), *clone.elseBlock()) : success();
}

static LogicalResult lower(Thread &thread, Operation *op) {
  thread.setLoc(op->getLoc());
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::ForOp loop) { return lowerFor(thread, loop); })
      .Case([&](scf::IfOp branch) { return lowerIf(thread, branch); })
      .Case([&](scf::YieldOp) { return success(); })
      .Case([&](tile::RangeOp) { return success(); })
      .Case([&](tile::LoadOp load) { return lowerLoad(thread, load); })
      .Case([&](tile::StoreOp store) { return lowerStore(thread, store); })
      .Case([&](tile::CopyOp copy) { return lowerCopy(thread, copy); })
      .Case([&](tile::SlotOp slot) { return lowerSlot(thread, slot); })
      .Case([&](tile::WaitOp wait) { return lowerWait(thread, wait); })
      .Case([&](tile::BarrierOp) {
        gpu::BarrierOp::create(thread);
        return success();
      })
      .Case([&](tile::ReduceOp reduce) { return lowerReduce(thread, reduce); })
      .Case([&](tile::CumsumOp cumsum) { return lowerCumsum(thread, cumsum); })
      .Case([&](tile::CumprodOp cumprod) { return lowerCumprod(thread, cumprod); })
      .Case([&](tile::ExtractOp extract) { return lowerExtract(thread, extract); })
      .Case([&](tile::AllocOp alloc) { return lowerAlloc(thread, alloc); })
      .Case([&](tile::WriteOp write) { return lowerWrite(thread, write); })
      .Case([&](tile::ReadOp read) { return lowerRead(thread, read); })
      .Case([&](WritePartOp write) { return lowerWritePart(thread, write); })
      .Case([&](ReadPartOp read) { return lowerReadPart(thread, read); })
      .Case([&](tile::DotOp dot) { return lowerDot(thread, dot); })
      .Case([&](DiagonalInversesOp inverses) { return lowerDiagonalInverses(thread, inverses); })
      .Case([&](tile::BroadcastOp broadcast) { return lowerBroadcast(thread, broadcast); })
      .Case([&](tile::CoordinateOp coordinate) { return lowerCoordinate(thread, coordinate); })
      .Case([&](tile::TransposeOp transpose) {
        thread.held.map(transpose.getResult(), thread.held.lookup(transpose.getSource()));
        return success();
      })
      .Case([&](ConvertOp convert) { return lowerConvert(thread, convert); })
      .Default([&](Operation *op) -> LogicalResult {
        if (!isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
            !isa<tile::BlockIdOp, tile::BlockCountOp, tensor::DimOp>(op))
          return op->emitOpError("is not lowered on the CUDA target yet");
        lowerElementwise(thread, op);
        return success();
      });
}

static LogicalResult lowerBlock(Thread &thread, Block &block) {
  for (Operation &op : block)
    if (failed(lower(thread, &op)))
      return failure();
  return success();
}

static LogicalResult lowerKernel(tile::KernelOp kernel) {
  Block &old = kernel.getBody().front();
  auto block = std::make_unique<Block>();
  Thread thread(kernel.getLoc(), block.get());
  for (BlockArgument argument : old.getArguments())
    thread.held.map(argument, block->addArgument(argument.getType(), argument.getLoc()));
  if (failed(lowerBlock(thread, old)))
    return failure();
  old.dropAllDefinedValueUses();
  old.erase();
  kernel.getBody().push_back(block.release());
  return success();
}

namespace {
struct LowerToThreads : linmu::cuda::impl::LowerToThreadsBase<LowerToThreads> {
  using LowerToThreadsBase::LowerToThreadsBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      if (!kernel.getThreads()) {
        kernel.emitOpError("requires layouts (assign-layouts) before it is lowered to threads");
        return signalPassFailure();
      }
      if (failed(lowerKernel(kernel)))
        return signalPassFailure();
      ++kernels;
    }
  }
};
} // namespace
