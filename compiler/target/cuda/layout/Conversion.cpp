#include "compiler/target/cuda/layout/Conversion.h"
#include "compiler/target/cuda/layout/Fragments.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>

using namespace linmu::cuda;

namespace {
/// Where the three inputs stand in a word.
struct Fields {
  explicit Fields(const LinearLayout &layout)
      : registers(layout.inBits(registerInput)), lanes(layout.inBits(laneInput)),
        warps(layout.inBits(warpInput)) {}
  std::uint64_t registerMask() const { return (std::uint64_t(1) << registers) - 1; }
  std::uint64_t laneMask() const { return ((std::uint64_t(1) << lanes) - 1) << registers; }
  std::uint64_t warpMask() const { return ((std::uint64_t(1) << warps) - 1) << (registers + lanes); }
  unsigned registers, lanes, warps;
};
} // namespace

/// The inputs of `from` that hold `image`, from the bits up to `bits` if that suffices, and as little more as
/// does.
static std::uint64_t sourceOf(const LinearLayout &from, const Fields &fields, std::uint64_t image) {
  for (unsigned bits : {fields.registers, fields.registers + fields.lanes})
    if (auto found = Span(from.images().take_front(bits)).combinationOf(image))
      return *found;
  auto found = Span(from.images()).combinationOf(image);
  assert(found && "requires a layout that holds every element");
  return *found;
}

Conversion linmu::cuda::planConversion(const LinearLayout &from, const LinearLayout &given) {
  llvm::StringRef inputs[] = {registerInput, laneInput, warpInput};
  llvm::SmallVector<llvm::StringRef> outputs;
  for (const Dimension &dimension : from.outs())
    outputs.push_back(dimension.name);
  LinearLayout old = from.orderIns(inputs), to = given.orderIns(inputs).orderOuts(outputs);
  Fields fields(old), wanted(to);
  assert(fields.lanes == wanted.lanes && fields.warps == wanted.warps && "requires as many lanes and warps");

  // Bit `bit` of the new layout as a bit of the old one: the same lane or warp, and the same register if that
  // has the element.
  auto sameBit = [&](std::size_t bit) -> std::uint64_t {
    if (bit >= wanted.registers)
      return std::uint64_t(1) << (bit - wanted.registers + fields.registers);
    return bit < fields.registers && old.images()[bit] == to.images()[bit] ? std::uint64_t(1) << bit : 0;
  };
  llvm::SmallVector<std::uint64_t> sources;
  Span registersOfLanes; // those that lanes choose between
  ConversionKind kind =
      fields.registers == wanted.registers ? ConversionKind::none : ConversionKind::registers;
  for (auto [bit, image] : llvm::enumerate(to.images())) {
    std::uint64_t own = sameBit(bit);
    // What the same lane or warp of the old layout lacks is looked for, registers first.
    std::uint64_t other = sourceOf(old, fields, image ^ old(own));
    sources.push_back(own ^ other);
    if (other & fields.warpMask())
      kind = std::max(kind, ConversionKind::shared);
    else if (other & fields.laneMask())
      kind = std::max(kind, ConversionKind::shuffles);
    else if (bit >= wanted.registers && other != 0)
      kind = std::max(kind, ConversionKind::selects);
    else if (bit < wanted.registers && own == 0)
      kind = std::max(kind, ConversionKind::registers);
    if (own & fields.laneMask())
      registersOfLanes.add(other & fields.registerMask());
  }
  LinearLayout source(Dimensions(to.ins().begin(), to.ins().end()),
                      Dimensions(old.ins().begin(), old.ins().end()), sources);
  unsigned shuffles =
      kind == ConversionKind::shuffles ? 1U << (wanted.registers + registersOfLanes.rank()) : 0;
  return {kind, std::move(source), shuffles};
}
