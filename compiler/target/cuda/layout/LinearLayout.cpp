#include "compiler/target/cuda/layout/LinearLayout.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>
#include <numeric>

using namespace linmu::cuda;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

unsigned linmu::cuda::bitsOf(ArrayRef<Dimension> dimensions) {
  return std::accumulate(dimensions.begin(), dimensions.end(), 0U,
                         [](unsigned bits, const Dimension &dimension) { return bits + dimension.bits; });
}

std::uint64_t linmu::cuda::packCoordinates(ArrayRef<Dimension> dimensions,
                                           ArrayRef<std::int64_t> coordinates) {
  assert(dimensions.size() == coordinates.size() && "requires a coordinate a dimension");
  std::uint64_t word = 0;
  unsigned shift = 0;
  for (auto [dimension, coordinate] : llvm::zip_equal(dimensions, coordinates)) {
    assert(coordinate >= 0 && coordinate < dimension.size() && "requires coordinates in their range");
    word |= static_cast<std::uint64_t>(coordinate) << shift;
    shift += dimension.bits;
  }
  return word;
}

SmallVector<std::int64_t> linmu::cuda::unpackCoordinates(ArrayRef<Dimension> dimensions, std::uint64_t word) {
  SmallVector<std::int64_t> coordinates;
  for (const Dimension &dimension : dimensions) {
    coordinates.push_back(static_cast<std::int64_t>(word & (dimension.size() - 1)));
    word >>= dimension.bits;
  }
  return coordinates;
}

/// Where the bits of a dimension begin.
static unsigned firstBit(ArrayRef<Dimension> dimensions, StringRef name) {
  unsigned first = 0;
  for (const Dimension &dimension : dimensions) {
    if (dimension.name == name)
      return first;
    first += dimension.bits;
  }
  llvm_unreachable("requires a dimension of this layout");
}

static const Dimension *dimensionNamed(ArrayRef<Dimension> dimensions, StringRef name) {
  const auto *found = llvm::find_if(dimensions, [&](const Dimension &d) { return d.name == name; });
  return found == dimensions.end() ? nullptr : found;
}

static std::uint64_t fieldOf(std::uint64_t word, unsigned first, unsigned bits) {
  return (word >> first) & ((std::uint64_t(1) << bits) - 1);
}

/// `word` over `from` as one over `to`, which has the dimensions of `from`, in any order, with at least their
/// bits. `above`: each dimension is moved up by the bits that it has there.
static std::uint64_t repack(std::uint64_t word, ArrayRef<Dimension> from, ArrayRef<Dimension> to,
                            ArrayRef<Dimension> above = {}) {
  std::uint64_t result = 0;
  unsigned first = 0;
  for (const Dimension &dimension : from) {
    const Dimension *below = dimensionNamed(above, dimension.name);
    result |= fieldOf(word, first, dimension.bits)
              << (firstBit(to, dimension.name) + (below != nullptr ? below->bits : 0));
    first += dimension.bits;
  }
  return result;
}

LinearLayout::LinearLayout(Dimensions ins, Dimensions outs, ArrayRef<std::uint64_t> images)
    : inDimensions(std::move(ins)), outDimensions(std::move(outs)), columns(images.begin(), images.end()) {
  assert(columns.size() == bitsOf(inDimensions) && "requires an image for each bit of the inputs");
  assert(columns.size() <= 64 && bitsOf(outDimensions) <= 64 && "requires at most 64 bits a side");
  assert(llvm::all_of(columns,
                      [&](std::uint64_t c) {
                        return bitsOf(outDimensions) == 64 || c >> bitsOf(outDimensions) == 0;
                      }) &&
         "requires images inside the outputs");
}

LinearLayout LinearLayout::identity(StringRef in, StringRef out, unsigned bits) {
  SmallVector<std::uint64_t> images;
  for (unsigned bit = 0; bit < bits; ++bit)
    images.push_back(std::uint64_t(1) << bit);
  return {{{in.str(), bits}}, {{out.str(), bits}}, images};
}

LinearLayout LinearLayout::broadcast(StringRef in, StringRef out, unsigned bits) {
  return {{{in.str(), bits}}, {{out.str(), 0}}, SmallVector<std::uint64_t>(bits, 0)};
}

unsigned LinearLayout::inBits(StringRef name) const {
  const Dimension *dimension = dimensionNamed(inDimensions, name);
  return dimension != nullptr ? dimension->bits : 0;
}

unsigned LinearLayout::outBits(StringRef name) const {
  const Dimension *dimension = dimensionNamed(outDimensions, name);
  return dimension != nullptr ? dimension->bits : 0;
}

ArrayRef<std::uint64_t> LinearLayout::images(StringRef in) const {
  unsigned bits = inBits(in);
  return bits == 0 ? ArrayRef<std::uint64_t>() : images().slice(firstBit(inDimensions, in), bits);
}

SmallVector<std::int64_t> LinearLayout::operator()(ArrayRef<std::int64_t> in) const {
  return unpackCoordinates(outDimensions, (*this)(packCoordinates(inDimensions, in)));
}

static Dimensions sumOfDimensions(ArrayRef<Dimension> low, ArrayRef<Dimension> high) {
  Dimensions sum(low.begin(), low.end());
  for (const Dimension &dimension : high) {
    auto *found = llvm::find_if(sum, [&](const Dimension &d) { return d.name == dimension.name; });
    if (found == sum.end())
      sum.push_back(dimension);
    else
      found->bits += dimension.bits;
  }
  return sum;
}

LinearLayout linmu::cuda::productOf(const LinearLayout &low, const LinearLayout &high) {
  Dimensions ins = sumOfDimensions(low.ins(), high.ins());
  Dimensions outs = sumOfDimensions(low.outs(), high.outs());
  SmallVector<std::uint64_t> images;
  for (const Dimension &dimension : ins) {
    for (std::uint64_t image : low.images(dimension.name))
      images.push_back(repack(image, low.outs(), outs));
    for (std::uint64_t image : high.images(dimension.name))
      images.push_back(repack(image, high.outs(), outs, low.outs()));
  }
  return {std::move(ins), std::move(outs), images};
}

static Dimensions dimensionsOf(ArrayRef<Dimension> dimensions) {
  return Dimensions(dimensions.begin(), dimensions.end());
}

static bool sameDimensions(ArrayRef<Dimension> one, ArrayRef<Dimension> other) {
  return one.size() == other.size() && llvm::all_of(one, [&](const Dimension &d) {
           const Dimension *same = dimensionNamed(other, d.name);
           return same != nullptr && *same == d;
         });
}

LinearLayout linmu::cuda::compose(const LinearLayout &after, const LinearLayout &before) {
  assert(sameDimensions(after.ins(), before.outs()) && "requires outputs that are the next inputs");
  SmallVector<std::uint64_t> images;
  for (std::uint64_t image : before.images())
    images.push_back(after(repack(image, before.outs(), after.ins())));
  return {dimensionsOf(before.ins()), dimensionsOf(after.outs()), images};
}

std::optional<LinearLayout> linmu::cuda::solve(const LinearLayout &layout, const LinearLayout &target) {
  assert(sameDimensions(layout.outs(), target.outs()) && "requires the same outputs");
  Span span(layout.images());
  SmallVector<std::uint64_t> images;
  for (std::uint64_t image : target.images()) {
    std::optional<std::uint64_t> combination =
        span.combinationOf(repack(image, target.outs(), layout.outs()));
    if (!combination)
      return std::nullopt;
    images.push_back(*combination);
  }
  return LinearLayout(dimensionsOf(target.ins()), dimensionsOf(layout.ins()), images);
}

std::optional<LinearLayout> linmu::cuda::inverseOf(const LinearLayout &layout) {
  Dimensions outs = dimensionsOf(layout.outs());
  SmallVector<std::uint64_t> images;
  for (unsigned bit = 0; bit < bitsOf(outs); ++bit)
    images.push_back(std::uint64_t(1) << bit);
  return solve(layout, LinearLayout(outs, outs, images));
}

static Dimensions inOrder(ArrayRef<Dimension> dimensions, ArrayRef<StringRef> names) {
  assert(dimensions.size() == names.size() && "requires all dimensions");
  Dimensions ordered;
  for (StringRef name : names) {
    const Dimension *dimension = dimensionNamed(dimensions, name);
    assert(dimension && "requires a dimension of this layout");
    ordered.push_back(*dimension);
  }
  return ordered;
}

LinearLayout LinearLayout::orderIns(ArrayRef<StringRef> names) const {
  SmallVector<std::uint64_t> ordered;
  for (StringRef name : names)
    llvm::append_range(ordered, images(name));
  return {inOrder(inDimensions, names), outDimensions, ordered};
}

LinearLayout LinearLayout::orderOuts(ArrayRef<StringRef> names) const {
  Dimensions outs = inOrder(outDimensions, names);
  SmallVector<std::uint64_t> images;
  for (std::uint64_t image : columns)
    images.push_back(repack(image, outDimensions, outs));
  return {inDimensions, std::move(outs), images};
}

static void rename(Dimensions &dimensions, StringRef from, StringRef to) {
  for (Dimension &dimension : dimensions)
    if (dimension.name == from)
      dimension.name = to.str();
}

LinearLayout LinearLayout::renameIn(StringRef from, StringRef to) const {
  LinearLayout renamed = *this;
  rename(renamed.inDimensions, from, to);
  return renamed;
}

LinearLayout LinearLayout::renameOut(StringRef from, StringRef to) const {
  LinearLayout renamed = *this;
  rename(renamed.outDimensions, from, to);
  return renamed;
}

LinearLayout linmu::cuda::permuteBits(const LinearLayout &layout, StringRef in, ArrayRef<unsigned> order) {
  assert(order.size() == layout.inBits(in) && "requires a place for each bit");
  SmallVector<std::uint64_t> images(layout.images());
  unsigned first = firstBit(layout.ins(), in);
  for (auto [bit, from] : llvm::enumerate(order))
    images[first + bit] = layout.images()[first + from];
  return {dimensionsOf(layout.ins()), dimensionsOf(layout.outs()), images};
}

llvm::raw_ostream &linmu::cuda::operator<<(llvm::raw_ostream &stream, const LinearLayout &layout) {
  llvm::interleaveComma(layout.ins(), stream, [&](const Dimension &dimension) {
    stream << dimension.name << " = [";
    llvm::interleaveComma(layout.images(dimension.name), stream, [&](std::uint64_t image) {
      stream << '[';
      llvm::interleaveComma(unpackCoordinates(layout.outs(), image), stream);
      stream << ']';
    });
    stream << ']';
  });
  stream << " -> ";
  llvm::interleaveComma(layout.outs(), stream, [&](const Dimension &dimension) {
    stream << dimension.name << ": " << dimension.size();
  });
  return stream;
}

std::string LinearLayout::str() const {
  std::string text;
  llvm::raw_string_ostream(text) << *this;
  return text;
}
