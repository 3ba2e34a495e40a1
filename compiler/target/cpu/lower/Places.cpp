#include "compiler/target/cpu/lower/Places.h"
#include "compiler/target/cpu/lower/Elements.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cpu;

using Predicate = arith::CmpIPredicate;

const Places::Range *Places::find(Value index) const {
  auto found = index ? ranges_.find(index) : ranges_.end();
  return found == ranges_.end() ? nullptr : &found->second;
}

/// The row that an order names at element `at` of the range, as i64; 0 where it is dead.
Value Places::lookUp(tile::RangeOp op, Value at) {
  Type word = emit_.getI64Type();
  auto row = [&]() -> Value {
    SmallVector<Value> place{kernel_.scalar(op.getBatch()), positionIn(*find(op), at)};
    Value entry = memref::LoadOp::create(emit_, kernel_.memory(op.getOrder()), place);
    return arith::ExtSIOp::create(emit_, word, entry);
  };
  Value live = isLive(op, at);
  if (!live)
    return row();
  auto branch = scf::IfOp::create(emit_, TypeRange{word}, live, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(emit_);
  emit_.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(emit_, row());
  emit_.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(emit_, emit_.constant(word, 0));
  return branch.getResult(0);
}

void Places::lowerRange(tile::RangeOp op) {
  auto scalarOrNull = [&](Value value) { return value ? kernel_.scalar(value) : Value(); };
  Range range{kernel_.scalar(op.getFirst()),
              scalarOrNull(op.getFrom()),
              scalarOrNull(op.getTo()),
              op.getBackward(),
              {}};
  ranges_[op] = range;
  if (!op.getOrder())
    return;
  int64_t size = op.getType().getSize();
  auto type = RankedTensorType::get({size}, emit_.getI64Type());
  Value rows = kernel_.buffers.allocate(type, Layout::rows).memref;
  emit_.loop(0, size, 1, [&](Value at) { memref::StoreOp::create(emit_, lookUp(op, at), rows, at); });
  ranges_[op].rows = rows;
}

Value Places::positionIn(Value first, bool backward, Value at) {
  return backward ? Value(arith::SubIOp::create(emit_, first, at)) : emit_.add(first, at);
}

Value Places::positionIn(const Range &range, Value at) {
  if (range.rows)
    return emit_.toIndex(memref::LoadOp::create(emit_, range.rows, at));
  return positionIn(range.first, range.backward, at);
}

SmallVector<Value> Places::of(const Access &access, Value row, Value column) {
  SmallVector<Value> place;
  Value kept[] = {row, column};
  unsigned next = 0;
  int64_t rank = cast<RankedTensorType>(access.memory.getType()).getRank();
  for (int64_t axis = 0; axis < rank; ++axis) {
    Value index = axis < int64_t(access.indices.size()) ? access.indices[axis] : Value();
    if (index && index.getType().isIndex())
      place.push_back(kernel_.scalar(index));
    else if (!index)
      place.push_back(kept[next++]);
    else if (const Range *range = find(index))
      place.push_back(positionIn(*range, kept[next++]));
    else
      place.push_back(emit_.toIndex(elementOf(kernel_, index, kept[next++])));
  }
  return place;
}

Value Places::isLive(Value index, Value at) {
  const Range *range = find(index);
  if (!range || index == knownLive_)
    return {};
  Value live = range->to ? emit_.compare(Predicate::slt, at, range->to) : Value();
  if (!range->from)
    return live;
  Value started = emit_.compare(Predicate::sge, at, range->from);
  return live ? Value(arith::AndIOp::create(emit_, live, started)) : started;
}

Value Places::isAllLive(Value index) {
  const Range *range = find(index);
  if (!range || (!range->from && !range->to))
    return {};
  int64_t size = cast<tile::RangeType>(index.getType()).getSize();
  Value last = range->to ? emit_.compare(Predicate::sge, range->to, emit_.index(size)) : Value();
  if (!range->from)
    return last;
  Value first = emit_.compare(Predicate::sle, range->from, emit_.index(0));
  return last ? Value(arith::AndIOp::create(emit_, last, first)) : first;
}

Value Places::liveLanes(Value index, Value column, int64_t size) {
  Value mask = size % Machine::width ? emit_.lanesBefore(emit_.index(size), column) : Value();
  const Range *range = find(index);
  if (!range)
    return mask;
  auto both = [&](Value other) { mask = mask ? Value(arith::AndIOp::create(emit_, mask, other)) : other; };
  if (range->to)
    both(emit_.lanesBefore(range->to, column));
  if (range->from) {
    Value yes = emit_.constant(vectorType(emit_.getI1Type()), 1);
    both(arith::XOrIOp::create(emit_, emit_.lanesBefore(range->from, column), yes));
  }
  return mask;
}

void Places::whileLive(Value index, function_ref<void()> body) {
  knownLive_ = index;
  body();
  knownLive_ = {};
}
