// Linear layouts: where elements lie, as linear maps over GF(2).
//
// A layout maps named coordinates to named coordinates, each of a power of two many values, so that the image
// of a coordinate is the exclusive or of the images of its bits. With (register, lane, warp) on the left and
// the axes of a tile on the right it says which element a thread holds in which register; with an offset on
// the left, which element lies where in memory, swizzles included. Where several inputs have one image, their
// threads hold the same element. After "Linear Layouts" (Zhou et al., 2025), as Triton has them.
#pragma once
#include "compiler/target/cuda/layout/GF2.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace linmu::cuda {

/// A coordinate of 2^bits values.
struct Dimension {
  std::string name;
  unsigned bits = 0;

  std::int64_t size() const { return std::int64_t(1) << bits; }
  bool operator==(const Dimension &) const = default;
};
inline llvm::hash_code hash_value(const Dimension &dimension) {
  return llvm::hash_combine(dimension.name, dimension.bits);
}

using Dimensions = llvm::SmallVector<Dimension, 3>;
unsigned bitsOf(llvm::ArrayRef<Dimension> dimensions);

/// Coordinates on either side are kept as one word, the first dimension in its lowest bits. At most 64 bits a
/// side.
class LinearLayout {
public:
  /// Of nothing to nothing.
  LinearLayout() = default;
  /// `images` holds the image of each bit of `ins`, the lowest bit of the first dimension first.
  LinearLayout(Dimensions ins, Dimensions outs, llvm::ArrayRef<std::uint64_t> images);

  /// out = in.
  static LinearLayout identity(llvm::StringRef in, llvm::StringRef out, unsigned bits);
  /// out = 0: inputs that hold the same element. The output has one value, and is there to give it a name.
  static LinearLayout broadcast(llvm::StringRef in, llvm::StringRef out, unsigned bits);

  llvm::ArrayRef<Dimension> ins() const { return inDimensions; }
  llvm::ArrayRef<Dimension> outs() const { return outDimensions; }
  llvm::ArrayRef<std::uint64_t> images() const { return columns; }
  /// Those of the bits of one input; none where there is no input of that name.
  llvm::ArrayRef<std::uint64_t> images(llvm::StringRef in) const;
  /// 0 where there is no such dimension.
  unsigned inBits(llvm::StringRef name) const;
  unsigned outBits(llvm::StringRef name) const;

  /// The image of one word of inputs.
  std::uint64_t operator()(std::uint64_t in) const { return sumOf(columns, in); }
  /// Coordinates in the order of ins() to coordinates in the order of outs().
  llvm::SmallVector<std::int64_t> operator()(llvm::ArrayRef<std::int64_t> in) const;

  unsigned rank() const { return Span(columns).rank(); }
  bool isInjective() const { return rank() == columns.size(); }
  bool isSurjective() const { return rank() == bitsOf(outDimensions); }

  /// The same map with dimensions in the order of `names`, which lists them all.
  LinearLayout orderIns(llvm::ArrayRef<llvm::StringRef> names) const;
  LinearLayout orderOuts(llvm::ArrayRef<llvm::StringRef> names) const;
  LinearLayout renameIn(llvm::StringRef from, llvm::StringRef to) const;
  LinearLayout renameOut(llvm::StringRef from, llvm::StringRef to) const;

  bool operator==(const LinearLayout &) const = default;
  friend llvm::hash_code hash_value(const LinearLayout &layout) {
    return llvm::hash_combine(
        llvm::hash_combine_range(layout.inDimensions.begin(), layout.inDimensions.end()),
        llvm::hash_combine_range(layout.outDimensions.begin(), layout.outDimensions.end()),
        llvm::hash_combine_range(layout.columns.begin(), layout.columns.end()));
  }

  /// As it is printed.
  std::string str() const;

private:
  Dimensions inDimensions, outDimensions;
  llvm::SmallVector<std::uint64_t, 16> columns;
};

/// register = [[0, 1], [8, 0]], lane = [[0, 2]], warp = [] -> dim0: 16, dim1: 4
llvm::raw_ostream &operator<<(llvm::raw_ostream &stream, const LinearLayout &layout);

/// Both side by side: a dimension that both have gets the bits of `low` below those of `high`. A fragment
/// times an identity is the fragment repeated along an axis.
LinearLayout productOf(const LinearLayout &low, const LinearLayout &high);
/// in -> after(before(in)). Requires the outputs of `before` to be the inputs of `after`, in any order.
LinearLayout compose(const LinearLayout &after, const LinearLayout &before);

/// A layout x with layout(x(in)) = target(in); the inputs of `layout` that come first are used before others,
/// and where it need not, x uses none. None where `target` reaches what `layout` does not. Requires the same
/// outputs, in any order.
std::optional<LinearLayout> solve(const LinearLayout &layout, const LinearLayout &target);
/// From outputs to inputs: of several inputs with one image that which `solve` takes. None unless surjective.
std::optional<LinearLayout> inverseOf(const LinearLayout &layout);

/// With inputs whose bits are permuted: bit i of the result's `in` is bit order[i] of this one's.
LinearLayout permuteBits(const LinearLayout &layout, llvm::StringRef in, llvm::ArrayRef<unsigned> order);

/// One word from coordinates, and back.
std::uint64_t packCoordinates(llvm::ArrayRef<Dimension> dimensions, llvm::ArrayRef<std::int64_t> coordinates);
llvm::SmallVector<std::int64_t> unpackCoordinates(llvm::ArrayRef<Dimension> dimensions, std::uint64_t word);

} // namespace linmu::cuda
