// Conversions between register layouts, against a search through the tables.
#include "compiler/target/cuda/layout/Conversion.h"
#include "random_layouts.h"
#include <gtest/gtest.h>
#include <set>

namespace linmu::cuda {
namespace {

/// The kind by looking at every element of every thread, and the registers that lanes of a warp take each
/// from.
struct Searched {
  ConversionKind kind = ConversionKind::none;
};

Searched search(const LinearLayout &from, const LinearLayout &to) {
  std::vector<std::uint64_t> old = tableOf(from), wanted = tableOf(to);
  ThreadPlaces places(from), newPlaces(to);
  bool same = places.registers == newPlaces.registers, renamed = true, inThread = true, inWarp = true;
  for (unsigned reg = 0; reg < newPlaces.registers; ++reg) {
    // Old registers that hold the element in all threads.
    std::set<unsigned> everywhere;
    for (unsigned r = 0; r < places.registers; ++r)
      everywhere.insert(r);
    for (unsigned warp = 0; warp < places.warps; ++warp) {
      std::set<std::uint64_t> warpHolds;
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned r = 0; r < places.registers; ++r)
          warpHolds.insert(old[places(r, lane, warp)]);
      for (unsigned lane = 0; lane < 32; ++lane) {
        std::uint64_t element = wanted[newPlaces(reg, lane, warp)];
        bool mine = false;
        for (unsigned r = 0; r < places.registers; ++r) {
          bool holds = old[places(r, lane, warp)] == element;
          mine = mine || holds;
          if (!holds)
            everywhere.erase(r);
        }
        same = same && reg < places.registers && old[places(reg % places.registers, lane, warp)] == element;
        inThread = inThread && mine;
        inWarp = inWarp && warpHolds.count(element) != 0;
      }
    }
    renamed = renamed && !everywhere.empty();
  }
  return {same       ? ConversionKind::none
          : renamed  ? ConversionKind::registers
          : inThread ? ConversionKind::selects
          : inWarp   ? ConversionKind::shuffles
                     : ConversionKind::shared};
}

/// Carries out a conversion by its source and checks what arrives, and that it comes from no further than it
/// says.
void expectRight(const LinearLayout &from, const LinearLayout &to) {
  Conversion conversion = planConversion(from, to);
  EXPECT_EQ(static_cast<int>(conversion.kind), static_cast<int>(search(from, to).kind)) << from.str() << "\n"
                                                                                        << to.str();
  ThreadPlaces places(to);
  std::set<std::pair<unsigned, std::int64_t>> rounds;
  for (unsigned reg = 0; reg < places.registers; ++reg)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned warp = 0; warp < places.warps; ++warp) {
        auto source = conversion.source(llvm::ArrayRef<std::int64_t>{reg, lane, warp});
        EXPECT_EQ(from(llvm::ArrayRef<std::int64_t>(source)),
                  to(llvm::ArrayRef<std::int64_t>{reg, lane, warp}));
        if (conversion.kind < ConversionKind::shared)
          EXPECT_EQ(source[2], warp);
        if (conversion.kind < ConversionKind::shuffles)
          EXPECT_EQ(source[1], lane);
        if (warp == 0)
          rounds.insert({reg, source[0]});
      }
  if (conversion.kind == ConversionKind::shuffles)
    EXPECT_EQ(conversion.shuffles, rounds.size());
}

TEST(Conversion, OfRandomLayoutsIsWhatASearchFinds) {
  Random random(11);
  std::set<ConversionKind> seen;
  for (int round = 0; round < 150; ++round) {
    Extents tile{static_cast<unsigned>(2 + below(random, 3)), static_cast<unsigned>(3 + below(random, 2))};
    LinearLayout from = randomRegisters(random, tile, round % 2 == 0);
    // Near the first: some of its bits exchanged or added, so that all kinds come up.
    std::vector<std::uint64_t> images(from.images().begin(), from.images().end());
    unsigned registers = from.inBits(registerInput);
    for (std::uint64_t step = below(random, 3); step > 0; --step) {
      std::size_t reach = below(random, 3) == 0   ? images.size()
                          : below(random, 2) == 0 ? registers + laneBits
                                                  : registers;
      if (reach == 0)
        continue;
      std::size_t to = below(random, reach), by = below(random, reach);
      if (below(random, 2) == 0)
        std::swap(images[to], images[by]);
      else if (to != by)
        images[to] ^= images[by];
    }
    LinearLayout to({from.ins().begin(), from.ins().end()}, {from.outs().begin(), from.outs().end()}, images);
    expectRight(from, to);
    seen.insert(planConversion(from, to).kind);
    LinearLayout other = randomRegisters(random, tile, true);
    if (other.inBits(warpInput) == from.inBits(warpInput))
      expectRight(from, other);
  }
  EXPECT_EQ(seen.size(), 5U);
}

TEST(Conversion, SeesRepeatedElementsWhereTheyAreNearest) {
  // All warps hold everything: nothing crosses warps.
  LinearLayout a = operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, {4, 4}, {0, 1});
  LinearLayout accumulators =
      operandLayout(MatrixInstruction::m16n8k16Half, Operand::accumulator, {4, 3}, {0, 1});
  expectRight(a, a);
  expectRight(accumulators, accumulators);
  LinearLayout transposed =
      accumulators.renameOut("dim0", "t").renameOut("dim1", "dim0").renameOut("t", "dim1");
  LinearLayout b = operandLayout(MatrixInstruction::m16n8k16Half, Operand::b, {3 + 1, 4}, {0, 0});
  LinearLayout c = operandLayout(MatrixInstruction::m16n8k16Half, Operand::accumulator, {4, 4}, {0, 0});
  // S^T as accumulator is the B fragment of O = Q S up to names, never more than registers of one thread.
  LinearLayout sT =
      c.renameOut("dim0", "t").renameOut("dim1", "dim0").renameOut("t", "dim1").orderOuts({"dim0", "dim1"});
  expectRight(sT, b);
  EXPECT_EQ(planConversion(sT, b).kind, ConversionKind::registers);
  EXPECT_EQ(transposed.outs().size(), 2U);
}

TEST(Conversion, BetweenOperandsOfProducts) {
  auto accumulator = operandLayout(MatrixInstruction::m16n8k16Half, Operand::accumulator, {6, 6}, {2, 0});
  auto a = operandLayout(MatrixInstruction::m16n8k16Half, Operand::a, {6, 6}, {2, 0});
  auto b = operandLayout(MatrixInstruction::m16n8k16Half, Operand::b, {6, 6}, {2, 0});
  auto tf32 = operandLayout(MatrixInstruction::m16n8k8TF32, Operand::a, {6, 6}, {2, 0});
  expectRight(accumulator, a);
  expectRight(accumulator, b);
  expectRight(accumulator, tf32);
  EXPECT_EQ(planConversion(accumulator, a).kind, ConversionKind::none);
  EXPECT_EQ(planConversion(accumulator, b).kind, ConversionKind::shared);
  EXPECT_EQ(planConversion(accumulator, tf32).kind, ConversionKind::shuffles);
}

} // namespace
} // namespace linmu::cuda
