// Tiles to other layouts of registers, and tiles that have no memory behind them.
#include "compiler/target/cuda/layout/Conversion.h"
#include "compiler/target/cuda/threads/Lowering.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

namespace {
/// A word over (register, lane, warp).
struct Fields {
  explicit Fields(const LinearLayout &source)
      : registers(source.outBits(registerInput)), lanes(source.outBits(laneInput)) {}
  int64_t registerOf(uint64_t word) const { return int64_t(word & ((uint64_t(1) << registers) - 1)); }
  int64_t laneOf(uint64_t word) const { return int64_t((word >> registers) & ((uint64_t(1) << lanes) - 1)); }
  unsigned registers, lanes;
};
} // namespace

static Value gatherInParts(Thread &thread, Value vector, ArrayRef<int64_t> registers) {
  auto type = VectorType::get({int64_t(registers.size())}, elementOf(vector.getType()));
  return thread.inParts(type, [&](int64_t first, int64_t count) {
    return thread.gather(vector, registers.slice(first, count));
  });
}

LogicalResult linmu::cuda::lowerConvert(Thread &thread, ConvertOp convert) {
  LayoutAttr from = layoutOf(convert.getSource().getType()), to = layoutOf(convert.getResult().getType());
  Value vector = thread.held.lookup(convert.getSource());
  Conversion conversion = planConversion(from.getLayout(), to.getLayout());
  LinearLayout source = conversion.source.orderOuts({registerInput, laneInput, warpInput});
  Fields fields(source);
  // Which register and lane holds the element, as far as it depends on this thread's lane and warp.
  auto images = [&](StringRef input, auto field) {
    return llvm::map_to_vector(source.images(input),
                               [&](uint64_t word) { return uint64_t((fields.*field)(word)); });
  };
  SmallVector<uint64_t> laneToRegister = images(laneInput, &Fields::registerOf);
  SmallVector<uint64_t> warpToRegister = images(warpInput, &Fields::registerOf);
  SmallVector<uint64_t> laneToLane = images(laneInput, &Fields::laneOf);
  SmallVector<uint64_t> warpToLane = images(warpInput, &Fields::laneOf);
  SmallVector<uint64_t> steps; // what lanes and warps add to the number of the register
  for (uint64_t step : llvm::concat<uint64_t>(laneToRegister, warpToRegister))
    if (step && !llvm::is_contained(steps, step))
      steps.push_back(step);
  Value varying = steps.empty() ? Value() : thread.laneAndWarp(laneToRegister, warpToRegister);
  bool ownLane = llvm::all_of(warpToLane, [](uint64_t image) { return image == 0; });
  for (auto [bit, image] : llvm::enumerate(laneToLane))
    ownLane &= image == uint64_t(1) << bit;
  Value lane = ownLane ? thread.lane() : thread.laneAndWarp(laneToLane, warpToLane);

  bool inThread = ownLane && steps.empty();
  SmallVector<int64_t> registers;
  for (int64_t number = 0; number < registersOf(to); ++number) {
    uint64_t word = source(uint64_t(number));
    inThread &= fields.laneOf(word) == 0;
    registers.push_back(fields.registerOf(word));
  }
  if (inThread) {
    thread.held.map(convert.getResult(), gatherInParts(thread, vector, registers));
    return success();
  }
  SmallVector<Value> elements;
  for (int64_t number = 0; number < registersOf(to); ++number) {
    uint64_t word = source(uint64_t(number));
    int64_t base = fields.registerOf(word), laneOffset = fields.laneOf(word);
    auto fetch = [&](int64_t at) {
      Value value = thread.element(vector, at);
      if (ownLane && laneOffset == 0)
        return value;
      Value place =
          laneOffset == 0 ? lane : Value(arith::XOrIOp::create(thread, lane, thread.index(laneOffset)));
      return thread.shuffle(value, place);
    };
    SmallVector<int64_t> candidates{0};
    for (uint64_t step : steps) {
      size_t known = candidates.size();
      for (size_t i = 0; i < known; ++i)
        if (int64_t next = candidates[i] ^ int64_t(step); !llvm::is_contained(candidates, next))
          candidates.push_back(next);
    }
    Value element = fetch(base ^ candidates.front());
    for (int64_t candidate : ArrayRef(candidates).drop_front()) {
      Value here = arith::CmpIOp::create(thread, arith::CmpIPredicate::eq, varying, thread.index(candidate));
      element = arith::SelectOp::create(thread, here, fetch(base ^ candidate), element);
    }
    elements.push_back(element);
  }
  thread.held.map(convert.getResult(), thread.join(elements));
  return success();
}

LogicalResult linmu::cuda::lowerBroadcast(Thread &thread, tile::BroadcastOp broadcast) {
  Type type = broadcast.getResult().getType();
  Value source = thread.held.lookupOrDefault(broadcast.getSource());
  LayoutAttr layout = layoutOf(type);
  if (!isa<VectorType>(source.getType())) {
    if (!layout) {
      thread.held.map(broadcast.getResult(), source);
      return success();
    }
    auto registers = cast<VectorType>(registersFor(type));
    thread.held.map(broadcast.getResult(), thread.inParts(registers, [&](int64_t, int64_t count) -> Value {
      return vector::BroadcastOp::create(thread, VectorType::get({count}, registers.getElementType()),
                                         source);
    }));
    return success();
  }
  unsigned axis = *broadcast.getAxis();
  const LinearLayout &matrix = layout.getLayout();
  ArrayRef<uint64_t> images = layoutOf(broadcast.getSource().getType()).getLayout().images(registerInput);
  unsigned shift = axis == 0 ? 0 : matrix.outBits(rowOutput);
  uint64_t mask = (uint64_t(1) << matrix.outBits(axis == 0 ? rowOutput : columnOutput)) - 1;
  // The registers of the slice are those of the matrix that move along the axis, in their order.
  SmallVector<unsigned> bits;
  for (auto [bit, image] : llvm::enumerate(matrix.images(registerInput)))
    if ((image >> shift) & mask)
      bits.push_back(bit);
  assert(bits.size() == images.size() && "the source has the slice's layout");
  SmallVector<int64_t> registers;
  for (int64_t number = 0; number < registersOf(layout); ++number) {
    int64_t at = 0;
    for (auto [place, bit] : llvm::enumerate(bits))
      if (number >> bit & 1)
        at |= int64_t(1) << place;
    registers.push_back(at);
  }
  thread.held.map(broadcast.getResult(), gatherInParts(thread, source, registers));
  return success();
}

LogicalResult linmu::cuda::lowerCoordinate(Thread &thread, tile::CoordinateOp coordinate) {
  LayoutAttr layout = layoutOf(coordinate.getResult().getType());
  StringRef output = coordinate.getAxis() == 0 ? rowOutput : columnOutput;
  SmallVector<Value> elements;
  DenseMap<uint64_t, Value> known;
  for (int64_t number = 0; number < registersOf(layout); ++number) {
    const LinearLayout &map = layout.getLayout();
    unsigned shift = output == rowOutput ? 0 : map.outBits(rowOutput);
    uint64_t constant = (map(number) >> shift) & ((uint64_t(1) << map.outBits(output)) - 1);
    Value &value = known[constant];
    if (!value)
      value = arith::IndexCastOp::create(thread, thread.getI32Type(), thread.coordinate(map, output, number));
    elements.push_back(value);
  }
  thread.held.map(coordinate.getResult(), thread.join(elements));
  return success();
}

/// One of several values, by a number that need not be constant.
static Value choose(Thread &thread, ArrayRef<Value> values, Value number) {
  if (auto constant = getConstantIntValue(number))
    return values[*constant];
  Value result = values.front();
  for (auto [index, value] : llvm::enumerate(values.drop_front())) {
    Value here = arith::CmpIOp::create(thread, arith::CmpIPredicate::eq, number, thread.index(index + 1));
    result = arith::SelectOp::create(thread, here, value, result);
  }
  return result;
}

LogicalResult linmu::cuda::lowerExtract(Thread &thread, tile::ExtractOp extract) {
  Value vector = thread.held.lookup(extract.getSource()),
        index = thread.held.lookupOrDefault(extract.getIndex());
  auto type = cast<RankedTensorType>(extract.getSource().getType());
  int64_t registers = registersOf(layoutOf(type));
  auto elements = [&](int64_t first, int64_t step) {
    SmallVector<Value> result;
    for (int64_t at = first; at < registers; at += step)
      result.push_back(thread.element(vector, at));
    return result;
  };
  if (type.getRank() == 1) {
    // Lane i % 32, register i / 32 (TileLayouts::vector).
    auto constant = getConstantIntValue(index);
    Value number = constant ? thread.index(*constant / 32)
                            : Value(arith::ShRUIOp::create(thread, index, thread.index(5)));
    Value lane = constant ? thread.index(*constant % 32)
                          : Value(arith::AndIOp::create(thread, index, thread.index(31)));
    thread.held.map(extract.getResult(), thread.shuffle(choose(thread, elements(0, 1), number), lane));
    return success();
  }
  // Columns first, and rows in parts (TileLayouts::columns).
  LayoutAttr layout = layoutOf(type);
  unsigned rowLanes = TileLayouts::rowLanesOf(layout), stride = TileLayouts::columnLanesOf(layout);
  int64_t rows = type.getDimSize(0) >> rowLanes, columns = registers / rows;
  Value inPart = index, from;
  if (rowLanes > 0) {
    auto constant = getConstantIntValue(index);
    unsigned bits = llvm::Log2_64(uint64_t(rows));
    inPart = constant ? thread.index(*constant % rows)
                      : Value(arith::AndIOp::create(thread, index, thread.index(rows - 1)));
    Value part = constant ? thread.index(*constant / rows)
                          : Value(arith::ShRUIOp::create(thread, index, thread.index(bits)));
    int64_t others = 31 & ~(((int64_t(1) << rowLanes) - 1) << stride);
    from = arith::OrIOp::create(thread, arith::AndIOp::create(thread, thread.lane(), thread.index(others)),
                                arith::ShLIOp::create(thread, part, thread.index(stride)));
  }
  SmallVector<Value> row;
  for (int64_t column = 0; column < columns; ++column) {
    Value mine = choose(thread, elements(column, columns), inPart);
    row.push_back(from ? thread.shuffle(mine, from) : mine);
  }
  thread.held.map(extract.getResult(), thread.join(row));
  return success();
}
