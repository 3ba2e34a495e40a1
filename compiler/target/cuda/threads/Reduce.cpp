// Sums, maxima and minima along an axis.
#include "compiler/target/cuda/threads/Lowering.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace linmu;
using namespace linmu::cuda;

static Value combine(Thread &thread, tile::ReduceKind kind, Value a, Value b) {
  switch (kind) {
  case tile::ReduceKind::add:
    return arith::AddFOp::create(thread, a, b);
  case tile::ReduceKind::max:
    return arith::MaxNumFOp::create(thread, a, b);
  case tile::ReduceKind::min:
    return arith::MinNumFOp::create(thread, a, b);
  }
  llvm_unreachable("a kind of reduction");
}

static Value combineAll(Thread &thread, tile::ReduceKind kind, SmallVector<Value> parts) {
  // By halves: shorter chains, smaller errors.
  while (parts.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      next.push_back(combine(thread, kind, parts[i], parts[i + 1]));
    if (parts.size() % 2)
      next.push_back(parts.back());
    parts = next;
  }
  return parts.front();
}

/// What warps have of a vector each, to what they have together. `warps` are the bits of the warp number that
/// tell their parts apart.
static SmallVector<Value> combineOverWarps(Thread &thread, tile::ReduceKind kind, ArrayRef<Value> mine,
                                           const LinearLayout &slice, ArrayRef<unsigned> warps) {
  int64_t size = int64_t(1) << bitsOf(slice.outs()), parts = int64_t(1) << warps.size();
  auto space = gpu::AddressSpaceAttr::get(thread.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({size * parts}, mine.front().getType(), MemRefLayoutAttrInterface(), space);
  Value buffer = memref::AllocOp::create(thread, type);
  SmallVector<uint64_t> images(slice.images(warpInput).size(), 0);
  for (auto [place, bit] : llvm::enumerate(warps))
    images[bit] = uint64_t(size) << place;
  Value part = thread.laneAndWarp({}, images);
  // One of the threads that hold the same writes.
  auto isZero = [&](Value number, StringRef input, ArrayRef<unsigned> apart) -> Value {
    int64_t same = 0;
    for (auto [bit, image] : llvm::enumerate(slice.images(input)))
      if (image == 0 && !llvm::is_contained(apart, unsigned(bit)))
        same |= int64_t(1) << bit;
    return arith::CmpIOp::create(thread, arith::CmpIPredicate::eq,
                                 arith::AndIOp::create(thread, number, thread.index(same)), thread.index(0));
  };
  Value first = arith::AndIOp::create(thread, isZero(thread.lane(), laneInput, {}),
                                      isZero(thread.warp(), warpInput, warps));
  Attribute write = thread.nextWrite();
  auto offsetOf = [&](int64_t number) { return thread.coordinate(slice, rowOutput, number); };
  {
    auto branch = scf::IfOp::create(thread, first, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(thread);
    thread.setInsertionPoint(branch.thenYield());
    for (auto [number, value] : llvm::enumerate(mine))
      memref::StoreOp::create(thread, value, buffer,
                              ValueRange{arith::AddIOp::create(thread, part, offsetOf(number))})
          ->setAttr(writeAttribute, write);
  }
  SmallVector<Value> result;
  for (size_t number = 0; number < mine.size(); ++number) {
    SmallVector<Value> terms;
    for (int64_t other = 0; other < parts; ++other)
      terms.push_back(
          memref::LoadOp::create(thread, buffer, ValueRange{thread.add(offsetOf(number), other * size)}));
    result.push_back(combineAll(thread, kind, terms));
  }
  return result;
}

LogicalResult linmu::cuda::lowerReduce(Thread &thread, tile::ReduceOp reduce) {
  auto type = cast<RankedTensorType>(reduce.getSource().getType());
  const LinearLayout &layout = layoutOf(type).getLayout();
  Value vector = thread.held.lookup(reduce.getSource());
  bool all = type.getRank() == 1;
  unsigned kept = all ? 0 : 1 - reduce.getAxis();
  unsigned shift = kept == 0 ? 0 : layout.outBits(rowOutput);
  uint64_t mask = all ? 0 : (uint64_t(1) << layout.outBits(kept == 0 ? rowOutput : columnOutput)) - 1;
  auto along = [&](uint64_t image) { return (image >> shift) & mask; };

  // Registers of one place in the result; those that hold the same element count once.
  std::map<uint64_t, SmallVector<Value>> groups;
  SmallVector<uint64_t> order;
  DenseSet<uint64_t> seen;
  for (int64_t number = 0; number < registersOf(layoutOf(type)); ++number) {
    uint64_t word = layout(number);
    if (!seen.insert(word).second)
      continue;
    auto &group = groups[along(word)];
    if (group.empty())
      order.push_back(along(word));
    group.push_back(thread.element(vector, number));
  }
  SmallVector<Value> parts;
  for (uint64_t place : order)
    parts.push_back(combineAll(thread, reduce.getKind(), groups[place]));
  for (auto [bit, image] : llvm::enumerate(layout.images(laneInput)))
    if (image != 0 && along(image) == 0)
      for (Value &part : parts)
        part = combine(thread, reduce.getKind(), part, thread.shuffleXor(part, int64_t(1) << bit));
  SmallVector<unsigned> warps;
  for (auto [bit, image] : llvm::enumerate(layout.images(warpInput)))
    if (image != 0 && along(image) == 0)
      warps.push_back(bit);
  if (!warps.empty()) {
    LinearLayout slice =
        all ? productOf(LinearLayout::broadcast(laneInput, rowOutput, laneBits),
                        LinearLayout::broadcast(warpInput, rowOutput, layout.inBits(warpInput)))
            : TileLayouts::slice(layoutOf(type), kept).getLayout();
    parts = combineOverWarps(thread, reduce.getKind(), parts, slice, warps);
  }
  thread.held.map(reduce.getResult(), all ? parts.front() : thread.join(parts));
  return success();
}
