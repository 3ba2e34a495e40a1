// Rebuilds each kernel with a layout in the type of every tile.
#include "compiler/target/cuda/Passes.h"
#include "compiler/target/cuda/registers/KernelLayouts.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace linmu::cuda {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "compiler/target/cuda/Passes.h.inc"
} // namespace linmu::cuda

//===------------------------------------------------------------------------------------------------===//
// Ops
//===------------------------------------------------------------------------------------------------===//

/// Clones an op with its tile operands and results in the layouts given, one each; null for scalars.
void KernelLayouts::emitInOrder(Operation &op, ArrayRef<LayoutAttr> operands, ArrayRef<LayoutAttr> results) {
  IRMapping mapping;
  for (auto [operand, layout] : llvm::zip_equal(op.getOperands(), operands))
    mapping.map(operand, layout ? demand(operand, layout) : scalars_.lookupOrDefault(operand));
  // One tile may be asked for in two layouts.
  Operation *clone = builder_.clone(op, mapping);
  for (auto [index, layout] : llvm::enumerate(operands))
    if (layout)
      clone->setOperand(index, demand(op.getOperand(index), layout));
  for (auto [old, result, layout] : llvm::zip_equal(op.getResults(), clone->getResults(), results)) {
    if (!layout) {
      scalars_.map(old, result);
      continue;
    }
    result.setType(withLayout(result.getType(), layout));
    define(old, result);
  }
}

LogicalResult KernelLayouts::emit(Operation &op) {
  builder_.setLoc(op.getLoc());
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return emitFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitIf(branch);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    emitInsert(insert);
    return success();
  }
  if (auto inverses = dyn_cast<tile::DiagonalInversesOp>(op)) {
    RankedTensorType type =
        withLayout(inverses.getType(), choice_.layouts().blockColumns(inverses.getType().getShape()));
    define(inverses, DiagonalInversesOp::create(builder_, type, bufferOf(inverses.getSystem())));
    return success();
  }
  // Made where it is asked for; but what is read from a buffer is there while nothing else is written to it.
  if (op.getNumResults() == 1 && isTile(op.getResult(0)) && choice_.isFree(op.getResult(0)))
    return success();
  SmallVector<LayoutAttr> operands(op.getNumOperands()), results(op.getNumResults());
  // Indices that name rows one by one go with the rows of the tile.
  auto takeIndices = [&](OperandRange indices, RankedTensorType type, LayoutAttr layout) {
    for (OpOperand &operand : op.getOpOperands())
      if (isTile(operand.get()) && tileType(operand.get()).hasStaticShape() &&
          tileType(operand.get()).getRank() == 1 && llvm::is_contained(indices, operand.get()))
        operands[operand.getOperandNumber()] = type.getRank() == 1 ? layout : TileLayouts::slice(layout, 0);
  };
  bool known =
      llvm::TypeSwitch<Operation *, bool>(&op)
          .Case([&](tile::LoadOp load) {
            if (auto type = dyn_cast<RankedTensorType>(load.getResult().getType())) {
              LayoutAttr carried = type.getRank() == 2 ? choice_.carried(load.getResult()) : LayoutAttr();
              results[0] = carried ? carried : choice_.rows(type);
              takeIndices(load.getIndices(), type, results[0]);
            }
            return true;
          })
          .Case([&](tile::StoreOp store) {
            auto type = dyn_cast<RankedTensorType>(store.getValue().getType());
            if (!type)
              return true;
            LayoutAttr layout =
                choice_.isFree(store.getValue()) ? choice_.rows(type) : choice_.homeOf(store.getValue());
            // Numbers of 16 bits lie two by two in the accumulators: whole rows are written through a buffer.
            if (type.getRank() == 2 && type.getElementTypeBitWidth() == 16 && choice_.isAccumulator(layout))
              layout = choice_.rows(type);
            operands[0] = layout;
            takeIndices(store.getIndices(), type, layout);
            if (Value mask = store.getMask(); mask && isTile(mask))
              operands.back() = type.getRank() == 1 ? layout : TileLayouts::slice(layout, 0);
            return true;
          })
          .Case([&](tile::DotOp dot) {
            ProductForm form = productFormOf(dot, choice_.layouts());
            results[0] = resultLayout(dot, form, choice_.layouts());
            operands[0] = lhsLayout(dot, form, choice_.layouts());
            operands[1] = rhsLayout(dot, form, choice_.layouts());
            if (dot.getInit())
              operands[2] = results[0];
            return true;
          })
          .Case([&](tile::ReduceOp reduce) {
            // What is made for it alone comes with whole rows in few lanes where a thread has many elements:
            // each of its rows would take all lanes of a warp otherwise.
            constexpr int64_t manyElements = 16;
            RankedTensorType source = tileType(reduce.getSource());
            bool ofRows = source.getRank() == 2 && reduce.getAxis() == 1 &&
                          choice_.isFree(reduce.getSource()) &&
                          source.getNumElements() >= manyElements * *kernel_.getThreads();
            operands[0] = ofRows ? choice_.rows(source) : choice_.homeOf(reduce.getSource());
            if (isTile(reduce.getResult()))
              results[0] = TileLayouts::slice(operands[0], 1 - reduce.getAxis());
            return true;
          })
          .Case<tile::CumsumOp, tile::CumprodOp>([&](Operation *) {
            operands[0] = choice_.usual(tileType(op.getOperand(0)));
            llvm::fill(results, operands[0]);
            return true;
          })
          .Case([&](tile::ExtractOp extract) {
            operands[0] = choice_.usual(tileType(extract.getSource()));
            if (isTile(extract.getResult()))
              results[0] = TileLayouts::slice(operands[0], 1);
            return true;
          })
          .Case([&](tile::TransposeOp transpose) {
            operands[0] = choice_.homeOf(transpose.getSource());
            results[0] = TileLayouts::transpose(operands[0]);
            return true;
          })
          .Case([&](tile::CopyOp copy) {
            // By 4 bytes a thread at least, where a tile has fewer elements than that for all of them.
            auto tile = copy.getBuffer().getType().getTileType();
            int64_t least = std::max<int64_t>(32 / tile.getElementTypeBitWidth(), 1);
            LayoutAttr layout = tile.getRank() == 1
                                    ? choice_.rows(tile)
                                    : choice_.layouts().rows(tile.getShape(), tile.getElementType(),
                                                             tile.getDimSize(1), least);
            copy->setAttr("layout", layout);
            takeIndices(copy.getIndices(), tile, layout);
            return true;
          })
          .Case<tile::AllocOp, tile::SlotOp, tile::WaitOp, tile::BarrierOp, tile::RangeOp, tile::BlockIdOp,
                tile::BlockCountOp, tensor::DimOp>([&](Operation *) { return true; })
          .Default([&](Operation *) {
            if (!isElementwise(&op) && !isa<arith::ConstantOp>(op))
              return false;
            if (!isTile(op.getResult(0)))
              return true;
            results[0] = choice_.ofElementwise(op);
            for (OpOperand &operand : op.getOpOperands())
              if (isTile(operand.get()))
                operands[operand.getOperandNumber()] = results[0];
            return true;
          });
  if (!known)
    return op.emitOpError("has no layout on the CUDA target yet");
  emitInOrder(op, operands, results);
  return success();
}

LogicalResult KernelLayouts::emitFor(scf::ForOp loop) {
  SmallVector<Value> inits;
  for (auto [init, yielded] : llvm::zip(loop.getInitArgs(), loop.getYieldedValues())) {
    LayoutAttr layout;
    if (isTile(init)) {
      layout = choice_.preferred(yielded);
      if (!layout)
        layout = choice_.carried(loop.getResult(inits.size()));
      if (!layout && !choice_.isFree(init))
        layout = choice_.homeOf(init);
      if (!layout)
        layout = choice_.usual(tileType(init));
    }
    inits.push_back(demand(init, layout));
  }
  auto clone = scf::ForOp::create(builder_, scalars_.lookupOrDefault(loop.getLowerBound()),
                                  scalars_.lookupOrDefault(loop.getUpperBound()),
                                  scalars_.lookupOrDefault(loop.getStep()), inits);
  if (!clone.getBody()->empty())
    clone.getBody()->back().erase();
  scalars_.map(loop.getInductionVar(), clone.getInductionVar());
  auto defineAll = [&](ValueRange olds, ValueRange values) {
    for (auto [old, value] : llvm::zip_equal(olds, values))
      if (isTile(old))
        define(old, value);
      else
        scalars_.map(old, value);
  };
  {
    OpBuilder::InsertionGuard guard(builder_);
    builder_.setInsertionPointToEnd(clone.getBody());
    made_.enter();
    defineAll(loop.getRegionIterArgs(), clone.getRegionIterArgs());
    if (failed(emitBlock(*loop.getBody())))
      return failure();
    SmallVector<Value> yielded;
    for (auto [value, argument] : llvm::zip(loop.getYieldedValues(), clone.getRegionIterArgs()))
      yielded.push_back(demand(value, layoutOf(argument.getType())));
    scf::YieldOp::create(builder_, yielded);
    made_.leave();
  }
  defineAll(loop.getResults(), clone.getResults());
  return success();
}

LogicalResult KernelLayouts::emitIf(scf::IfOp branch) {
  SmallVector<Type> types;
  for (Value result : branch.getResults()) {
    unsigned number = cast<OpResult>(result).getResultNumber();
    LayoutAttr layout;
    if (isTile(result)) {
      layout = choice_.preferred(branch.thenYield().getOperand(number));
      types.push_back(withLayout(result.getType(), layout ? layout : choice_.usual(tileType(result))));
    } else {
      types.push_back(result.getType());
    }
  }
  bool hasElse = !branch.getElseRegion().empty();
  auto clone = scf::IfOp::create(builder_, types, scalars_.lookupOrDefault(branch.getCondition()), hasElse);
  auto emitRegion = [&](Block &from, Block &to) {
    OpBuilder::InsertionGuard guard(builder_);
    if (!to.empty())
      to.back().erase();
    builder_.setInsertionPointToEnd(&to);
    made_.enter();
    if (failed(emitBlock(from)))
      return failure();
    SmallVector<Value> yielded;
    for (auto [value, type] : llvm::zip(from.getTerminator()->getOperands(), types))
      yielded.push_back(demand(value, layoutOf(type)));
    scf::YieldOp::create(builder_, yielded);
    made_.leave();
    return LogicalResult::success();
  };
  if (failed(emitRegion(*branch.thenBlock(), *clone.thenBlock())) ||
      (hasElse && failed(emitRegion(*branch.elseBlock(), *clone.elseBlock()))))
    return failure();
  for (auto [old, value] : llvm::zip_equal(branch.getResults(), clone.getResults()))
    if (isTile(old))
      define(old, value);
    else
      scalars_.map(old, value);
  return success();
}

LogicalResult KernelLayouts::emitBlock(Block &block) {
  for (Operation &op : block)
    if (!isa<scf::YieldOp>(op) && failed(emit(op)))
      return failure();
  return success();
}

LogicalResult KernelLayouts::run() {
  Block &old = kernel_.getBody().front();
  Block *block = new Block;
  for (BlockArgument argument : old.getArguments())
    scalars_.map(argument, block->addArgument(argument.getType(), argument.getLoc()));
  builder_.setInsertionPointToEnd(block);
  if (failed(emitBlock(old))) {
    delete block;
    return failure();
  }
  old.dropAllDefinedValueUses();
  old.erase();
  kernel_.getBody().push_back(block);
  return success();
}

static LogicalResult checkShapes(tile::KernelOp kernel) {
  WalkResult walk = kernel.getBody().walk([](Operation *op) -> WalkResult {
    for (Value result : op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()))
        for (int64_t size : type.getShape())
          if (!llvm::isPowerOf2_64(size))
            return op->emitOpError("requires tiles of powers of two, got ") << type;
    if (auto dot = dyn_cast<tile::DotOp>(op))
      for (Value operand : dot->getOperands())
        for (int64_t size : tileType(operand).getShape())
          if (size < 16)
            return op->emitOpError("requires products of at least 16 rows and columns, got ")
                   << operand.getType();
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

namespace {
struct AssignLayoutsPass : linmu::cuda::impl::AssignLayoutsBase<AssignLayoutsPass> {
  using AssignLayoutsBase::AssignLayoutsBase;

  void runOnOperation() override {
    if (!llvm::isPowerOf2_32(warps)) {
      getOperation().emitError("assign-layouts requires a power of two many warps, got ") << warps.getValue();
      return signalPassFailure();
    }
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      if (!kernel.getThreads())
        kernel.setThreads(32 * warps);
      if (failed(checkShapes(kernel)))
        return signalPassFailure();
      KernelLayouts layouts(kernel, llvm::Log2_64(*kernel.getThreads() / 32));
      if (failed(layouts.run()))
        return signalPassFailure();
      conversions += layouts.counts.conversions;
      buffers += layouts.counts.buffers;
    }
  }
};
} // namespace
