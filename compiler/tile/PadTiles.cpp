// pad-tiles: tiles of powers of two, for targets that divide them between threads bit by bit.
#include "compiler/tile/Passes.h"
#include "compiler/tile/tile_builder.h"
#include "compiler/tile/tile_memory.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace linmu;

namespace linmu::tile {
#define GEN_PASS_DEF_PADTILES
#include "compiler/tile/Passes.h.inc"
} // namespace linmu::tile

namespace {
using Shape = SmallVector<int64_t>;

class Padding {
public:
  Padding(tile::KernelOp kernel, int64_t least) : kernel_(kernel), least_(least) {}
  LogicalResult run();
  unsigned padded = 0;

private:
  int64_t sizeFor(int64_t size) const {
    return std::max<int64_t>(least_, int64_t(llvm::PowerOf2Ceil(uint64_t(size))));
  }
  Type typeFor(Type type);
  void retype(Value value);
  bool isPadded(Value tile, int64_t axis) { return before(tile)[axis] != now(tile)[axis]; }
  Shape before(Value tile) { return before_.lookup(tile); }
  static ArrayRef<int64_t> now(Value tile) { return cast<RankedTensorType>(tile.getType()).getShape(); }

  LogicalResult mend(Operation *op);
  void limitRange(tile::RangeOp range);
  /// Indices for what is taken whole of an axis that has grown.
  void limitIndices(Operation *op, Value memory, MutableOperandRange indices, bool store);
  void maskRows(tile::StoreOp store);
  /// `tile` with `value` where it has grown along an axis.
  Value masked(Operation *before, Value tile, int64_t axis, double value);
  void mask(Operation *op, unsigned operand, int64_t axis, double value);
  LogicalResult mendSlice(Operation *op, Value part, Value whole, ArrayRef<int64_t> offsets);

  tile::KernelOp kernel_;
  int64_t least_;
  DenseMap<Value, Shape> before_;
  DenseMap<Value, int64_t> range_sizes_;
};
} // namespace

Type Padding::typeFor(Type type) {
  if (auto range = dyn_cast<tile::RangeType>(type))
    return tile::RangeType::get(type.getContext(), sizeFor(range.getSize()));
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return type;
  Shape shape = llvm::map_to_vector(tensor.getShape(), [&](int64_t size) { return sizeFor(size); });
  return RankedTensorType::get(shape, tensor.getElementType());
}

void Padding::retype(Value value) {
  if (auto range = dyn_cast<tile::RangeType>(value.getType()))
    range_sizes_[value] = range.getSize();
  if (auto tensor = dyn_cast<RankedTensorType>(value.getType()); tensor && tensor.hasStaticShape())
    before_[value] = Shape(tensor.getShape());
  Type type = typeFor(value.getType());
  padded += type != value.getType() && isa<RankedTensorType>(type);
  value.setType(type);
}

void Padding::limitRange(tile::RangeOp range) {
  int64_t size = range_sizes_.lookup(range.getResult());
  if (size == range.getResult().getType().getSize())
    return;
  TileBuilder builder(range.getLoc(), range);
  Value end = builder.index(size);
  range.getToMutable().assign(range.getTo() ? builder.minimum(range.getTo(), end) : end);
}

void Padding::limitIndices(Operation *op, Value memory, MutableOperandRange indices, bool store) {
  TileBuilder builder(op->getLoc(), op);
  auto type = cast<RankedTensorType>(memory.getType());
  SmallVector<Value> all;
  for (Value index : OperandRange(indices)) {
    // Rows that are named one by one: those that the tile has grown by are the first, and are not stored.
    if (isa<RankedTensorType>(index.getType()) && isPadded(index, 0) && !store)
      index = masked(op, index, 0, 0);
    all.push_back(index);
  }
  for (int64_t axis = int64_t(all.size()); axis < type.getRank(); ++axis) {
    int64_t size = type.getDimSize(axis);
    all.push_back(tileRange(builder, builder.index(0), sizeFor(size),
                            {.to = sizeFor(size) == size ? Value() : builder.index(size)}));
  }
  indices.assign(all);
}

void Padding::maskRows(tile::StoreOp store) {
  for (Value index : store.getIndices()) {
    if (!isa<RankedTensorType>(index.getType()) || !isPadded(index, 0))
      continue;
    TileBuilder builder(store.getLoc(), store);
    Value live = isBefore(builder, builder.index(before(index)[0]), now(index)[0]);
    if (store.getMask())
      live = builder.both(live, store.getMask());
    store.getMaskMutable().assign(live);
  }
}

Value Padding::masked(Operation *op, Value tile, int64_t axis, double value) {
  TileBuilder builder(op->getLoc(), op);
  Value coordinate = builder.coordinate(now(tile), axis);
  Value end = builder.fill(builder.splat(builder.getI32Type(), before(tile)[axis]), now(tile));
  Value live = builder.compare(arith::CmpIPredicate::slt, coordinate, end);
  Value result = builder.select(live, tile, builder.splat(tile.getType(), value));
  before_[result] = before(tile);
  return result;
}

void Padding::mask(Operation *op, unsigned operand, int64_t axis, double value) {
  Value tile = op->getOperand(operand);
  // Loads leave zeros where nothing lives.
  Value source = tile;
  while (Operation *from = source.getDefiningOp<arith::ExtFOp>())
    source = from->getOperand(0);
  if (!isPadded(tile, axis) || (value == 0 && source.getDefiningOp<tile::LoadOp>()))
    return;
  op->setOperand(operand, masked(op, tile, axis, value));
}

LogicalResult Padding::mendSlice(Operation *op, Value part, Value whole, ArrayRef<int64_t> offsets) {
  for (auto [axis, offset] : llvm::enumerate(offsets))
    if (offset % now(part)[axis] || offset + now(part)[axis] > now(whole)[axis])
      return op->emitOpError(
                 "requires a slice of a power of two many rows and columns, at a multiple of them, got ")
             << before(part)[axis] << " at " << offset;
  op->setAttr("static_sizes", DenseI64ArrayAttr::get(op->getContext(), now(part)));
  return success();
}

LogicalResult Padding::mend(Operation *op) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto type = dyn_cast<RankedTensorType>(constant.getType())) {
      auto elements = cast<DenseElementsAttr>(constant.getValue());
      if (!elements.isSplat())
        return op->emitOpError("requires equal elements of a tile to be padded");
      constant.setValueAttr(DenseElementsAttr::get(type, elements.getSplatValue<Attribute>()));
    }
  } else if (auto range = dyn_cast<tile::RangeOp>(op)) {
    limitRange(range);
  } else if (auto load = dyn_cast<tile::LoadOp>(op)) {
    if (isa<RankedTensorType>(load.getResult().getType()))
      limitIndices(op, load.getSource(), load.getIndicesMutable(), /*store=*/false);
  } else if (auto store = dyn_cast<tile::StoreOp>(op)) {
    if (isa<RankedTensorType>(store.getValue().getType())) {
      maskRows(store);
      limitIndices(op, store.getDestination(), store.getIndicesMutable(), /*store=*/true);
    }
  } else if (auto dot = dyn_cast<tile::DotOp>(op)) {
    mask(op, 0, dot.getTransposeLhs() ? 0 : 1, 0);
    mask(op, 1, dot.getTransposeRhs() ? 1 : 0, 0);
  } else if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    double neutral = reduce.getKind() == tile::ReduceKind::add   ? 0
                     : reduce.getKind() == tile::ReduceKind::max ? -infinity
                                                                 : infinity;
    mask(op, 0, reduce.getAxis(), neutral);
  } else if (auto cumprod = dyn_cast<tile::CumprodOp>(op)) {
    if (cumprod.getReversed())
      mask(op, 0, 0, 1);
  } else if (auto cumsum = dyn_cast<tile::CumsumOp>(op)) {
    if (cumsum.getReversed())
      mask(op, 0, 0, 0);
  } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    return mendSlice(op, slice.getResult(), slice.getSource(), slice.getStaticOffsets());
  } else if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
    return mendSlice(op, slice.getSource(), slice.getDest(), slice.getStaticOffsets());
  }
  return success();
}

LogicalResult Padding::run() {
  SmallVector<Operation *> ops;
  WalkResult walk = kernel_.getBody().walk([&](Operation *op) -> WalkResult {
    if (isa<tile::AllocOp, tile::ReadOp, tile::WriteOp, tile::CopyOp>(op))
      return op->emitOpError("has no padded form");
    ops.push_back(op);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  for (Operation *op : ops) {
    llvm::for_each(op->getResults(), [&](Value value) { retype(value); });
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        retype(argument);
  }
  for (Operation *op : ops)
    if (failed(mend(op)))
      return failure();
  return success();
}

namespace {
struct PadTiles : tile::impl::PadTilesBase<PadTiles> {
  using PadTilesBase::PadTilesBase;

  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<tile::KernelOp>()) {
      Padding padding(kernel, least);
      if (failed(padding.run()))
        return signalPassFailure();
      tiles += padding.padded;
    }
  }
};
} // namespace
