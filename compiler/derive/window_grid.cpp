#include "compiler/derive/window_grid.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"

using namespace mlir;
using namespace linmu;
using arith::CmpIPredicate;

/// Divisors are sizes of a grid. That they are positive is said, so that places of a later step of a loop can
/// be had ahead of it, whether it happens or not.
static Value positive(TileBuilder &builder, Value size) { return builder.maximum(size, builder.index(1)); }
static Value divide(TileBuilder &builder, Value a, Value b) {
  return arith::DivUIOp::create(builder, a, positive(builder, b));
}
static Value remainder(TileBuilder &builder, Value a, Value b) {
  return arith::RemUIOp::create(builder, a, positive(builder, b));
}

static Value product(TileBuilder &builder, const std::array<Value, 3> &factors) {
  return builder.multiply(builder.multiply(factors[0], factors[1]), factors[2]);
}

WindowItem WindowGrid::loadItem(Value index) {
  WindowItem item;
  auto entry = [&](int64_t column) {
    return toIndex(builder, loadTile(builder, media, {index, builder.index(column)}));
  };
  item.first = entry(0);
  std::array<Value, 3> largest;
  for (unsigned axis = 0; axis < 3; ++axis) {
    Value size = builder.index(view.window[axis]), extent = entry(axis + 1);
    Value several = builder.compare(CmpIPredicate::sgt, extent, size);
    Value shift = builder.select(several, builder.index(view.shift[axis]), builder.index(0));
    // The padded grid has ceil(extent / size) windows. Cut at the wrap, which is `shift` tokens from the
    // start, these are what lies before it, and the windows of the rest.
    Value windowed = extent, before = builder.index(0);
    if (!view.join_wrapped && view.shift[axis] > 0) {
      windowed = builder.subtract(extent, shift);
      before = builder.select(several, builder.index(1), builder.index(0));
    }
    Value rounded = builder.add(windowed, builder.index(view.window[axis] - 1));
    item.extents[axis] = extent;
    item.shifts[axis] = shift;
    item.cells[axis] = builder.add(before, divide(builder, rounded, size));
    largest[axis] = builder.minimum(extent, size);
  }
  item.count = product(builder, item.cells);
  item.largest = product(builder, largest);
  return item;
}

void WindowGrid::placeAxis(WindowCell &cell, unsigned axis, Value index) {
  Value size = builder.index(view.window[axis]), zero = builder.index(0);
  Value extent = cell.item.extents[axis], shift = cell.item.shifts[axis];
  Value begin = builder.add(builder.multiply(index, size), shift);
  bool shifted = view.shift[axis] > 0;
  if (shifted && !view.join_wrapped) {
    // Cell 0 ends at the wrap: the window before the first whole one.
    Value moved = builder.compare(CmpIPredicate::sgt, shift, zero);
    begin = builder.select(moved, builder.subtract(begin, size), begin);
  }
  Value end = builder.minimum(builder.add(begin, size), extent);
  cell.start[axis] = builder.maximum(begin, zero);
  cell.sizes[axis] = builder.subtract(end, cell.start[axis]);
  if (shifted && view.join_wrapped) {
    Value last = builder.subtract(cell.item.cells[axis], builder.index(1));
    Value wrapped = builder.select(builder.compare(CmpIPredicate::eq, index, last), shift, zero);
    cell.straight[axis] = builder.maximum(cell.sizes[axis], zero);
    cell.sizes[axis] = builder.add(cell.straight[axis], wrapped);
  }
}

WindowCell WindowGrid::cellOf(const WindowItem &item, Value index) {
  WindowCell cell{.item = item};
  for (int axis = 2; axis >= 0; --axis) {
    placeAxis(cell, axis, axis == 0 ? index : remainder(builder, index, item.cells[axis]));
    if (axis > 0)
      index = divide(builder, index, item.cells[axis]);
  }
  cell.tokens = product(builder, cell.sizes);
  return cell;
}

/// Quotients of numbers below this by any size are exact in f32. There is no integer division of vectors.
static constexpr int64_t exactQuotients = 1 << 12;

/// Quotients by the scalar `size` of start + carry, for a start in [0, size) and carries in [0, count), which
/// may be as many as are exact. All but the last of the numbers below a larger size are moved to 0, where the
/// quotient is 0 as well. Without a start, of carries so few that none is moved.
static Value quotientOf(TileBuilder &builder, Value carry, Value start, Value size) {
  constexpr int64_t exact = exactQuotients;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(carry.getType()).getShape();
  Type real = builder.getF32Type();
  Value cut = size, numbers = carry;
  if (start) {
    assert(shape[0] <= exact && "the quotient by a size that was cut is at most 1");
    cut = builder.minimum(size, builder.index(exact));
    Value moved = toI32(builder, builder.subtract(start, builder.subtract(size, cut)));
    numbers =
        builder.maximum(builder.add(carry, builder.fill(moved, shape)), builder.splat(carry.getType(), 0));
  }
  Value divisor = arith::SIToFPOp::create(builder, real, toI32(builder, cut));
  Value reciprocal = builder.divide(builder.splat(real, 1), divisor);
  Value half = builder.multiply(builder.splat(real, 0.5), reciprocal);
  Value quotients = math::FmaOp::create(
      builder, arith::SIToFPOp::create(builder, builder.f32Tile(shape), numbers).getResult(),
      builder.fill(reciprocal, shape), builder.fill(half, shape));
  return arith::FPToSIOp::create(builder, carry.getType(), quotients);
}

WindowPositions WindowGrid::positions(const WindowCell &cell, Value from, int64_t count) {
  WindowPositions result;
  SmallVector<int64_t> shape{count};
  auto fill = [&](Value index) { return builder.fill(toI32(builder, index), shape); };
  const auto &sizes = cell.sizes, &extents = cell.item.extents;
  // Of the first position the digits are scalars; the steps from it carry.
  std::array<Value, 3> digits;
  Value steps = builder.coordinate(shape);
  bool few = view.volume() <= exactQuotients;
  if (few) { // counted from the cell's first position, whose digits are 0
    digits.fill(builder.index(0));
    steps = builder.add(steps, fill(from));
    result.valid = builder.compare(CmpIPredicate::slt, steps, fill(cell.tokens));
    steps = builder.minimum(steps, fill(builder.subtract(cell.tokens, builder.index(1))));
  } else {
    digits[2] = remainder(builder, from, sizes[2]);
    Value rest = divide(builder, from, sizes[2]);
    digits[1] = remainder(builder, rest, sizes[1]);
    digits[0] = divide(builder, rest, sizes[1]);
    Value left = builder.minimum(builder.subtract(cell.tokens, from), builder.index(count));
    result.valid = builder.compare(CmpIPredicate::slt, steps, fill(left));
    steps = builder.minimum(steps, fill(builder.subtract(left, builder.index(1))));
  }
  Value rows = quotientOf(builder, steps, few ? Value() : digits[2], sizes[2]);
  Value frames = quotientOf(builder, rows, few ? Value() : digits[1], sizes[1]);

  // x = start + digit + steps - rows * size, and so on; these are used where a score or a wrap reads them.
  auto less = [&](Value a, Value b, Value size) {
    return builder.subtract(a, builder.multiply(b, fill(size)));
  };
  std::array<Value, 3> moved{frames, less(rows, frames, sizes[1]), less(steps, rows, sizes[2])};
  bool wraps = false;
  for (unsigned axis = 0; axis < 3; ++axis) {
    Value origin = builder.add(digits[axis], cell.start[axis]);
    Value coordinate = builder.add(moved[axis], fill(origin));
    if (Value straight = cell.straight[axis]) {
      wraps = true;
      Value digit = builder.add(moved[axis], fill(digits[axis]));
      Value beyond = builder.compare(CmpIPredicate::sge, digit, fill(straight));
      coordinate = builder.select(beyond, builder.subtract(digit, fill(straight)), coordinate);
    }
    result.coordinates[axis] = coordinate;
  }
  auto tokenOf = [&](const std::array<Value, 3> &at, auto &&asIs) {
    Value row = builder.add(builder.multiply(at[0], asIs(extents[1])), at[1]);
    return builder.add(builder.multiply(row, asIs(extents[2])), at[2]);
  };
  if (wraps) {
    result.rows = builder.add(tokenOf(result.coordinates, fill), fill(cell.item.first));
    return result;
  }
  std::array<Value, 3> origin;
  for (unsigned axis = 0; axis < 3; ++axis)
    origin[axis] = builder.add(digits[axis], cell.start[axis]);
  Value first = builder.add(tokenOf(origin, [](Value index) { return index; }), cell.item.first);
  // A row on is extents[2] tokens less the sizes[2] steps that it took; a frame on the same for rows.
  Value rowSkip = builder.subtract(extents[2], sizes[2]);
  Value frameSkip = builder.multiply(builder.subtract(extents[1], sizes[1]), extents[2]);
  result.rows = builder.add(builder.add(steps, fill(first)), builder.multiply(rows, fill(rowSkip)));
  result.rows = builder.add(result.rows, builder.multiply(frames, fill(frameSkip)));
  return result;
}
