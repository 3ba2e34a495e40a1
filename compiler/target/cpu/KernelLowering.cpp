// The walk over a kernel in program order.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

KernelLowering::KernelLowering(tile::KernelOp kernel, const Machine &machine)
    : kernel_(kernel), machine_(machine), builder_(kernel), location_(kernel.getLoc()) {}

/// Operands are strided memrefs whose last axis is contiguous; i1 is a byte, bf16 an i16.
static MemRefType memoryType(RankedTensorType type) {
  Type element = type.getElementType();
  if (element.isInteger(1))
    element = IntegerType::get(type.getContext(), 8);
  if (element.isBF16())
    element = IntegerType::get(type.getContext(), 16);
  SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
  if (!strides.empty())
    strides.back() = 1;
  return MemRefType::get(type.getShape(), element, StridedLayoutAttr::get(type.getContext(), 0, strides));
}

FailureOr<func::FuncOp> KernelLowering::run() {
  MLIRContext *context = kernel_.getContext();
  Type indexType = builder_.getIndexType();
  SmallVector<Type> types = {
      indexType, indexType, MemRefType::get({ShapedType::kDynamic}, builder_.getI8Type()),
      indexType, indexType, indexType};
  mlir::Block &body = kernel_.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    auto memory = dyn_cast<RankedTensorType>(argument.getType());
    types.push_back(memory ? Type(memoryType(memory)) : indexType);
  }
  auto function =
      func::FuncOp::create(builder_, location_, kernel_.getSymName(), FunctionType::get(context, types, {}));
  mlir::Block *entry = function.addEntryBlock();
  builder_.setInsertionPointToStart(entry);
  entryWorkspace_ = entry->getArgument(2);
  for (unsigned dimension = 0; dimension < 3; ++dimension)
    grid_[dimension] = entry->getArgument(3 + dimension);
  for (auto [argument, given] : llvm::zip(body.getArguments(), entry->getArguments().drop_front(6)))
    if (argument.getType().isIndex())
      scalars_.map(argument, given);
    else
      operands_[argument] = given;
  func::ReturnOp::create(builder_, location_);
  builder_.setInsertionPoint(entry->getTerminator());
  openBlockLoops(entry->getArgument(0), entry->getArgument(1), body);
  // What follows the walk sees its results, which are there after the last stretch.
  auto end = stretch_.walk ? std::next(stretch_.walk->getIterator()) : body.end();
  LogicalResult lowered = lowerOps({body.begin(), end});
  if (succeeded(lowered) && end != body.end())
    guarded(stretch_.isLast, [&] {
      addLayouts(*stretch_.walk);
      lowered = lowerOps({end, body.end()});
    });
  if (failed(lowered)) {
    function.erase();
    return failure();
  }
  return function;
}

/// What an op wrote to a buffer in one layout may be used in another as well.
void KernelLowering::addLayouts(Operation &op) {
  for (Value result : op.getResults())
    if (buffers_.contains(result))
      decide(result);
}

LogicalResult KernelLowering::lowerOps(llvm::iterator_range<mlir::Block::iterator> ops) {
  for (Operation &op : ops) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      break; // of a loop or branch; its owner lowers it
    location_ = op.getLoc();
    if (failed(lowerOp(op)))
      return failure();
    if (&op != stretch_.walk)
      addLayouts(op);
  }
  return success();
}

LogicalResult KernelLowering::lowerOp(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](tile::BlockIdOp id) {
        scalars_.map(id.getResult(), blockPlace(blockId_, id.getDimension()));
        return success();
      })
      .Case([&](tile::BlockCountOp count) {
        scalars_.map(count.getResult(), grid_[count.getDimension()]);
        return success();
      })
      .Case([&](tensor::DimOp dim) -> LogicalResult {
        Value memory = memrefOf(dim.getSource());
        if (!memory)
          return op.emitOpError("requires an operand of the kernel");
        scalars_.map(dim.getResult(),
                     memref::DimOp::create(builder_, location_, memory, scalarOf(dim.getIndex())));
        return success();
      })
      .Case([&](tile::LoadOp load) { return lowerLoad(load); })
      .Case([&](tile::StoreOp store) { return lowerStore(store); })
      .Case([&](tile::RangeOp range) { return lowerRange(range), success(); })
      .Case([&](tile::AllocOp alloc) {
        owned_[alloc] = allocate(alloc.getType().getTileType(), Layout::rows);
        return success();
      })
      .Case([&](tile::WriteOp write) {
        return fill(write.getValue(), owned_.lookup(write.getBuffer())), success();
      })
      .Case([&](tile::ReadOp read) {
        // A copy: the buffer may be written before the tile is used.
        buffers_[read] = {owned_.lookup(read.getBuffer())};
        Buffer copy = allocate(read.getType(), Layout::rows);
        fill(read, copy);
        buffers_[read] = {copy};
        return success();
      })
      .Case([&](tile::ReduceOp reduce) { return lowerReduce(reduce), success(); })
      .Case([&](tile::CumsumOp cumsum) { return lowerCumsum(cumsum), success(); })
      .Case([&](tile::CumprodOp cumprod) { return lowerCumprod(cumprod), success(); })
      .Case([&](tile::SolveOp solve) { return lowerSolve(solve), success(); })
      .Case([&](tile::TransposeOp transpose) { return lowerTranspose(transpose), success(); })
      .Case([&](tile::ExtractOp extract) { return lowerExtract(extract), success(); })
      .Case([&](tile::DecayScoresOp scores) { return lowerDecayScores(scores), success(); })
      .Case([&](tile::DecayValuesOp values) { return lowerDecayValues(values), success(); })
      .Case([&](scf::ForOp loop) { return lowerFor(op); })
      .Case([&](scf::IfOp branch) { return lowerIf(op); })
      .Case<tile::DotOp, tile::BroadcastOp, tile::CoordinateOp>([&](Operation *tileOp) {
        decide(tileOp->getResult(0));
        return success();
      })
      .Default([&](Operation *other) -> LogicalResult {
        bool tiles = llvm::any_of(other->getResultTypes(), [](Type type) { return rankOf(type) > 0; });
        if (!tiles)
          return lowerScalarOp(*other);
        if (!isElementwise(other) && !isa<arith::ConstantOp>(other))
          return other->emitOpError("is not supported on tiles by the CPU target");
        if (auto constant = dyn_cast<arith::ConstantOp>(other))
          if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()); !dense || !dense.isSplat())
            return other->emitOpError("requires a constant tile with one value");
        decide(other->getResult(0));
        return success();
      });
}

LogicalResult KernelLowering::lowerScalarOp(Operation &op) {
  if (op.getNumRegions() || !isMemoryEffectFree(&op))
    return op.emitOpError("is not supported by the CPU target");
  builder_.clone(op, scalars_);
  return success();
}

/// Where block `number` of the grid stands in a dimension.
Value KernelLowering::blockPlace(Value number, int64_t dimension) {
  for (int64_t inner = 0; inner < dimension; ++inner)
    number = arith::DivUIOp::create(builder_, location_, number, grid_[inner]);
  return dimension == 2 ? number
                        : Value(arith::RemUIOp::create(builder_, location_, number, grid_[dimension]));
}

//===------------------------------------------------------------------------------------------------===//
// Control flow
//===------------------------------------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerFor(Operation &op) {
  auto source = cast<scf::ForOp>(op);
  bool isWalk = source == stretch_.walk;
  Value isFirst = isWalk ? stretch_.isFirst : Value();
  SmallVector<Value> inits, scalarSlots;
  SmallVector<Buffer> carried; // one for each tile among the iter_args
  for (auto [init, argument, result] :
       llvm::zip(source.getInitArgs(), source.getRegionIterArgs(), source.getResults())) {
    if (rankOf(init.getType()) == 0) {
      inits.push_back(isWalk ? resumeScalar(scalarOf(init), scalarSlots) : scalarOf(init));
      continue;
    }
    // Panels serve both dots and elementwise access.
    bool panels = llvm::any_of(argument.getUses(), [](OpOperand &use) {
      auto dot = dyn_cast<tile::DotOp>(use.getOwner());
      return dot && use.getOperandNumber() == 1 && !dot.getTransposeRhs();
    });
    Layout layout = panels ? Layout::panels : Layout::rows;
    Buffer buffer = isWalk ? allocateSlot(argument.getType(), layout) : allocate(argument.getType(), layout);
    guarded(isFirst, [&] { fill(init, buffer); });
    carried.push_back(buffer);
    buffers_[argument] = {buffer};
    buffers_[result] = {buffer};
  }
  if (isWalk)
    touchPages(source);
  Value from = isWalk ? stretch_.from : scalarOf(source.getLowerBound());
  Value to = isWalk ? stretch_.to : scalarOf(source.getUpperBound());
  auto loopOp = scf::ForOp::create(builder_, location_, from, to, scalarOf(source.getStep()), inits);
  OpBuilder::InsertionGuard guard(builder_);
  if (loopOp.getBody()->empty())
    builder_.setInsertionPointToStart(loopOp.getBody());
  else
    builder_.setInsertionPoint(loopOp.getBody()->getTerminator());
  scalars_.map(source.getInductionVar(), loopOp.getInductionVar());
  unsigned next = 0;
  for (auto [argument, result] : llvm::zip(source.getRegionIterArgs(), source.getResults()))
    if (rankOf(argument.getType()) == 0) {
      scalars_.map(argument, loopOp.getRegionIterArg(next));
      scalars_.map(result, loopOp.getResult(next++));
    }

  llvm::DenseMap<Value, SmallVector<Buffer, 2>> outside = buffers_;
  // Randomly accessed operands that come from outside the loop and have no buffer of that layout yet.
  for (Value argument : source.getRegionIterArgs())
    if (rankOf(argument.getType()) == 2) {
      for (OpOperand &use : argument.getUses())
        if (auto dot = dyn_cast<tile::DotOp>(use.getOwner())) {
          if (use.getOperandNumber() == 0)
            materialize(argument, Layout::rows);
          else if (use.getOperandNumber() == 1)
            materialize(argument, dot.getTransposeRhs() ? Layout::transposedPanels : Layout::panels);
        } else if (isa<tile::DecayScoresOp, tile::DecayValuesOp, tile::ExtractOp, tile::TransposeOp>(
                       use.getOwner())) {
          materialize(argument, Layout::rows);
        }
    }
  if (llvm::any_of(*source.getBody(), [](Operation &inner) { return inner.hasAttr(prefetchMark); })) {
    enterIteration(source, loopOp.getInductionVar());
    lowerPrefetches(*source.getBody());
  }
  if (failed(lowerOps(*source.getBody())))
    return failure();
  location_ = op.getLoc();
  Operation &yield = *source.getBody()->getTerminator();
  lowerYield(op, yield, carried);
  flushPrefetches();
  SmallVector<Value> yielded;
  for (Value value : yield.getOperands())
    if (rankOf(value.getType()) == 0)
      yielded.push_back(scalarOf(value));
  if (!yielded.empty() || loopOp.getBody()->empty() ||
      !loopOp.getBody()->back().hasTrait<OpTrait::IsTerminator>())
    scf::YieldOp::create(builder_, location_, yielded);
  buffers_ = std::move(outside);
  builder_.setInsertionPointAfter(loopOp);
  for (auto [slot, value] : llvm::zip(scalarSlots, loopOp.getResults()))
    memref::StoreOp::create(builder_, location_, value, slot, index(0));
  return success();
}

/// What computing blocks of `tile` in place reads: tiles at the same block, and tiles anywhere.
static void collectReads(Value tile, const llvm::DenseMap<Value, SmallVector<Buffer, 2>> &buffers,
                         llvm::SetVector<Value> &sameBlock, llvm::SetVector<Value> &anywhere) {
  if (rankOf(tile.getType()) == 0)
    return;
  if (buffers.contains(tile)) {
    sameBlock.insert(tile);
    return;
  }
  Operation *op = tile.getDefiningOp();
  if (!op || isa<arith::ConstantOp, tile::CoordinateOp, tile::LoadOp>(op))
    return;
  if (auto dot = dyn_cast<tile::DotOp>(op)) {
    anywhere.insert(dot.getLhs());
    anywhere.insert(dot.getRhs());
    if (dot.getInit())
      collectReads(dot.getInit(), buffers, sameBlock, anywhere);
    return;
  }
  if (isa<tile::BroadcastOp>(op)) {
    // A vector laid along an axis is read by every block of the other.
    llvm::SetVector<Value> inner;
    collectReads(op->getOperand(0), buffers, inner, anywhere);
    anywhere.insert(inner.begin(), inner.end());
    return;
  }
  for (Value operand : op->getOperands())
    collectReads(operand, buffers, sameBlock, anywhere);
}

/// Next values of loop-carried tiles. One that reads its old value only at the block that it writes, and
/// that no other next value reads, is computed in place; the others go through a buffer of their own.
void KernelLowering::lowerYield(Operation &loopOp, Operation &yield, ArrayRef<Buffer> carried) {
  auto source = cast<scf::ForOp>(loopOp);
  struct Next {
    Value argument, value;
    Buffer buffer;
    llvm::SetVector<Value> sameBlock, anywhere;
  };
  SmallVector<Next> nexts;
  unsigned slot = 0;
  for (auto [argument, value] : llvm::zip(source.getRegionIterArgs(), yield.getOperands())) {
    if (rankOf(value.getType()) == 0)
      continue;
    Buffer buffer = carried[slot++];
    if (value == argument)
      continue;
    Next next{argument, value, buffer, {}, {}};
    collectReads(value, buffers_, next.sameBlock, next.anywhere);
    nexts.push_back(std::move(next));
  }
  SmallVector<std::pair<Buffer, Next *>> copies;
  for (Next &next : nexts) {
    bool inPlace = rankOf(next.value.getType()) == 2 && !buffers_.contains(next.value) &&
                   !next.anywhere.contains(next.argument);
    for (Next &other : nexts)
      if (&other != &next &&
          (other.sameBlock.contains(next.argument) || other.anywhere.contains(next.argument)))
        inPlace = false;
    if (inPlace) {
      fill(next.value, next.buffer);
      continue;
    }
    bool own = buffers_.contains(next.value) && !isa<BlockArgument>(next.value);
    copies.push_back({own ? *findAny(next.value) : Buffer(), &next});
  }
  // Values that live in no buffer of their own yet are finished before any old value is overwritten.
  for (auto &[from, next] : copies)
    if (!from.memref) {
      from = allocate(next->value.getType(), Layout::rows);
      fill(next->value, from);
    }
  for (auto &[from, next] : copies) {
    Type element = getElementTypeOrSelf(next->value.getType());
    if (rankOf(next->value.getType()) == 1) {
      loop(0, shapeOf(next->value)[0], Machine::width, [&, &from = from, &next = next](Value column) {
        Value vector = vector::LoadOp::create(
            builder_, location_, vectorType(cast<MemRefType>(from.memref.getType()).getElementType()),
            from.memref, ValueRange{column});
        vector::StoreOp::create(builder_, location_, vector, next->buffer.memref, ValueRange{column});
      });
      continue;
    }
    forEachBlock(shapeOf(next->value), false, 1, [&, &from = from, &next = next](const Block &at) {
      forEachVector(at, [&](Value row, Value panel, Value column) {
        storeBuffer(loadBuffer(from, element, row, panel, column), next->buffer, row, panel, column);
      });
    });
  }
}

/// Tiles that a branch gives are written to buffers that stand before it.
LogicalResult KernelLowering::lowerIf(Operation &op) {
  auto source = cast<scf::IfOp>(op);
  SmallVector<Type> scalarTypes;
  SmallVector<Buffer> results; // one a tile
  for (Value result : source.getResults())
    if (rankOf(result.getType()) == 0)
      scalarTypes.push_back(result.getType());
    else
      results.push_back(allocate(result.getType(), Layout::rows));
  auto branch = scf::IfOp::create(builder_, location_, scalarTypes, scalarOf(source.getCondition()),
                                  !source.getElseRegion().empty());
  auto lowerRegion = [&](Region &from, Region &to) -> LogicalResult {
    if (from.empty())
      return success();
    OpBuilder::InsertionGuard guard(builder_);
    mlir::Block &block = to.front();
    if (!block.empty())
      block.back().erase();
    builder_.setInsertionPointToStart(&block);
    llvm::DenseMap<Value, SmallVector<Buffer, 2>> outside = buffers_;
    if (failed(lowerOps(from.front())))
      return failure();
    SmallVector<Value> yielded;
    unsigned next = 0;
    for (Value value : from.front().getTerminator()->getOperands())
      if (rankOf(value.getType()) == 0)
        yielded.push_back(scalarOf(value));
      else
        fill(value, results[next++]);
    scf::YieldOp::create(builder_, location_, yielded);
    buffers_ = std::move(outside);
    return success();
  };
  if (failed(lowerRegion(source.getThenRegion(), branch.getThenRegion())) ||
      failed(lowerRegion(source.getElseRegion(), branch.getElseRegion())))
    return failure();
  unsigned scalar = 0, tile = 0;
  for (Value result : source.getResults())
    if (rankOf(result.getType()) == 0)
      scalars_.map(result, branch.getResult(scalar++));
    else
      buffers_[result] = {results[tile++]};
  return success();
}
