#include "compiler/target/cuda/layout/SharedMemory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <bit>
#include <cassert>

using namespace linmu::cuda;

/// What one access of a lane moves at most, and a row of a matrix of ldmatrix.
static constexpr unsigned pieceBytes = 16;
static constexpr unsigned wordBytes = 4, banks = 32;

LinearLayout linmu::cuda::sharedLayout(Extents tile, unsigned elementBytes, const Swizzle &swizzle) {
  unsigned pieceBits = llvm::Log2_32(pieceBytes / elementBytes);
  llvm::SmallVector<std::uint64_t> images;
  for (unsigned bit = 0; bit < tile.columns; ++bit)
    images.push_back(std::uint64_t(1) << (tile.rows + bit));
  for (unsigned bit = 0; bit < tile.rows; ++bit) {
    std::uint64_t image = std::uint64_t(1) << bit;
    for (auto [piece, mask] : llvm::enumerate(swizzle.masks)) {
      assert(pieceBits + piece < tile.columns && "requires a swizzle inside a row");
      image |= (mask >> bit & 1) << (tile.rows + pieceBits + piece);
    }
    images.push_back(image);
  }
  return {{{offsetInput.str(), tile.rows + tile.columns}},
          {{rowOutput.str(), tile.rows}, {columnOutput.str(), tile.columns}},
          images};
}

LinearLayout linmu::cuda::transposedLayout(Extents tile) {
  return productOf(LinearLayout::identity(offsetInput, rowOutput, tile.rows),
                   LinearLayout::identity(offsetInput, columnOutput, tile.columns));
}

LinearLayout linmu::cuda::partOf(const LinearLayout &registers, const LinearLayout &memory) {
  llvm::SmallVector<std::uint64_t> images;
  for (std::uint64_t image : registers.images())
    images.push_back(packCoordinates(memory.outs(), unpackCoordinates(registers.outs(), image)));
  return {Dimensions(registers.ins().begin(), registers.ins().end()),
          Dimensions(memory.outs().begin(), memory.outs().end()), images};
}

/// From (register, lane, warp) to the offset, in elements.
static LinearLayout offsetsOf(const LinearLayout &registers, const LinearLayout &memory) {
  std::optional<LinearLayout> offsets = solve(memory, registers);
  assert(offsets && "requires a tile that lies in memory");
  return *offsets;
}

static bool allAre(llvm::ArrayRef<std::uint64_t> images, std::uint64_t mask, std::uint64_t value) {
  return llvm::all_of(images, [&](std::uint64_t image) { return (image & mask) == value; });
}

VectorAccess linmu::cuda::widestAccess(const LinearLayout &registers, const LinearLayout &memory,
                                       unsigned elementBytes, unsigned mostBytes) {
  LinearLayout offsets = offsetsOf(registers, memory);
  VectorAccess access;
  for (unsigned bits = 1; (elementBytes << bits) <= mostBytes; ++bits) {
    std::uint64_t within = (std::uint64_t(1) << bits) - 1;
    llvm::SmallVector<unsigned, 4> counting;
    for (unsigned bit = 0; bit < bits; ++bit) {
      const auto *found = llvm::find(offsets.images(registerInput), std::uint64_t(1) << bit);
      if (found == offsets.images(registerInput).end())
        return access;
      counting.push_back(static_cast<unsigned>(found - offsets.images(registerInput).begin()));
    }
    // Whatever else the offset depends on moves by whole vectors, so that they are aligned.
    for (auto [place, image] : llvm::enumerate(offsets.images()))
      if ((image & within) != 0 &&
          !(place < offsets.inBits(registerInput) && llvm::is_contained(counting, place)))
        return access;
    access = {1U << bits, counting};
  }
  return access;
}

std::optional<MatrixAccess> linmu::cuda::matrixAccess(const LinearLayout &registers,
                                                      const LinearLayout &memory, unsigned elementBytes) {
  LinearLayout offsets = offsetsOf(registers, memory);
  llvm::ArrayRef<std::uint64_t> inRegister = offsets.images(registerInput),
                                inLane = offsets.images(laneInput);
  unsigned packed = wordBytes / elementBytes;
  if (elementBytes > wordBytes || inLane.size() != laneBits || inRegister.size() < llvm::Log2_32(packed))
    return std::nullopt;
  std::uint64_t withinRow = pieceBytes / elementBytes - 1;
  llvm::ArrayRef<std::uint64_t> packedImages = inRegister.take_front(llvm::Log2_32(packed));
  llvm::ArrayRef<std::uint64_t> otherImages = inRegister.drop_front(packedImages.size());

  auto counts = [](llvm::ArrayRef<std::uint64_t> images, std::uint64_t first) {
    return llvm::all_of(llvm::enumerate(images),
                        [&](auto image) { return image.value() == first << image.index(); });
  };
  bool warpsAndOthers = allAre(otherImages, withinRow, 0) && allAre(offsets.images(warpInput), withinRow, 0);
  bool plain = warpsAndOthers && counts(packedImages, 1) && counts(inLane.take_front(2), packed) &&
               allAre(inLane.drop_front(2), withinRow, 0);
  // Lanes 2 to 4 walk along a row; a register's two elements and lanes 0 and 1 are the eight rows.
  bool transposed = warpsAndOthers && elementBytes == 2 && allAre(packedImages, withinRow, 0) &&
                    allAre(inLane.take_front(2), withinRow, 0) && counts(inLane.drop_front(2), 1);
  if (!plain && !transposed)
    return std::nullopt;
  MatrixAccess access;
  access.transposed = !plain;
  for (auto [bit, image] : llvm::enumerate(otherImages))
    if (image != 0 && access.matrixBits.size() < 2)
      access.matrixBits.push_back(static_cast<unsigned>(packedImages.size() + bit));
  return access;
}

/// Turns that the banks take for the sums of these byte offsets, each with the `bytes` behind it.
static unsigned turnsOf(llvm::ArrayRef<std::uint64_t> byteOffsets, unsigned bytes) {
  Span words, places;
  auto add = [&](std::uint64_t offset) {
    words.add(offset / wordBytes);
    places.add(offset / wordBytes % banks);
  };
  for (std::uint64_t offset : byteOffsets)
    add(offset);
  for (unsigned within = wordBytes; within < bytes; within *= 2)
    add(within);
  return 1U << (words.rank() - places.rank());
}

unsigned linmu::cuda::bankConflicts(const SharedAccess &access, const LinearLayout &memory,
                                    unsigned elementBytes) {
  LinearLayout offsets = offsetsOf(access.registers, memory);
  llvm::SmallVector<std::uint64_t> lanes;
  for (std::uint64_t offset : offsets.images(laneInput))
    lanes.push_back(offset * elementBytes);
  if (access.form == AccessForm::vector) {
    unsigned bytes = elementBytes * widestAccess(access.registers, memory, elementBytes).elements;
    unsigned together = laneBits - (bytes <= 4 ? 0 : bytes == 8 ? 1 : 2);
    return (turnsOf(llvm::ArrayRef(lanes).take_front(together), bytes) - 1) << (laneBits - together);
  }
  std::optional<MatrixAccess> matrix = matrixAccess(access.registers, memory, elementBytes);
  assert(matrix && "requires an access that ldmatrix serves");
  llvm::SmallVector<std::uint64_t> rows;
  if (matrix->transposed) {
    rows.push_back(offsets.images(registerInput).front() * elementBytes);
    rows.append(lanes.begin(), lanes.begin() + 2);
  } else {
    rows.append(lanes.begin() + 2, lanes.end());
  }
  return (turnsOf(rows, pieceBytes) - 1) << matrix->matrixBits.size();
}

/// Conflicts of all accesses; none where one that is to be a matrix access is not served.
static std::optional<unsigned> cost(const LinearLayout &memory, unsigned elementBytes,
                                    llvm::ArrayRef<SharedAccess> accesses) {
  unsigned conflicts = 0;
  for (const SharedAccess &access : accesses) {
    if (access.form == AccessForm::matrix && !matrixAccess(access.registers, memory, elementBytes))
      return std::nullopt;
    conflicts += bankConflicts(access, memory, elementBytes);
  }
  return conflicts;
}

std::optional<Swizzle> linmu::cuda::chooseSwizzle(Extents tile, unsigned elementBytes,
                                                  llvm::ArrayRef<SharedAccess> accesses) {
  std::optional<Swizzle> best;
  unsigned fewest = ~0U;
  auto consider = [&](const Swizzle &swizzle) {
    std::optional<unsigned> conflicts =
        cost(sharedLayout(tile, elementBytes, swizzle), elementBytes, accesses);
    if (conflicts && *conflicts < fewest) {
      fewest = *conflicts;
      best = swizzle;
    }
    return fewest == 0;
  };
  unsigned pieceBits = llvm::Log2_32(pieceBytes / elementBytes);
  // 128 bytes reach all banks: pieces further apart need not be told apart.
  unsigned pieces = tile.columns <= pieceBits ? 0 : std::min(tile.columns - pieceBits, 3U);
  if (consider({}) || pieces == 0)
    return best;
  auto run = [&](unsigned first) {
    Swizzle swizzle;
    for (unsigned piece = 0; piece < pieces; ++piece)
      swizzle.masks.push_back(first + piece < tile.rows ? std::uint64_t(1) << (first + piece) : 0);
    return swizzle;
  };
  for (unsigned first = 0; first < tile.rows; ++first)
    if (consider(run(first)))
      return best;
  // Beside a run, one more row bit for each bit of a piece's number, counted as digits; tile.rows stands for
  // none.
  unsigned choices = tile.rows + 1, combinations = 1;
  for (unsigned piece = 0; piece < pieces; ++piece)
    combinations *= choices;
  for (unsigned first = 0; first < tile.rows; ++first)
    for (unsigned combination = 0; combination < combinations; ++combination) {
      Swizzle swizzle = run(first);
      unsigned digits = combination;
      for (std::uint64_t &mask : swizzle.masks) {
        if (digits % choices < tile.rows)
          mask ^= std::uint64_t(1) << (digits % choices);
        digits /= choices;
      }
      if (consider(swizzle))
        return best;
    }
  return best;
}
