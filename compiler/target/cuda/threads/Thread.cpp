#include "compiler/target/cuda/threads/Thread.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace linmu::cuda;

Type linmu::cuda::elementOf(Type type) { return getElementTypeOrSelf(type); }

Type linmu::cuda::registersFor(Type type) {
  LayoutAttr layout = layoutOf(type);
  return layout ? Type(VectorType::get({registersOf(layout)}, elementOf(type))) : type;
}

Thread::Thread(Location location, Block *entry) : ImplicitLocOpBuilder(location, location.getContext()) {
  setInsertionPointToEnd(entry);
  lane_ = gpu::LaneIdOp::create(*this, /*upper_bound=*/getIndexAttr(32));
  warp_ = gpu::SubgroupIdOp::create(*this, /*upper_bound=*/IntegerAttr());
}

Value Thread::index(int64_t value) { return arith::ConstantIndexOp::create(*this, value); }

Value Thread::add(Value a, int64_t b) {
  return b == 0 ? a : Value(arith::AddIOp::create(*this, a, index(b)));
}

/// The exclusive or of images of the bits of a number, bits in a row together.
Value Thread::bitsOf(Value number, ArrayRef<uint64_t> images) {
  Value total;
  for (size_t bit = 0; bit < images.size();) {
    uint64_t image = images[bit];
    size_t count = 1;
    if (llvm::isPowerOf2_64(image))
      while (bit + count < images.size() && images[bit + count] == image << count)
        ++count;
    if (image != 0) {
      Value part = number;
      if (bit > 0)
        part = arith::ShRUIOp::create(*this, part, index(bit));
      part = arith::AndIOp::create(*this, part, index((int64_t(1) << count) - 1));
      if (llvm::isPowerOf2_64(image) && image > 1)
        part = arith::ShLIOp::create(*this, part, index(llvm::Log2_64(image)));
      else if (image > 1)
        part = arith::MulIOp::create(*this, part, index(int64_t(image)));
      total = total ? Value(arith::XOrIOp::create(*this, total, part)) : part;
    }
    bit += count;
  }
  return total;
}

Value Thread::laneAndWarp(ArrayRef<uint64_t> laneImages, ArrayRef<uint64_t> warpImages) {
  Value lanes = bitsOf(lane_, laneImages), warps = bitsOf(warp_, warpImages);
  if (!lanes || !warps)
    return lanes ? lanes : warps ? warps : index(0);
  return arith::XOrIOp::create(*this, lanes, warps);
}

Value Thread::place(ArrayRef<uint64_t> laneImages, ArrayRef<uint64_t> warpImages, uint64_t constant,
                    Value base) {
  uint64_t reached = 0;
  for (ArrayRef<uint64_t> images : {laneImages, warpImages})
    for (uint64_t image : images)
      reached |= image;
  Value varying = laneAndWarp(laneImages, warpImages);
  // Before the constant, which may then go over it: one register holds what all accesses of a tile share.
  if (base)
    varying = arith::AddIOp::create(*this, base, varying);
  // Bits that no lane reaches are added, which addresses can take in.
  if (uint64_t common = constant & reached)
    varying = arith::XOrIOp::create(*this, varying, index(int64_t(common)));
  return add(varying, int64_t(constant & ~reached));
}

Value Thread::coordinate(const LinearLayout &layout, StringRef output, uint64_t registers) {
  unsigned shift = 0, bits = 0;
  for (const Dimension &out : layout.outs()) {
    if (out.name == output) {
      bits = out.bits;
      break;
    }
    shift += out.bits;
  }
  uint64_t mask = (uint64_t(1) << bits) - 1;
  auto along = [&](StringRef input) {
    return llvm::map_to_vector(layout.images(input), [&](uint64_t image) { return (image >> shift) & mask; });
  };
  return place(along(laneInput), along(warpInput), (layout(registers) >> shift) & mask);
}

Value Thread::isFirstHolder(const LinearLayout &layout) {
  auto freeBits = [](ArrayRef<uint64_t> images) {
    int64_t mask = 0;
    for (auto [bit, image] : llvm::enumerate(images))
      if (image == 0)
        mask |= int64_t(1) << bit;
    return mask;
  };
  Value first;
  for (auto [number, mask] : {std::pair(lane_, freeBits(layout.images(laneInput))),
                              std::pair(warp_, freeBits(layout.images(warpInput)))})
    if (mask) {
      Value zero = arith::CmpIOp::create(*this, arith::CmpIPredicate::eq,
                                         arith::AndIOp::create(*this, number, index(mask)), index(0));
      first = first ? Value(arith::AndIOp::create(*this, first, zero)) : zero;
    }
  return first;
}

static int64_t sizeOf(Value vector) { return cast<VectorType>(vector.getType()).getNumElements(); }

Value Thread::element(Value vector, int64_t at) {
  if (auto known = elements_.find(vector); known != elements_.end())
    return known->second[at];
  if (auto known = parts_.find(vector); known != parts_.end()) {
    int64_t size = sizeOf(known->second.front());
    return element(known->second[at / size], at % size);
  }
  return vector::ExtractOp::create(*this, vector, at);
}

Value Thread::slice(Value vector, int64_t first, int64_t count) {
  auto type = cast<VectorType>(vector.getType());
  if (count == type.getNumElements())
    return vector;
  Value &known = slices_[{vector, first, count, getInsertionBlock()}];
  if (known)
    return known;
  auto partType = VectorType::get({count}, type.getElementType());
  Value result;
  if (auto constant = vector.getDefiningOp<arith::ConstantOp>()) {
    auto splat = cast<DenseElementsAttr>(constant.getValue()).getSplatValue<Attribute>();
    result = arith::ConstantOp::create(*this, DenseElementsAttr::get(partType, splat));
  } else if (auto found = elements_.find(vector); found != elements_.end()) {
    result = join(SmallVector<Value>(ArrayRef(found->second).slice(first, count)));
  } else if (auto found = parts_.find(vector); found != parts_.end()) {
    SmallVector<Value> parts = found->second;
    int64_t size = sizeOf(parts.front()), part = first / size;
    if (part == (first + count - 1) / size)
      result = slice(parts[part], first % size, count);
    else
      result =
          concatenated(slice(vector, first, count / 2), slice(vector, first + count / 2, count - count / 2));
  } else {
    result = vector::ExtractStridedSliceOp::create(*this, vector, ArrayRef<int64_t>{first},
                                                   ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
  }
  return slices_[{vector, first, count, getInsertionBlock()}] = result;
}

Value Thread::concatenated(Value a, Value b) {
  SmallVector<int64_t> all = llvm::to_vector(llvm::seq(sizeOf(a) + sizeOf(b)));
  return vector::ShuffleOp::create(*this, a, b, all);
}

Value Thread::gather(Value vector, ArrayRef<int64_t> registers) {
  bool inOrder = true;
  for (auto [index, at] : llvm::enumerate(registers))
    inOrder &= registers.front() + int64_t(index) == at;
  if (inOrder)
    return slice(vector, registers.front(), int64_t(registers.size()));
  if (elements_.contains(vector))
    return join(llvm::map_to_vector(registers, [&](int64_t at) { return element(vector, at); }));
  // Of one or two parts that an instruction takes.
  SmallVector<int64_t> groups;
  int64_t size = std::min<int64_t>(partSize, sizeOf(vector));
  for (int64_t at : registers)
    if (!llvm::is_contained(groups, at / size))
      groups.push_back(at / size);
  if (groups.size() > 2) {
    size_t half = registers.size() / 2;
    return concatenated(gather(vector, registers.take_front(half)),
                        gather(vector, registers.drop_front(half)));
  }
  Value a = slice(vector, groups.front() * size, size), b = slice(vector, groups.back() * size, size);
  SmallVector<int64_t> places = llvm::map_to_vector(
      registers, [&](int64_t at) { return at % size + (at / size == groups.front() ? 0 : size); });
  return vector::ShuffleOp::create(*this, a, b, places);
}

Value Thread::join(ArrayRef<Value> elements) {
  auto type = VectorType::get({int64_t(elements.size())}, elements.front().getType());
  Value result = vector::FromElementsOp::create(*this, type, elements);
  elements_[result] = llvm::to_vector(elements);
  return result;
}

Value Thread::assemble(ArrayRef<Value> parts) {
  if (parts.size() == 1)
    return parts.front();
  auto part = cast<VectorType>(parts.front().getType());
  int64_t size = part.getNumElements();
  auto type = VectorType::get({size * int64_t(parts.size())}, part.getElementType());
  Value result = arith::ConstantOp::create(*this, getZeroAttr(type));
  for (auto [index, value] : llvm::enumerate(parts))
    result = vector::InsertStridedSliceOp::create(
        *this, value, result, ArrayRef<int64_t>{int64_t(index) * size}, ArrayRef<int64_t>{1});
  parts_[result] = llvm::to_vector(parts);
  return result;
}

Value Thread::inParts(VectorType type, function_ref<Value(int64_t, int64_t)> part) {
  int64_t size = std::min(partSize, type.getNumElements());
  SmallVector<Value> parts;
  for (int64_t first = 0; first < type.getNumElements(); first += size)
    parts.push_back(part(first, size));
  return assemble(parts);
}

Value Thread::shuffled(Value value, Value offset, gpu::ShuffleMode mode) {
  Type type = value.getType();
  // What is narrower travels in 32 bits.
  Type i32 = getI32Type();
  Value word = value;
  if (type.isBF16() || type.isF16())
    word = arith::ExtFOp::create(*this, getF32Type(), value);
  else if (type.isInteger(1))
    word = arith::ExtUIOp::create(*this, i32, value);
  Value width = arith::ConstantIntOp::create(*this, i32, 32);
  Value result = gpu::ShuffleOp::create(*this, word, offset, width, mode).getShuffleResult();
  if (type.isBF16() || type.isF16())
    return arith::TruncFOp::create(*this, type, result);
  if (type.isInteger(1))
    return arith::TruncIOp::create(*this, type, result);
  return result;
}

Value Thread::shuffle(Value value, Value lane) {
  Value number =
      lane.getType().isIndex() ? Value(arith::IndexCastOp::create(*this, getI32Type(), lane)) : lane;
  return shuffled(value, number, gpu::ShuffleMode::IDX);
}

Value Thread::shuffleXor(Value value, int64_t mask) {
  return shuffled(value, arith::ConstantIntOp::create(*this, getI32Type(), mask), gpu::ShuffleMode::XOR);
}
