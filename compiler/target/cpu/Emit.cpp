// Helpers of KernelLowering that build ops.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

int64_t linmu::cpu::rankOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? tensor.getRank() : 0;
}

ArrayRef<int64_t> linmu::cpu::shapeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getShape();
}

int64_t linmu::cpu::roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

bool linmu::cpu::isElementwise(Operation *op) {
  return op && op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1 &&
         isa<arith::ArithDialect, math::MathDialect>(op->getDialect());
}

Value KernelLowering::index(int64_t value) {
  return arith::ConstantIndexOp::create(builder_, location_, value);
}

Value KernelLowering::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attribute = isa<FloatType>(element) ? TypedAttr(builder_.getFloatAttr(element, value))
                                                : TypedAttr(builder_.getIntegerAttr(element, int64_t(value)));
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, Attribute(attribute));
  return arith::ConstantOp::create(builder_, location_, attribute);
}

Value KernelLowering::add(Value lhs, Value rhs) {
  auto zero = [](Value value) {
    auto constant = value.getDefiningOp<arith::ConstantIndexOp>();
    return constant && constant.value() == 0;
  };
  if (zero(lhs))
    return rhs;
  if (zero(rhs))
    return lhs;
  return arith::AddIOp::create(builder_, location_, lhs, rhs, arith::IntegerOverflowFlags::nsw);
}

Value KernelLowering::multiply(Value lhs, int64_t rhs) {
  if (rhs == 1)
    return lhs;
  return arith::MulIOp::create(builder_, location_, lhs, index(rhs), arith::IntegerOverflowFlags::nsw);
}

VectorType KernelLowering::vectorType(Type element, int64_t size) { return VectorType::get({size}, element); }

Value KernelLowering::splat(Value scalar) {
  return vector::BroadcastOp::create(builder_, location_, vectorType(scalar.getType()), scalar);
}

/// Which lanes of the panel at `column` are columns of the tile, not padding.
Value KernelLowering::columnMask(Value column, int64_t columns) {
  Value left = arith::SubIOp::create(builder_, location_, index(columns), column);
  return vector::CreateMaskOp::create(builder_, location_, vectorType(builder_.getI1Type()),
                                      ValueRange{left});
}

void KernelLowering::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(builder_, location_, from, to, index(step));
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPoint(op.getBody()->getTerminator());
  llvm::DenseMap<Value, Vectors> outer;
  std::swap(outer, memo_);
  body(op.getInductionVar());
  std::swap(outer, memo_);
}

void KernelLowering::loop(int64_t from, int64_t to, int64_t step, function_ref<void(Value)> body) {
  if (to - from <= step) { // one iteration at most
    if (from < to)
      body(index(from));
    return;
  }
  loop(index(from), index(to), step, body);
}

KernelLowering::Vectors KernelLowering::loop(Value from, Value to, int64_t step, ValueRange inits,
                                             function_ref<Vectors(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(builder_, location_, from, to, index(step), inits);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(op.getBody());
  Vectors yielded = body(op.getInductionVar(), op.getRegionIterArgs());
  scf::YieldOp::create(builder_, location_, yielded);
  return Vectors(op.getResults());
}

void KernelLowering::guarded(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto branch = scf::IfOp::create(builder_, location_, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder_);
  builder_.setInsertionPointToStart(branch.thenBlock());
  body();
}

int64_t KernelLowering::blockRows(int64_t rows) const {
  int64_t block = machine_.rows;
  while (rows % block)
    block /= 2;
  return block;
}

int64_t KernelLowering::blockPanels(int64_t columns) const {
  int64_t panels = roundUp(columns, Machine::width) / Machine::width;
  int64_t block = machine_.panels;
  while (panels % block)
    --block;
  return block;
}

/// The vectors of a block in their order.
void KernelLowering::forEachVector(const Block &at, function_ref<void(Value, Value, Value)> body) {
  for (int64_t p = 0; p < at.panels; ++p) {
    Value panel = add(at.panel, p), column = add(at.column, p * Machine::width);
    for (int64_t r = 0; r < at.rows; ++r)
      body(add(at.row, r), panel, column);
  }
}

void KernelLowering::forEachBlock(ArrayRef<int64_t> shape, bool lowerOnly, int64_t panels,
                                  function_ref<void(const Block &)> body) {
  int64_t rows = blockRows(shape[0]), width = Machine::width;
  int64_t count = roundUp(shape[1], width) / width;
  loop(0, count, panels, [&](Value panel) {
    Value column = multiply(panel, width);
    auto atRow = [&](Value row) {
      memo_.clear();
      body({row, rows, panel, column, panels});
    };
    // Blocks above the diagonal of a lower triangle are never read.
    if (lowerOnly && count > panels)
      loop(column, index(shape[0]), rows, atRow);
    else
      loop(0, shape[0], rows, atRow);
  });
  memo_.clear();
}

void KernelLowering::forEachBlockOf(Value tile, bool lowerOnly, function_ref<void(const Block &)> body) {
  ArrayRef<int64_t> shape = shapeOf(tile);
  // A product reads fewer elements a multiplication in a wider block; anything else gains nothing from one.
  llvm::SmallDenseSet<Value> seen;
  int64_t rows = blockRows(shape[0]), panels = inlinedWork(tile, seen) > 0 ? blockPanels(shape[1]) : 1;
  int64_t blocksDown = shape[0] / rows,
          blocksAcross = roundUp(shape[1], panels * Machine::width) / (panels * Machine::width);
  SmallVector<PrefetchShare> shares = takePrefetches(tile, blocksAcross * blocksDown);
  forEachBlock(shape, lowerOnly, panels, [&](const Block &at) {
    if (!shares.empty()) {
      Value across = arith::DivUIOp::create(builder_, location_, at.panel, index(panels));
      Value down = arith::DivUIOp::create(builder_, location_, at.row, index(rows));
      blockNumber_ = add(multiply(across, blocksDown), down);
      blockShares_ = shares;
    }
    body(at);
    emitPrefetches(std::exchange(blockShares_, {}), blockNumber_);
  });
}
