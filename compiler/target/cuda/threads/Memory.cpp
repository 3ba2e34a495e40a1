// Tiles from and to operands in memory.
#include "compiler/target/cuda/threads/Lowering.h"
#include "compiler/target/cuda/threads/SharedTile.h"
#include "compiler/tile/Neighbours.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

/// The register of a vector's slice of a layout that holds the element which registers alone lead to.
static int64_t registerAt(LayoutAttr slice, uint64_t element) {
  int64_t number = 0;
  for (auto [bit, image] : llvm::enumerate(slice.getLayout().images(registerInput)))
    if (element & image)
      number |= int64_t(1) << bit;
  return number;
}

namespace {
/// A place in memory of one axis, and whether it may be touched; null: always.
struct Place {
  Value index, live;
};

/// The accesses of a tile, or of a scalar, by vectors of neighbours.
class TileAccess {
public:
  TileAccess(Thread &thread, Value memory, OperandRange indices, Type tile)
      : thread_(thread), memory_(memory), indices_(indices), layout_(layoutOf(tile)),
        element_(elementOf(tile)) {
    auto type = cast<RankedTensorType>(memory.getType());
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (axis >= int64_t(indices.size()) || !indices[axis].getType().isIndex())
        kept_.push_back(axis);
    if (layout_)
      vector_ = vectorOf(type);
  }

  /// Neighbours that move together, a power of two.
  int64_t vector() const { return vector_; }
  /// Whether a tile names each row.
  bool scattered() const {
    return llvm::any_of(indices_, [](Value index) { return isa<RankedTensorType>(index.getType()); });
  }
  SmallVector<Value> indicesFor(uint64_t registers, Value &live);

private:
  int64_t vectorOf(RankedTensorType type);
  Place placeOf(int64_t axis, uint64_t registers);
  Place placeOnAxis(int64_t axis, Value coordinate, Value rows);
  Value both(Value a, Value b) { return a && b ? Value(arith::AndIOp::create(thread_, a, b)) : a ? a : b; }

  Thread &thread_;
  Value memory_;
  OperandRange indices_;
  LayoutAttr layout_;
  Type element_;
  SmallVector<int64_t> kept_; ///< axes of memory that are axes of the tile
  int64_t vector_ = 1;
  DenseMap<std::pair<int64_t, uint64_t>, Place>
      places_; ///< by axis of the tile and coordinate of the registers
};
} // namespace

/// As many as lie side by side in the registers, on the last axis, at places that this number divides.
int64_t TileAccess::vectorOf(RankedTensorType type) {
  int64_t last = type.getRank() - 1, axis = int64_t(kept_.size()) - 1;
  if (kept_.back() != last)
    return 1;
  ArrayRef<uint64_t> images = layout_.getLayout().images(registerInput);
  unsigned shift = axis == 0 ? 0 : layout_.getLayout().outBits(rowOutput);
  int64_t most = 1, bytes = std::max<int64_t>(element_.getIntOrFloatBitWidth() / 8, 1);
  for (size_t bit = 0;
       bit < images.size() && images[bit] == uint64_t(1) << (bit + shift) && most * bytes < 16; ++bit)
    most *= 2;
  if (last >= int64_t(indices_.size()))
    return tile::neighboursOf(type, {}, most);
  return tile::neighboursOf(type, indices_[last], most);
}

/// Where element `coordinate` of an axis lies; `rows` are the places of a tile of rows.
Place TileAccess::placeOnAxis(int64_t axis, Value coordinate, Value row) {
  if (row)
    return {arith::IndexCastOp::create(thread_, thread_.getIndexType(), row), {}};
  if (axis >= int64_t(indices_.size()))
    return {coordinate, {}};
  auto range = indices_[axis].getDefiningOp<tile::RangeOp>();
  auto scalar = [&](Value value) { return thread_.held.lookupOrDefault(value); };
  Value first = scalar(range.getFirst());
  Place place;
  place.index = range.getBackward() ? Value(arith::SubIOp::create(thread_, first, coordinate))
                                    : Value(arith::AddIOp::create(thread_, first, coordinate));
  auto compare = [&](arith::CmpIPredicate predicate, Value border) {
    return Value(arith::CmpIOp::create(thread_, predicate, coordinate, scalar(border)));
  };
  if (range.getFrom())
    place.live = compare(arith::CmpIPredicate::sge, range.getFrom());
  if (range.getTo())
    place.live = both(place.live, compare(arith::CmpIPredicate::slt, range.getTo()));
  if (range.getOrder()) {
    Value row = LoadOp::create(thread_, thread_.getI32Type(), scalar(range.getOrder()),
                               ValueRange{scalar(range.getBatch()), place.index}, place.live, false);
    place.index = arith::IndexCastOp::create(thread_, thread_.getIndexType(), row);
  }
  return place;
}

Place TileAccess::placeOf(int64_t axis, uint64_t registers) {
  const LinearLayout &layout = layout_.getLayout();
  StringRef output = axis == 0 ? rowOutput : columnOutput;
  unsigned shift = axis == 0 ? 0 : layout.outBits(rowOutput);
  uint64_t constant = (layout(registers) >> shift) & ((uint64_t(1) << layout.outBits(output)) - 1);
  Place &known = places_[{axis, constant}];
  if (known.index)
    return known;
  Value row;
  int64_t memoryAxis = kept_[axis];
  if (memoryAxis < int64_t(indices_.size()) && isa<RankedTensorType>(indices_[memoryAxis].getType())) {
    // The register of the slice that goes with these.
    LayoutAttr rows = axis == 0 && kept_.size() == 1 ? layout_ : TileLayouts::slice(layout_, axis);
    row = thread_.element(thread_.held.lookup(indices_[memoryAxis]), registerAt(rows, constant));
  }
  return known = placeOnAxis(memoryAxis, thread_.coordinate(layout, output, registers), row);
}

SmallVector<Value> TileAccess::indicesFor(uint64_t registers, Value &live) {
  SmallVector<Value> result;
  int64_t axis = 0;
  for (int64_t memoryAxis = 0; memoryAxis < cast<RankedTensorType>(memory_.getType()).getRank();
       ++memoryAxis) {
    if (!llvm::is_contained(kept_, memoryAxis)) {
      result.push_back(thread_.held.lookupOrDefault(indices_[memoryAxis]));
      continue;
    }
    Place place = placeOf(axis++, registers);
    result.push_back(place.index);
    live = both(live, place.live);
  }
  return result;
}

LogicalResult linmu::cuda::lowerLoad(Thread &thread, tile::LoadOp load) {
  Type type = load.getResult().getType(), element = elementOf(type);
  TileAccess access(thread, load.getSource(), load.getIndices(), type);
  Value memory = thread.held.lookupOrDefault(load.getSource());
  if (!isa<RankedTensorType>(type)) {
    Value live;
    thread.held.map(load.getResult(),
                    LoadOp::create(thread, element, memory, access.indicesFor(0, live), live, false));
    return success();
  }
  SmallVector<Value> parts;
  for (int64_t at = 0; at < registersOf(layoutOf(type)); at += access.vector()) {
    Value live;
    SmallVector<Value> indices = access.indicesFor(at, live);
    Type part = access.vector() == 1 ? element : Type(VectorType::get({access.vector()}, element));
    parts.push_back(LoadOp::create(thread, part, memory, indices, live, access.scattered()));
  }
  thread.held.map(load.getResult(), access.vector() == 1 ? thread.join(parts) : thread.assemble(parts));
  return success();
}

LogicalResult linmu::cuda::lowerStore(Thread &thread, tile::StoreOp store) {
  Value value = thread.held.lookup(store.getValue()),
        memory = thread.held.lookupOrDefault(store.getDestination());
  Type type = store.getValue().getType();
  TileAccess access(thread, store.getDestination(), store.getIndices(), type);
  Value mask = store.getMask() ? thread.held.lookup(store.getMask()) : Value();
  if (!isa<RankedTensorType>(type)) {
    // One thread of the block.
    Value place = arith::OrIOp::create(thread, thread.lane(), thread.warp());
    Value live = arith::CmpIOp::create(thread, arith::CmpIPredicate::eq, place, thread.index(0));
    if (mask)
      live = arith::AndIOp::create(thread, live, mask);
    SmallVector<Value> indices = access.indicesFor(0, live);
    StoreOp::create(thread, value, memory, indices, live, false);
    return success();
  }
  LayoutAttr layout = layoutOf(type);
  Value first = thread.isFirstHolder(layout.getLayout());
  DenseSet<uint64_t> stored;
  for (int64_t at = 0; at < registersOf(layout); at += access.vector()) {
    if (!stored.insert(layout.getLayout()(at)).second)
      continue;
    Value live = first;
    SmallVector<Value> indices = access.indicesFor(at, live);
    if (mask) {
      Value row = mask;
      if (auto rows = dyn_cast<VectorType>(mask.getType())) {
        uint64_t constant =
            layout.getLayout()(at) & ((uint64_t(1) << layout.getLayout().outBits(rowOutput)) - 1);
        row = thread.element(mask, registerAt(layoutOf(store.getMask().getType()), constant));
      }
      live = live ? Value(arith::AndIOp::create(thread, live, row)) : row;
    }
    SmallVector<int64_t> registers;
    for (int64_t i = 0; i < access.vector(); ++i)
      registers.push_back(at + i);
    Value part = access.vector() == 1 ? thread.element(value, at) : thread.gather(value, registers);
    StoreOp::create(thread, part, memory, indices, live, access.scattered());
  }
  return success();
}

/// How many steps ahead of its loop a copy is; of a buffer that is no slot of a ring 0.
static int64_t stepsAhead(tile::CopyOp copy) {
  auto slot = copy.getBuffer().getDefiningOp<tile::SlotOp>();
  return slot ? int64_t(slot.getAhead()) : 0;
}

/// The copy that belongs to the same group as the one before it: of the same step.
static tile::CopyOp nextCopy(tile::CopyOp copy) {
  for (Operation *op = copy->getNextNode(); op; op = op->getNextNode()) {
    if (auto next = dyn_cast<tile::CopyOp>(op))
      return stepsAhead(next) == stepsAhead(copy) ? next : tile::CopyOp();
    if (isa<tile::WaitOp>(op) || op->getNumRegions() > 0)
      return {};
  }
  return {};
}

LogicalResult linmu::cuda::lowerCopy(Thread &thread, tile::CopyOp copy) {
  auto layout = copy->getAttrOfType<LayoutAttr>("layout");
  RankedTensorType type = withLayout(copy.getBuffer().getType().getTileType(), layout);
  TileAccess access(thread, copy.getSource(), copy.getIndices(), type);
  SharedTile shared(thread, type, copy.getBuffer());
  Attribute number = thread.nextWrite();
  int64_t bytes = access.vector() * type.getElementTypeBitWidth() / 8;
  if (bytes < 4)
    return copy.emitOpError("requires 4 neighbouring bytes of ") << copy.getSource().getType();
  Value memory = thread.held.lookupOrDefault(copy.getSource()),
        first = thread.isFirstHolder(layout.getLayout());
  Value condition = copy.getCondition() ? thread.held.lookupOrDefault(copy.getCondition()) : Value();
  auto branch = first ? scf::IfOp::create(thread, first, /*withElseRegion=*/false) : scf::IfOp();
  {
    OpBuilder::InsertionGuard guard(thread);
    if (branch)
      thread.setInsertionPoint(branch.thenYield());
    DenseSet<uint64_t> copied;
    for (int64_t at = 0; at < registersOf(layout); at += access.vector()) {
      if (!copied.insert(layout.getLayout()(at)).second)
        continue;
      Value live = condition;
      SmallVector<Value> indices = access.indicesFor(at, live);
      auto op = CopyOp::create(thread, memory, indices, live, shared.memref, shared.offset(at),
                               access.vector(), access.scattered());
      op->setAttr(writeAttribute, number);
      shared.mark(op);
    }
  }
  // One group, in all threads, of the copies up to the next wait or branch.
  if (!nextCopy(copy))
    CommitOp::create(thread);
  return success();
}

/// tile.wait counts copies, the instruction groups of them: as many copies as the wait's block starts
/// together.
LogicalResult linmu::cuda::lowerWait(Thread &thread, tile::WaitOp wait) {
  int64_t pending = wait.getPending(), group = 0;
  for (Operation &op : *wait->getBlock())
    if (auto copy = dyn_cast<tile::CopyOp>(op)) {
      for (group = 1; (copy = nextCopy(copy)); ++group)
        ;
      break;
    }
  if (pending > 0 && (group == 0 || pending % group != 0))
    return wait.emitOpError("requires whole groups of ") << group << " copies to be pending, got " << pending;
  WaitOp::create(thread, pending > 0 ? pending / group : 0);
  return success();
}
