// Which places of operands a load or store touches.
#include "compiler/target/cpu/KernelLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

Access Access::of(Operation *op) {
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return {load.getSource(), load.getIndices(), load.getType()};
  auto store = cast<tile::StoreOp>(op);
  return {store.getDestination(), store.getIndices(), store.getValue().getType()};
}

int64_t Access::axisOf(int64_t axis) const {
  int64_t rank = cast<RankedTensorType>(memory.getType()).getRank(), kept = 0;
  for (int64_t place = 0; place < rank; ++place) {
    bool dropped = place < int64_t(indices.size()) && indices[place].getType().isIndex();
    if (!dropped && kept++ == axis)
      return place;
  }
  return -1;
}

Value Access::indexOf(int64_t axis) const {
  int64_t place = axisOf(axis);
  return place >= 0 && place < int64_t(indices.size()) ? indices[place] : Value();
}

/// Whether elements of an axis that is indexed so follow each other.
static bool isConsecutive(Value index) {
  auto range = index ? index.getDefiningOp<tile::RangeOp>() : tile::RangeOp();
  return !index || (range && !range.getBackward() && !range.getOrder());
}

bool Access::isElements() const {
  if (rankOf(tile) != 1)
    return false;
  return axisOf(0) + 1 < cast<RankedTensorType>(memory.getType()).getRank() || !isConsecutive(rowIndex());
}

/// Columns lie together in memory; only rows may be anywhere.
LogicalResult KernelLowering::checkAccess(Operation *op, Value memory, OperandRange indices) {
  Access access = Access::of(op);
  int64_t rank = rankOf(access.tile);
  if (rank == 0)
    return success();
  if (rank == 2 && access.axisOf(1) + 1 != cast<RankedTensorType>(memory.getType()).getRank())
    return op->emitOpError("requires the columns of a tile to be the operand's last axis on the CPU");
  if (rank == 2 && !isConsecutive(access.columnIndex()))
    return op->emitOpError("requires columns that follow each other in memory on the CPU");
  return success();
}

/// An order's rows are looked up once, for all loads and stores of the range.
void KernelLowering::lowerRange(tile::RangeOp op) {
  auto scalarOrNull = [&](Value value) { return value ? scalarOf(value) : Value(); };
  Range range{
      scalarOf(op.getFirst()), scalarOrNull(op.getFrom()), scalarOrNull(op.getTo()), op.getBackward(), {}};
  int64_t size = op.getType().getSize();
  if (Value order = op.getOrder()) {
    Type word = builder_.getI64Type();
    Value rows = allocate(RankedTensorType::get({size}, word), Layout::rows).memref;
    ranges_[op] = range;
    loop(0, size, 1, [&](Value at) {
      auto lookUp = [&]() -> Value {
        SmallVector<Value> place{scalarOf(op.getBatch()), placeIn(range, at)};
        Value row = memref::LoadOp::create(builder_, location_, memrefOf(order), place);
        return arith::ExtSIOp::create(builder_, location_, word, row);
      };
      Value live = isLive(op, at), row;
      if (!live) {
        row = lookUp();
      } else {
        auto branch = scf::IfOp::create(builder_, location_, TypeRange{word}, live, /*withElseRegion=*/true);
        OpBuilder::InsertionGuard guard(builder_);
        builder_.setInsertionPointToStart(branch.thenBlock());
        scf::YieldOp::create(builder_, location_, lookUp());
        builder_.setInsertionPointToStart(branch.elseBlock());
        scf::YieldOp::create(builder_, location_, constant(word, 0));
        row = branch.getResult(0);
      }
      memref::StoreOp::create(builder_, location_, row, rows, at);
    });
    range.rows = rows;
  }
  ranges_[op] = range;
}

/// Element `at` of a range as an index.
Value KernelLowering::placeIn(const Range &range, Value at) {
  if (range.rows)
    return arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                      memref::LoadOp::create(builder_, location_, range.rows, at));
  if (range.backward)
    return arith::SubIOp::create(builder_, location_, range.first, at);
  return add(range.first, at);
}

/// The indices in memory of one element of the tile, or of the first of a vector of them. `column` is null
/// for a tile of rank 1, `row` as well for a scalar.
SmallVector<Value> KernelLowering::placeOf(const Access &access, Value row, Value column) {
  SmallVector<Value> place;
  Value kept[] = {row, column};
  unsigned next = 0;
  int64_t rank = cast<RankedTensorType>(access.memory.getType()).getRank();
  for (int64_t axis = 0; axis < rank; ++axis) {
    Value index = axis < int64_t(access.indices.size()) ? access.indices[axis] : Value();
    if (index && index.getType().isIndex())
      place.push_back(scalarOf(index));
    else if (!index)
      place.push_back(kept[next++]);
    else if (auto range = ranges_.find(index); range != ranges_.end())
      place.push_back(placeIn(range->second, kept[next++]));
    else
      place.push_back(arith::IndexCastOp::create(builder_, location_, builder_.getIndexType(),
                                                 scalar(index, kept[next++])));
  }
  return place;
}

/// Whether element `at` of a range is live; null where all are, and for other indices.
Value KernelLowering::isLive(Value index, Value at) {
  auto found = index ? ranges_.find(index) : ranges_.end();
  if (found == ranges_.end() || index == knownLive_)
    return {};
  const Range &range = found->second;
  auto compare = [&](arith::CmpIPredicate predicate, Value bound) -> Value {
    return arith::CmpIOp::create(builder_, location_, predicate, at, bound);
  };
  Value live = range.to ? compare(arith::CmpIPredicate::slt, range.to) : Value();
  if (!range.from)
    return live;
  Value started = compare(arith::CmpIPredicate::sge, range.from);
  return live ? Value(arith::AndIOp::create(builder_, location_, live, started)) : started;
}

/// Whether all elements of a range are live; null where they are in any case.
Value KernelLowering::isAllLive(Value index) {
  auto found = ranges_.find(index);
  if (found == ranges_.end() || (!found->second.from && !found->second.to))
    return {};
  int64_t size = cast<tile::RangeType>(index.getType()).getSize();
  Value last = found->second.to ? arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::sge,
                                                        found->second.to, this->index(size))
                                : Value();
  if (!found->second.from)
    return last;
  Value first = arith::CmpIOp::create(builder_, location_, arith::CmpIPredicate::sle, found->second.from,
                                      this->index(0));
  return last ? Value(arith::AndIOp::create(builder_, location_, last, first)) : first;
}

/// Which lanes of the vector at `column` are live columns of a tile of `size`; null where all are.
Value KernelLowering::liveLanes(Value index, Value column, int64_t size) {
  Value mask = size % Machine::width ? columnMask(column, size) : Value();
  auto found = index ? ranges_.find(index) : ranges_.end();
  if (found == ranges_.end())
    return mask;
  auto lanesBefore = [&](Value bound) -> Value {
    return vector::CreateMaskOp::create(
        builder_, location_, vectorType(builder_.getI1Type()),
        ValueRange{arith::SubIOp::create(builder_, location_, bound, column)});
  };
  auto both = [&](Value other) {
    mask = mask ? Value(arith::AndIOp::create(builder_, location_, mask, other)) : other;
  };
  if (found->second.to)
    both(lanesBefore(found->second.to));
  if (found->second.from) {
    Value yes = constant(vectorType(builder_.getI1Type()), 1);
    both(arith::XOrIOp::create(builder_, location_, lanesBefore(found->second.from), yes));
  }
  return mask;
}
