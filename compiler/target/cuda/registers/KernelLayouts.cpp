#include "compiler/target/cuda/registers/KernelLayouts.h"
#include "compiler/target/cuda/layout/Conversion.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

bool linmu::cuda::isElementwise(Operation *op) {
  return isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) && !isa<arith::ConstantOp>(op);
}

//===------------------------------------------------------------------------------------------------===//
// Which layout
//===------------------------------------------------------------------------------------------------===//

/// Constants, coordinates and what is made of them alone take nothing that counts. What is read from a ring
/// is read again, and a few steps behind it are done again: a warp reads what it needs for its own part.
std::optional<unsigned> KernelLayouts::stepsToRemake(Value tile) {
  if (auto known = remaking_.find(tile); known != remaking_.end())
    return known->second;
  constexpr unsigned most = 6, ofFunction = 4;
  auto find = [&]() -> std::optional<unsigned> {
    Operation *op = tile.getDefiningOp();
    if (!op)
      return {};
    if (isa<arith::ConstantOp, tile::CoordinateOp, tile::BroadcastOp, tensor::ExtractSliceOp,
            tensor::InsertSliceOp>(op))
      return 0;
    if (auto read = dyn_cast<tile::ReadOp>(op); read && read.getBuffer().getDefiningOp<tile::SlotOp>())
      return 1;
    if (!isElementwise(op))
      return {};
    unsigned steps = 0;
    for (Value operand : op->getOperands())
      if (isTile(operand)) {
        std::optional<unsigned> before = stepsToRemake(operand);
        if (!before)
          return {};
        steps += *before;
      }
    if (steps > 0)
      steps += isa<math::MathDialect>(op->getDialect()) || isa<arith::DivFOp>(op) ? ofFunction : 1;
    return steps > most ? std::nullopt : std::optional(steps);
  };
  std::optional<unsigned> steps = find();
  return remaking_[tile] = steps;
}

LayoutAttr KernelLayouts::usual(RankedTensorType type) {
  return type.getRank() == 1 ? layouts_.vector(type.getDimSize(0)) : layouts_.columns(type.getShape());
}

LayoutAttr KernelLayouts::homeOf(Value tile) {
  if (LayoutAttr known = homes_.lookup(tile))
    return known;
  return usual(tileType(tile));
}

LayoutAttr KernelLayouts::preferred(Value tile, unsigned depth) {
  if (LayoutAttr known = homes_.lookup(tile))
    return known;
  RankedTensorType type = tileType(tile);
  Operation *op = tile.getDefiningOp();
  if (!op || depth > 16)
    return {};
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return resultLayout(dot, productFormOf(dot, layouts_), layouts_);
  if (auto reduce = dyn_cast<tile::ReduceOp>(op)) {
    // What is known of rows goes with the rows, which a thread has few of.
    LayoutAttr source = reduce.getAxis() == 1 ? preferred(reduce.getSource(), depth + 1) : LayoutAttr();
    return source && type.getRank() == 1 ? TileLayouts::slice(source, 0) : LayoutAttr();
  }
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    unsigned number = cast<OpResult>(tile).getResultNumber();
    if (LayoutAttr inside = preferred(loop.getYieldedValues()[number], depth + 1))
      return inside;
    return preferred(loop.getInitArgs()[number], depth + 1);
  }
  if (!isElementwise(op))
    return {};
  for (Value operand : op->getOperands())
    if (isTile(operand) && tileType(operand).getShape() == type.getShape())
      if (LayoutAttr layout = preferred(operand, depth + 1))
        return layout;
  return {};
}

LayoutAttr KernelLayouts::loadedLayout(Value tile) {
  RankedTensorType type = tileType(tile);
  Operation *op = tile.getDefiningOp();
  if (!op || type.getRank() == 1)
    return {};
  if (isa<tile::LoadOp>(op))
    return layouts_.rows(type.getShape(), type.getElementType(), type.getDimSize(1));
  if (!isElementwise(op))
    return {};
  for (Value operand : op->getOperands())
    if (isTile(operand) && tileType(operand).getShape() == type.getShape())
      if (LayoutAttr layout = loadedLayout(operand))
        return layout;
  return {};
}

LayoutAttr KernelLayouts::operandLayout(Operation *op, Value operand, LayoutAttr result) {
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op))
    return TileLayouts::slice(result, *broadcast.getAxis());
  return result;
}

//===------------------------------------------------------------------------------------------------===//
// Tiles in a layout
//===------------------------------------------------------------------------------------------------===//

void KernelLayouts::define(Value tile, Value value) {
  LayoutAttr layout = layoutOf(value.getType());
  homes_[tile] = layout;
  made_.add(tile, layout, value);
}

Value KernelLayouts::demand(Value tile, LayoutAttr layout) {
  if (!isTile(tile))
    return scalars_.lookupOrDefault(tile);
  if (Value known = made_.find(tile, layout))
    return known;
  Value value = isFree(tile) ? remake(tile, layout) : convert(tile, layout);
  made_.add(tile, layout, value);
  return value;
}

Value KernelLayouts::remake(Value tile, LayoutAttr layout) {
  Operation *op = tile.getDefiningOp();
  RankedTensorType type = withLayout(tile.getType(), layout);
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    return arith::ConstantOp::create(builder_, elements.reshape(type));
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return ReadPartOp::create(builder_, type, bufferOf(slice.getSource()), slice.getStaticOffsets());
  if (isa<tensor::InsertSliceOp>(op))
    return tile::ReadOp::create(builder_, type, bufferOf(tile));
  IRMapping operands;
  for (Value operand : op->getOperands())
    operands.map(operand, isTile(operand) ? demand(operand, operandLayout(op, operand, layout))
                                          : scalars_.lookupOrDefault(operand));
  Operation *clone = builder_.clone(*op, operands);
  clone->getResult(0).setType(type);
  return clone->getResult(0);
}

Value KernelLayouts::convert(Value tile, LayoutAttr layout) {
  LayoutAttr home = homeOf(tile);
  Value from = made_.find(tile, home);
  assert(from && "a tile has its home before it is asked for");
  RankedTensorType type = withLayout(tile.getType(), layout);
  // Where lanes choose between many registers, writing them and reading them again is shorter.
  constexpr unsigned mostShuffles = 32;
  Conversion plan = planConversion(home.getLayout(), layout.getLayout());
  bool isShort = plan.shuffles <= mostShuffles || type.getElementTypeBitWidth() < 16;
  if (plan.kind != ConversionKind::shared && isShort) {
    ++counts.conversions;
    return ConvertOp::create(builder_, type, from);
  }
  return tile::ReadOp::create(builder_, type, bufferOf(tile));
}

/// A buffer that holds the tile.
Value KernelLayouts::bufferOf(Value tile) {
  if (Value known = made_.findBuffer(tile))
    return known;
  ++counts.buffers;
  RankedTensorType type = tileType(tile);
  Value value = demand(tile, homeOf(tile));
  Value buffer = tile::AllocOp::create(
      builder_, tile::BufferType::get(builder_.getContext(), type.getShape(), type.getElementType()));
  tile::WriteOp::create(builder_, value, buffer);
  made_.addBuffer(tile, buffer);
  return buffer;
}

/// The tile is made in a buffer: that of what it goes into, where nobody else asks for that.
void KernelLayouts::emitInsert(tensor::InsertSliceOp insert) {
  Value into = insert.getDest();
  Value buffer =
      into.hasOneUse() && into.getDefiningOp<tensor::InsertSliceOp>() ? made_.findBuffer(into) : Value();
  if (!buffer) {
    RankedTensorType type = tileType(into);
    buffer = tile::AllocOp::create(
        builder_, tile::BufferType::get(builder_.getContext(), type.getShape(), type.getElementType()));
    tile::WriteOp::create(builder_, demand(into, homeOf(into)), buffer);
    ++counts.buffers;
  }
  Value part = insert.getSource();
  WritePartOp::create(builder_, demand(part, homeOf(part)), buffer, insert.getStaticOffsets());
  made_.addBuffer(insert, buffer);
}
