// Sums of whole tensors: over the heads of a group and the batch, and inner products of states. The order of
// every sum is that of memory, whatever the machine.
#include "compiler/derive/algorithms.h"
#include "compiler/derive/program_expressions.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;

static constexpr int64_t blockTokens = 64;

/// sum + body(i) for i in [from, to).
static Value sumOver(TileBuilder &builder, Value from, Value to, Value sum,
                     llvm::function_ref<Value(Value)> body) {
  auto loop = scf::ForOp::create(builder, from, to, builder.index(1), sum);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = loop.getBody();
  if (!block->empty())
    block->back().erase();
  builder.setInsertionPointToEnd(block);
  Value next = builder.add(loop.getRegionIterArgs()[0], body(loop.getInductionVar()));
  scf::YieldOp::create(builder, next);
  return loop.getResult(0);
}

namespace {
/// The kernel of one reduce under construction.
struct Reduction {
  pattern::ReduceOp op;
  IRMapping arguments;
  TileBuilder builder;
  LaunchPlan launch;

  Reduction(pattern::ReduceOp op, ProgramBuilder &program) : op(op), builder(op.getLoc(), op.getContext()) {
    SmallVector<Value> operands(op.getSources());
    operands.push_back(op.getResult());
    launch = program.startKernel("reduce", op.getLoc(), operands, arguments, builder);
  }

  /// The sum over the heads of group `group` of `groups` of a tensor with `heads` heads; `load` takes a head.
  Value sumOfGroup(Value group, int64_t groups, int64_t heads, Value sum,
                   llvm::function_ref<Value(Value)> load) {
    Value size = builder.index(heads / groups), first = builder.multiply(group, size);
    return sumOver(builder, first, builder.add(first, size), sum,
                   [&](Value head) { return extendToF32(builder, load(head)); });
  }

  void store(Value sum, ValueRange at) {
    auto type = cast<RankedTensorType>(op.getType());
    storeTile(builder, roundTo(builder, sum, type.getElementType()), arguments.lookup(op.getResult()), at);
  }

  void ofTokens(ProgramBuilder &program);
  void ofStates(ProgramBuilder &program);
};
} // namespace

void Reduction::ofTokens(ProgramBuilder &program) {
  auto type = cast<RankedTensorType>(op.getType());
  bool hasHeads = type.getRank() > 2;
  int64_t groups = hasHeads ? type.getDimSize(2) : 1;
  launch.grid = {program.constant(groups), ceilDivide(program, program.tokens(), blockTokens),
                 program.batch()};
  Value group = builder.blockId(0), batch = builder.blockId(2), memory = arguments.lookup(op.getResult());
  Value first = builder.multiply(builder.blockId(1), builder.index(blockTokens));
  Value live = builder.subtract(tensor::DimOp::create(builder, memory, builder.index(1)), first);
  Value rows = tileRange(builder, first, blockTokens, {.to = live});
  SmallVector<int64_t> shape{blockTokens};
  llvm::append_range(shape, type.getShape().drop_front(hasHeads ? 3 : 2));
  Value sum = builder.splat(builder.f32Tile(shape), 0);
  for (Value operand : op.getSources()) {
    auto source = cast<RankedTensorType>(operand.getType());
    Value from = arguments.lookup(operand);
    if (source.getRank() == 2)
      sum = builder.add(sum, extendToF32(builder, loadTile(builder, from, {batch, rows})));
    else
      sum = sumOfGroup(group, groups, source.getDimSize(2), sum,
                       [&](Value head) { return loadTile(builder, from, {batch, rows, head}); });
  }
  if (hasHeads)
    store(sum, {batch, rows, group});
  else
    store(sum, {batch, rows});
}

void Reduction::ofStates(ProgramBuilder &program) {
  auto type = cast<RankedTensorType>(op.getType());
  bool toParam = pattern::kindOf(type) == pattern::Kind::param;
  int64_t groups = type.getDimSize(toParam ? 0 : 1);
  launch.grid = {program.constant(groups)};
  if (!toParam)
    launch.grid.push_back(program.batchOfStates());
  Value group = builder.blockId(0);
  ArrayRef<int64_t> slice = type.getShape().drop_front(toParam ? 1 : 2);
  Type f32 = builder.getF32Type();
  Value sum = builder.splat(slice.empty() ? f32 : Type(builder.f32Tile(slice)), 0);
  for (Value operand : op.getSources()) {
    int64_t heads = cast<RankedTensorType>(operand.getType()).getDimSize(1);
    Value from = arguments.lookup(operand);
    auto ofBatch = [&](Value batch, Value start) {
      return sumOfGroup(group, groups, heads, start,
                        [&](Value head) { return loadTile(builder, from, {batch, head}); });
    };
    if (!toParam) {
      sum = ofBatch(builder.blockId(1), sum);
      continue;
    }
    Value count = tensor::DimOp::create(builder, from, builder.index(0));
    Value zero = builder.splat(sum.getType(), 0);
    sum = sumOver(builder, builder.index(0), count, sum, [&](Value batch) { return ofBatch(batch, zero); });
  }
  if (toParam)
    store(sum, {group});
  else
    store(sum, {builder.blockId(1), group});
}

FailureOr<OpPlan> linmu::deriveReduce(pattern::ReduceOp reduce, ProgramBuilder &program) {
  auto type = cast<RankedTensorType>(reduce.getType());
  if (pattern::kindOf(type) == pattern::Kind::tokens && type.getRank() > 4)
    return reduce.emitOpError("requires slices of tokens of rank 0 or 1, got ") << type;
  Reduction reduction(reduce, program);
  if (pattern::kindOf(type) == pattern::Kind::tokens)
    reduction.ofTokens(program);
  else
    reduction.ofStates(program);
  return OpPlan{{"reduce", {}}, {reduction.launch}};
}

FailureOr<OpPlan> linmu::deriveInnerProduct(pattern::InnerProductOp product, ProgramBuilder &program) {
  IRMapping arguments;
  TileBuilder builder(product.getLoc(), product.getContext());
  LaunchPlan launch =
      program.startKernel("inner_product", product.getLoc(),
                          {product.getLhs(), product.getRhs(), product.getResult()}, arguments, builder);
  int64_t heads = cast<RankedTensorType>(product.getType()).getDimSize(1);
  launch.grid = {program.constant(heads), program.batchOfStates()};
  SmallVector<Value> at{builder.blockId(1), builder.blockId(0)};
  Value sum = builder.multiply(loadTile(builder, arguments.lookup(product.getLhs()), at),
                               loadTile(builder, arguments.lookup(product.getRhs()), at));
  SmallVector<int64_t> axes(product.getAxes());
  llvm::sort(axes, std::greater());
  for (int64_t axis : axes)
    sum = builder.sum(sum, axis);
  storeTile(builder, sum, arguments.lookup(product.getResult()), at);
  return OpPlan{{"inner_product", {}}, {launch}};
}
