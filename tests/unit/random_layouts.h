// Random linear layouts, and layouts as plain tables: the model that knows nothing of linearity.
#pragma once
#include "compiler/target/cuda/layout/Fragments.h"
#include <algorithm>
#include <random>
#include <vector>

namespace linmu::cuda {

using Random = std::mt19937_64;

inline std::uint64_t below(Random &random, std::uint64_t end) { return random() % end; }

/// Images drawn one by one, each zero with probability 1/8.
inline LinearLayout randomLayout(Random &random, Dimensions ins, Dimensions outs) {
  std::vector<std::uint64_t> images;
  for (unsigned bit = 0; bit < bitsOf(ins); ++bit)
    images.push_back(below(random, 8) == 0 ? 0 : random() & ((std::uint64_t(1) << bitsOf(outs)) - 1));
  return {std::move(ins), std::move(outs), images};
}

/// A bijection if `ins` and `outs` have as many bits, otherwise onto: unit vectors in random places, mixed by
/// random additions when `mixed`.
inline LinearLayout randomOnto(Random &random, Dimensions ins, Dimensions outs, bool mixed) {
  std::vector<std::uint64_t> images(bitsOf(ins), 0);
  std::vector<std::size_t> places(images.size());
  for (std::size_t place = 0; place < places.size(); ++place)
    places[place] = place;
  std::shuffle(places.begin(), places.end(), random);
  for (unsigned bit = 0; bit < bitsOf(outs); ++bit)
    images[places[bit]] = std::uint64_t(1) << bit;
  for (unsigned step = 0; mixed && step < 2 * images.size(); ++step) {
    std::size_t to = below(random, images.size()), from = below(random, images.size());
    if (to != from && images[from] != 0 && images[to] != 0)
      images[to] ^= images[from];
  }
  return {std::move(ins), std::move(outs), images};
}

/// A layout of a tile on registers, lanes and warps.
inline LinearLayout randomRegisters(Random &random, Extents tile, bool mixed) {
  unsigned warps = static_cast<unsigned>(below(random, 3));
  unsigned registers = std::max(tile.rows + tile.columns, laneBits + warps) - laneBits - warps +
                       static_cast<unsigned>(below(random, 2));
  return randomOnto(random,
                    {{registerInput.str(), registers}, {laneInput.str(), laneBits}, {warpInput.str(), warps}},
                    {{rowOutput.str(), tile.rows}, {columnOutput.str(), tile.columns}}, mixed);
}

/// The image of every input, by word.
inline std::vector<std::uint64_t> tableOf(const LinearLayout &layout) {
  std::vector<std::uint64_t> table;
  for (std::uint64_t in = 0; in < std::uint64_t(1) << bitsOf(layout.ins()); ++in)
    table.push_back(layout(in));
  return table;
}

/// The word of a register, a lane and a warp.
struct ThreadPlaces {
  explicit ThreadPlaces(const LinearLayout &layout)
      : registers(1U << layout.inBits(registerInput)), warps(1U << layout.inBits(warpInput)) {}
  std::uint64_t operator()(unsigned reg, unsigned lane, unsigned warp) const {
    return reg + registers * (lane + 32ULL * warp);
  }
  unsigned registers, warps;
};

} // namespace linmu::cuda
