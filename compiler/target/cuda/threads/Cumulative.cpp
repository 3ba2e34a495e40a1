// Cumulative sums and products along axis 0.
#include "compiler/target/cuda/threads/Lowering.h"
#include <algorithm>

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace {
/// A sum and what rounding lost, as cumsum has them; of products, and where nobody asks, the second is null.
struct Pair {
  Value sum, error;
};
using Combine = llvm::function_ref<Pair(Pair earlier, Pair later)>;
} // namespace

/// Knuth's TwoSum of the sums; errors are added. Without errors, the sum alone.
static Pair addPairs(Thread &thread, Pair a, Pair b) {
  Value sum = arith::AddFOp::create(thread, a.sum, b.sum);
  if (!a.error)
    return {sum, {}};
  Value virtualB = arith::SubFOp::create(thread, sum, a.sum);
  Value virtualA = arith::SubFOp::create(thread, sum, virtualB);
  Value lost = arith::AddFOp::create(thread, arith::SubFOp::create(thread, a.sum, virtualA),
                                     arith::SubFOp::create(thread, b.sum, virtualB));
  return {sum, arith::AddFOp::create(thread, arith::AddFOp::create(thread, a.error, b.error), lost)};
}

static Pair multiply(Thread &thread, Pair a, Pair b) {
  return {arith::MulFOp::create(thread, a.sum, b.sum), {}};
}

static Pair choose(Thread &thread, Value condition, Pair yes, Pair no) {
  Pair result{arith::SelectOp::create(thread, condition, yes.sum, no.sum), {}};
  if (yes.error)
    result.error = arith::SelectOp::create(thread, condition, yes.error, no.error);
  return result;
}

static Pair shuffle(Thread &thread, Pair pair, Value lane) {
  return {thread.shuffle(pair.sum, lane), pair.error ? thread.shuffle(pair.error, lane) : Value()};
}

/// Of a vector that a warp holds whole, element i in lane i % 32 (TileLayouts::vector): over lanes in steps
/// of doubling distance, then from register to register.
/// Where there are fewer elements than lanes, the lanes behind hold them once more and walk over them by
/// themselves.
static SmallVector<Pair> scanLanes(Thread &thread, SmallVector<Pair> parts, int64_t elements, bool exclusive,
                                   Pair neutral, Combine combine) {
  int64_t lanes = std::min<int64_t>(elements, 32);
  Value position = thread.lane();
  if (lanes < 32)
    position = arith::AndIOp::create(thread, position, thread.index(lanes - 1));
  for (Pair &part : parts)
    for (int64_t distance = 1; distance < lanes; distance *= 2) {
      Value behind =
          arith::CmpIOp::create(thread, arith::CmpIPredicate::sge, position, thread.index(distance));
      Value from = arith::SelectOp::create(
          thread, behind, arith::SubIOp::create(thread, thread.lane(), thread.index(distance)),
          thread.lane());
      Pair earlier = shuffle(thread, part, from);
      part = choose(thread, behind, combine(earlier, part), part);
    }
  Value last = thread.index(31);
  Pair before = neutral;
  SmallVector<Pair> result;
  for (auto [number, part] : llvm::enumerate(parts)) {
    Pair inclusive = number == 0 ? part : combine(before, part);
    if (exclusive) {
      Value inside = arith::CmpIOp::create(thread, arith::CmpIPredicate::sge, position, thread.index(1));
      Value from = arith::SelectOp::create(
          thread, inside, arith::SubIOp::create(thread, thread.lane(), thread.index(1)), thread.lane());
      result.push_back(choose(thread, inside, shuffle(thread, inclusive, from), before));
    } else {
      result.push_back(inclusive);
    }
    before = shuffle(thread, inclusive, last);
  }
  return result;
}

/// What the parts of the rows before each lane's come to, from what each comes to; in reverse those behind.
/// Of each `parts` by themselves.
static Pair beforePart(Thread &thread, Pair part, LayoutAttr layout, int64_t parts, bool reversed,
                       Pair neutral, Combine combine) {
  unsigned stride = TileLayouts::columnLanesOf(layout);
  Value number = arith::AndIOp::create(
      thread, arith::ShRUIOp::create(thread, thread.lane(), thread.index(stride)), thread.index(parts - 1));
  auto has = [&](int64_t distance) {
    return reversed
               ? arith::CmpIOp::create(thread, arith::CmpIPredicate::slt, number,
                                       thread.index(parts - distance))
               : arith::CmpIOp::create(thread, arith::CmpIPredicate::sge, number, thread.index(distance));
  };
  auto from = [&](int64_t distance) -> Value {
    Value lanes = thread.index(distance << stride);
    return reversed ? Value(arith::AddIOp::create(thread, thread.lane(), lanes))
                    : Value(arith::SubIOp::create(thread, thread.lane(), lanes));
  };
  auto lane = [&](int64_t distance) {
    return arith::SelectOp::create(thread, has(distance), from(distance), thread.lane());
  };
  for (int64_t distance = 1; distance < parts; distance *= 2)
    part = choose(thread, has(distance), combine(shuffle(thread, part, lane(distance)), part), part);
  return choose(thread, has(1), shuffle(thread, part, lane(1)), neutral);
}

namespace {
struct Walk {
  int64_t every; ///< rows of one walk, a power of two that divides their number
  bool exclusive, reversed;
};
} // namespace

/// Of a matrix of whose columns a thread has rows one after the other (TileLayouts::columns).
static SmallVector<Pair> scanRows(Thread &thread, LayoutAttr layout, SmallVector<Pair> parts, int64_t rows,
                                  const Walk &walk, Pair neutral, Combine combine) {
  rows >>= TileLayouts::rowLanesOf(layout);
  int64_t together = std::min(rows, walk.every), lanes = walk.every / together;
  int64_t columns = int64_t(parts.size()) / rows;
  SmallVector<Pair> result(parts.size());
  auto walkOver = [&](int64_t first, int64_t column) {
    auto place = [&](int64_t step) {
      return (first + (walk.reversed ? together - 1 - step : step)) * columns + column;
    };
    Pair before = neutral;
    if (lanes > 1) {
      Pair whole = parts[place(0)];
      for (int64_t step = 1; step < together; ++step)
        whole = combine(whole, parts[place(step)]);
      before = beforePart(thread, whole, layout, lanes, walk.reversed, neutral, combine);
    }
    for (int64_t step = 0; step < together; ++step) {
      const Pair &part = parts[place(step)];
      Pair inclusive = step == 0 && lanes == 1 ? part : combine(before, part);
      result[place(step)] = walk.exclusive ? before : inclusive;
      before = inclusive;
    }
  };
  for (int64_t column = 0; column < columns; ++column)
    for (int64_t first = 0; first < rows; first += together)
      walkOver(first, column);
  return result;
}

static SmallVector<Pair> scan(Thread &thread, RankedTensorType type, SmallVector<Pair> parts,
                              const Walk &walk, Pair neutral, Combine combine) {
  if (type.getRank() == 1)
    return scanLanes(thread, std::move(parts), type.getDimSize(0), walk.exclusive, neutral, combine);
  return scanRows(thread, layoutOf(type), std::move(parts), type.getDimSize(0), walk, neutral, combine);
}

static Value constant(Thread &thread, float value) {
  return arith::ConstantOp::create(thread, thread.getF32FloatAttr(value));
}

LogicalResult linmu::cuda::lowerCumsum(Thread &thread, tile::CumsumOp cumsum) {
  auto type = cast<RankedTensorType>(cumsum.getSource().getType());
  if (type.getRank() == 1 && cumsum.getReversed())
    return cumsum.emitOpError("of a vector, reversed, is not lowered on the CUDA target yet");
  Value vector = thread.held.lookup(cumsum.getSource()), zero = constant(thread, 0);
  Value exact = cumsum.getError().use_empty() ? Value() : zero;
  SmallVector<Pair> parts;
  for (int64_t number = 0; number < registersOf(layoutOf(type)); ++number)
    parts.push_back({thread.element(vector, number), exact});
  Walk walk{type.getDimSize(0), cumsum.getExclusive(), cumsum.getReversed()};
  parts =
      scan(thread, type, parts, walk, {zero, exact}, [&](Pair a, Pair b) { return addPairs(thread, a, b); });
  SmallVector<Value> sums, errors;
  for (const Pair &part : parts) {
    sums.push_back(part.sum);
    errors.push_back(part.error);
  }
  thread.held.map(cumsum.getSum(), thread.join(sums));
  if (exact)
    thread.held.map(cumsum.getError(), thread.join(errors));
  return success();
}

LogicalResult linmu::cuda::lowerCumprod(Thread &thread, tile::CumprodOp cumprod) {
  auto type = cast<RankedTensorType>(cumprod.getSource().getType());
  if (type.getRank() == 1 && cumprod.getReversed())
    return cumprod.emitOpError("of a vector, reversed, is not lowered on the CUDA target yet");
  int64_t rows = type.getDimSize(0), every = std::min<int64_t>(cumprod.getEvery().value_or(rows), rows);
  if (every < rows && (type.getRank() == 1 || !llvm::isPowerOf2_64(every)))
    return cumprod.emitOpError("every ") << every << " rows is lowered on the CUDA target for matrices and "
                                         << "powers of two alone";
  Value vector = thread.held.lookup(cumprod.getSource());
  SmallVector<Pair> parts;
  for (int64_t number = 0; number < registersOf(layoutOf(type)); ++number)
    parts.push_back({thread.element(vector, number), {}});
  Walk walk{every, cumprod.getExclusive(), cumprod.getReversed()};
  parts = scan(thread, type, parts, walk, {constant(thread, 1), {}},
               [&](Pair a, Pair b) { return multiply(thread, a, b); });
  SmallVector<Value> products;
  for (const Pair &part : parts)
    products.push_back(part.sum);
  thread.held.map(cumprod.getResult(), thread.join(products));
  return success();
}
