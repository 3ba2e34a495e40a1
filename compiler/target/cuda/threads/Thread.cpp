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

Value Thread::place(ArrayRef<uint64_t> laneImages, ArrayRef<uint64_t> warpImages, uint64_t constant) {
  uint64_t reached = 0;
  for (ArrayRef<uint64_t> images : {laneImages, warpImages})
    for (uint64_t image : images)
      reached |= image;
  Value varying = laneAndWarp(laneImages, warpImages);
  // Bits that no lane reaches are added, which addresses can take in.
  if (constant & reached)
    return arith::XOrIOp::create(*this, varying, index(int64_t(constant)));
  return add(varying, int64_t(constant));
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

Value Thread::element(Value vector, int64_t at) { return vector::ExtractOp::create(*this, vector, at); }

Value Thread::gather(Value vector, ArrayRef<int64_t> registers) {
  auto type = cast<VectorType>(vector.getType());
  bool same = int64_t(registers.size()) == type.getNumElements();
  for (auto [index, at] : llvm::enumerate(registers))
    same &= int64_t(index) == at;
  if (same)
    return vector;
  return vector::ShuffleOp::create(*this, vector, vector, registers);
}

Value Thread::join(ArrayRef<Value> elements) {
  auto type = VectorType::get({int64_t(elements.size())}, elements.front().getType());
  return vector::FromElementsOp::create(*this, type, elements);
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
