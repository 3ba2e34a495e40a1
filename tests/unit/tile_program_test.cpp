// Hand-written tile programs, on both backends: what the dialect means beyond what derivation uses today.
#include "tests/unit/derive_fixture.h"
#include <cmath>
#include <gtest/gtest.h>
#include <stdexcept>

using namespace linmu;
using namespace linmu::test;

namespace {

/// Runs a program of one input [B, N, H, D] and one result of the given shape.
Memory run(const std::string &text, Memory x, std::vector<std::int64_t> shape,
           std::vector<Memory *> between = {}) {
  Derived derived(text, "");
  if (!derived.ok())
    throw std::runtime_error(derived.diagnostics());
  Memory y = Memory::filled(std::move(shape), -7);
  std::vector<Memory *> operands{&x};
  operands.insert(operands.end(), between.begin(), between.end());
  operands.push_back(&y);
  execute(derived, operands, x.shape[0], x.shape[1]);
  return y;
}

TEST(TileProgram, AWorkspaceOfChunksIsWrittenByOneLaunchAndReadByTheNext) {
  // Each chunk's keys times its values, then the sum over chunks.
  const std::string text = R"(
    !t = tensor<?x?x2x16xf32>
    !w = tensor<?x2x?x16x16xf32>
    tile.program @p inputs(%x: !t) results(%y: tensor<?x2x16x16xf32>) {
      %batch = tile.extent batch
      %n = tile.extent tokens
      %heads = arith.constant 2 : index
      %c16 = arith.constant 16 : index
      %chunks = arith.ceildivui %n, %c16 : index
      %w = tile.temporary(%batch, %chunks) : !w
      tile.kernel @states(%x: !t, %w: !w, %n: index) {
        %h = tile.block_id 0
        %c = tile.block_id 1
        %b = tile.block_id 2
        %size = arith.constant 16 : index
        %first = arith.muli %c, %size : index
        %left = arith.subi %n, %first : index
        %rows = tile.range %first to %left -> !tile.range<16>
        %t = tile.load %x[%b, %rows, %h] : !t, [index, !tile.range<16>, index] -> tensor<16x16xf32>
        %s = tile.dot transpose_lhs %t, %t : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
        tile.store %s, %w[%b, %h, %c] : tensor<16x16xf32>, !w, [index, index, index]
      }
      tile.kernel @sum(%w: !w, %y: tensor<?x2x16x16xf32>, %chunks: index) {
        %h = tile.block_id 0
        %b = tile.block_id 1
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %zero = arith.constant dense<0.0> : tensor<16x16xf32>
        %s = scf.for %c = %c0 to %chunks step %c1 iter_args(%sum = %zero) -> (tensor<16x16xf32>) {
          %t = tile.load %w[%b, %h, %c] : !w, [index, index, index] -> tensor<16x16xf32>
          %next = arith.addf %sum, %t : tensor<16x16xf32>
          scf.yield %next : tensor<16x16xf32>
        }
        tile.store %s, %y[%b, %h] : tensor<16x16xf32>, tensor<?x2x16x16xf32>, [index, index]
      }
      tile.variant as "two kernels" {
        tile.launch @states grid(%heads, %chunks, %batch)(%x, %w, %n : !t, !w, index)
        tile.launch @sum grid(%heads, %batch)(%w, %y, %chunks : !w, tensor<?x2x16x16xf32>, index)
      }
    })";
  std::mt19937 random(1);
  for (std::int64_t tokens : {0, 1, 16, 37}) {
    Memory x = randomMemory({3, tokens, 2, 16}, -1, 1, random);
    Memory expected = Memory::filled({3, 2, 16, 16}, 0);
    for (std::int64_t b = 0; b < 3; ++b)
      for (std::int64_t t = 0; t < tokens; ++t)
        for (std::int64_t h = 0; h < 2; ++h)
          for (std::int64_t i = 0; i < 16; ++i)
            for (std::int64_t j = 0; j < 16; ++j) {
              const double *row = &x.elements[((b * tokens + t) * 2 + h) * 16];
              expected.elements[((b * 2 + h) * 16 + i) * 16 + j] += row[i] * row[j];
            }
    EXPECT_LT(worstDifference(run(text, x, {3, 2, 16, 16}), expected), tolerance(1e-12)) << tokens;
  }
}

TEST(TileProgram, RunningProductsOfSomeRowsEachBeginAnew) {
  // Of 10 rows in fours: the last two are on their own.
  const std::string text = R"(
    !t = tensor<?x?x1x5xf32>
    tile.program @p inputs(%x: !t) results(%y: !t) {
      %one = arith.constant 1 : index
      tile.kernel @k(%x: !t, %y: !t) {
        %c0 = arith.constant 0 : index
        %ten = arith.constant 10 : index
        %from = tile.range %c0 -> !tile.range<10>
        %behind = tile.range %ten -> !tile.range<10>
        %t = tile.load %x[%c0, %from, %c0] : !t, [index, !tile.range<10>, index] -> tensor<10x5xf32>
        %up = tile.cumprod every 4 %t : tensor<10x5xf32>
        %down = tile.cumprod exclusive reversed every 4 %t : tensor<10x5xf32>
        tile.store %up, %y[%c0, %from, %c0] : tensor<10x5xf32>, !t, [index, !tile.range<10>, index]
        tile.store %down, %y[%c0, %behind, %c0] : tensor<10x5xf32>, !t, [index, !tile.range<10>, index]
      }
      tile.variant as "k" {
        tile.launch @k grid(%one)(%x, %y : !t, !t)
      }
    })";
  std::mt19937 random(3);
  Memory x = randomMemory({1, 20, 1, 5}, -1, 1, random), expected = Memory::filled({1, 20, 1, 5}, 1);
  for (std::int64_t row = 0; row < 10; ++row)
    for (std::int64_t other = row / 4 * 4; other < std::min<std::int64_t>(row / 4 * 4 + 4, 10); ++other)
      for (std::int64_t column = 0; column < 5; ++column) {
        double element = x.elements[other * 5 + column];
        expected.elements[row * 5 + column] *= other <= row ? element : 1;
        expected.elements[(10 + row) * 5 + column] *= other > row ? element : 1;
      }
  EXPECT_LT(worstDifference(run(text, x, {1, 20, 1, 5}), expected), tolerance(1e-12));
}

TEST(TileProgram, TheFirstVariantWhoseConditionHoldsRunsAndAKernelMayHaveSeveralGrids) {
  const std::string text = R"(
    !t = tensor<?x?x4x8xf32>
    tile.program @p inputs(%x: !t) results(%y: !t) {
      %batch = tile.extent batch
      %n = tile.extent tokens
      %one = arith.constant 1 : index
      %four = arith.constant 4 : index
      %ten = arith.constant 10 : index
      %short = arith.cmpi ult, %n, %ten : index
      %single = arith.cmpi eq, %batch, %one : index
      %decode = arith.andi %short, %single : i1
      tile.kernel @count(%y: !t, %token: index) {
        %h = tile.block_id 0
        %b = tile.block_id 1
        %heads = tile.block_count 0
        %batch = tile.block_count 1
        %rest = tile.block_count 2
        %hb = arith.muli %heads, %batch : index
        %all = arith.addi %hb, %rest : index
        %i = arith.index_cast %all : index to i32
        %f = arith.sitofp %i : i32 to f32
        %t = tile.broadcast %f : f32 to tensor<8xf32>
        tile.store %t, %y[%b, %token, %h] : tensor<8xf32>, !t, [index, index, index]
      }
      tile.variant when %decode as "decode" {
        tile.launch @count grid(%one, %one)(%y, %one : !t, index)
      }
      tile.variant as "all heads" {
        tile.launch @count grid(%four, %batch)(%y, %one : !t, index)
        tile.launch @count grid(%one, %batch, %one)(%y, %one : !t, index)
      }
    })";
  for (std::int64_t batch : {1, 2})
    for (std::int64_t tokens : {9, 10}) {
      Memory y = run(text, Memory::filled({batch, tokens, 4, 8}, 0), {batch, tokens, 4, 8});
      bool decode = batch == 1 && tokens < 10;
      for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t h = 0; h < 4; ++h) {
          double expected = h == 0 ? 1 * batch + 1 : decode ? -7 : 4 * batch + 1;
          EXPECT_EQ(y.elements[((b * tokens + 1) * 4 + h) * 8 + 3], expected)
              << batch << " " << tokens << " " << h;
          EXPECT_EQ(y.elements[(b * tokens * 4 + h) * 8], -7);
        }
    }
}

TEST(TileProgram, RangesAreLiveWhereTheySayInAnyDirectionAndOrder) {
  // Rows 5 + i - 3 or 5 - (i - 3), those with 2 <= i < 7, of columns 4 .. 11, of which three are live.
  auto text = [](const std::string &direction) {
    return R"(
    !t = tensor<?x?x2x16xf32>
    tile.program @p inputs(%x: !t, %order: tensor<?x?xi32>) results(%y: !t) {
      %one = arith.constant 1 : index
      tile.kernel @copy(%x: !t, %order: tensor<?x?xi32>, %y: !t) {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c2 = arith.constant 2 : index
        %c3 = arith.constant 3 : index
        %c4 = arith.constant 4 : index
        %c7 = arith.constant 7 : index
        %from = tile.range )" +
           direction + R"( -> !tile.range<16>
        %to = tile.range %c0 to %c7 -> !tile.range<16>
        %columns = tile.range %c4 to %c3 -> !tile.range<8>
        %every = tile.range %c4 -> !tile.range<8>
        %t = tile.load %x[%c0, %from, %c1, %columns] : !t, [index, !tile.range<16>, index, !tile.range<8>] -> tensor<16x8xf32>
        tile.store %t, %y[%c0, %to, %c0, %every] : tensor<16x8xf32>, !t, [index, !tile.range<16>, index, !tile.range<8>]
        %s = tile.load %x[%c0, %from, %c1, %c3] : !t, [index, !tile.range<16>, index, index] -> tensor<16xf32>
        tile.store %s, %y[%c0, %to, %c1, %c2] : tensor<16xf32>, !t, [index, !tile.range<16>, index, index]
        %v = tile.load %x[%c0, %c1, %c1, %columns] : !t, [index, index, index, !tile.range<8>] -> tensor<8xf32>
        tile.store %v, %y[%c0, %c7, %c1, %columns] : tensor<8xf32>, !t, [index, index, index, !tile.range<8>]
      }
      tile.variant as "copy" { tile.launch @copy grid(%one)(%x, %order, %y : !t, tensor<?x?xi32>, !t) }
    })";
  };
  std::mt19937 random(2);
  Memory x = randomMemory({1, 9, 2, 16}, 1, 2, random), order = randomOrder(1, 9, random);
  for (bool backward : {false, true})
    for (bool via : {false, true}) {
      std::string direction = backward ? "%c7 from %c2 to %c7 backward" : "%c2 from %c2 to %c7";
      Memory y = run(text(direction + (via ? " via %order[%c0] : tensor<?x?xi32>" : "")), x, {1, 9, 2, 16},
                     {&order});
      auto element = [](const Memory &m, std::int64_t t, std::int64_t h, std::int64_t d) {
        return m.elements[(t * 2 + h) * 16 + d];
      };
      for (std::int64_t i = 0; i < 9; ++i) {
        std::int64_t row = backward ? 7 - i : 2 + i;
        if (via && i >= 2 && i < 7)
          row = std::int64_t(order.elements[row]);
        bool live = i >= 2 && i < 7;
        for (std::int64_t d = 0; d < 16; ++d) {
          bool written = i < 7 && d >= 4 && d < 12;
          double expected = !written ? -7 : live && d < 7 ? element(x, row, 1, d) : 0;
          EXPECT_EQ(element(y, i, 0, d), expected) << backward << via << " " << i << " " << d;
        }
        EXPECT_EQ(element(y, i, 1, 2), i >= 7 ? -7
                                       : live ? element(x, row, 1, 3)
                                              : 0)
            << backward << via << i;
      }
      EXPECT_EQ(element(y, 7, 1, 6), element(x, 1, 1, 6));
      EXPECT_EQ(element(y, 7, 1, 7), -7);
    }
}

TEST(TileProgram, ProductsOfBF16AreExactAndRoundWhereTheProgramSays) {
  const std::string text = R"(
    !t = tensor<?x?x1x16xf32>
    tile.program @p inputs(%x: !t) results(%y: !t) {
      %one = arith.constant 1 : index
      tile.kernel @k(%x: !t, %y: !t) {
        %c0 = arith.constant 0 : index
        %rows = tile.range %c0 -> !tile.range<16>
        %t = tile.load %x[%c0, %rows, %c0] : !t, [index, !tile.range<16>, index] -> tensor<16x16xf32>
        %b = arith.truncf %t : tensor<16x16xf32> to tensor<16x16xbf16>
        %d = tile.dot %b, transpose_rhs %b : tensor<16x16xbf16>, tensor<16x16xbf16> -> tensor<16x16xf32>
        tile.store %d, %y[%c0, %rows, %c0] : tensor<16x16xf32>, !t, [index, !tile.range<16>, index]
      }
      tile.variant as "k" { tile.launch @k grid(%one)(%x, %y : !t, !t) }
    })";
  Memory x = Memory::filled({1, 16, 1, 16}, 0);
  std::mt19937 random(3);
  std::uniform_real_distribution<float> distribution(-1, 1);
  for (double &element : x.elements)
    element = distribution(random);
  Memory expected = x;
  for (std::int64_t i = 0; i < 16; ++i)
    for (std::int64_t j = 0; j < 16; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < 16; ++k)
        sum += toBF16(x.elements[i * 16 + k]) * toBF16(x.elements[j * 16 + k]);
      expected.elements[i * 16 + j] = sum;
    }
  EXPECT_LT(worstDifference(run(text, x, {1, 16, 1, 16}), expected), tolerance(1e-15, 1e-6));
}

TEST(TileProgram, BuffersAreReadAndWrittenInProgramOrderAndCopiesHappenWhereTheySay) {
  const std::string text = R"(
    !t = tensor<?x?x1x16xf32>
    !b = !tile.buffer<16x16xf32>
    tile.program @p inputs(%x: !t) results(%y: !t) {
      %one = arith.constant 1 : index
      tile.kernel @k(%x: !t, %y: !t) {
        %c0 = arith.constant 0 : index
        %n = tensor.dim %x, %c0 : !t
        %c1 = arith.constant 1 : index
        %tokens = tensor.dim %x, %c1 : !t
        %rows = tile.range %c0 to %tokens -> !tile.range<16>
        %first = tile.alloc : !b
        %second = tile.alloc : !b
        %none = tile.alloc : !b
        %c100 = arith.constant 100 : index
        %beyond = tile.range %c100 -> !tile.range<16>
        %never = arith.cmpi sgt, %tokens, %c100 : index
        tile.copy %x[%c0, %beyond, %c0], %none where %never : !t, [index, !tile.range<16>, index], !b
        tile.copy %x[%c0, %rows, %c0], %first : !t, [index, !tile.range<16>, index], !b
        tile.copy %x[%c0, %rows, %c0], %second : !t, [index, !tile.range<16>, index], !b
        tile.wait pending 1
        %a = tile.read %first : !b -> tensor<16x16xf32>
        %sum = arith.addf %a, %a : tensor<16x16xf32>
        tile.wait pending 0
        tile.barrier
        tile.write %sum, %first : tensor<16x16xf32>, !b
        %c = tile.read %first : !b -> tensor<16x16xf32>
        %d = tile.read %second : !b -> tensor<16x16xf32>
        %e = arith.addf %c, %d : tensor<16x16xf32>
        %zeros = tile.read %none : !b -> tensor<16x16xf32>
        %g = arith.addf %a, %zeros : tensor<16x16xf32>
        %f = arith.addf %e, %g : tensor<16x16xf32>
        tile.store %f, %y[%c0, %rows, %c0] : tensor<16x16xf32>, !t, [index, !tile.range<16>, index]
      }
      tile.variant as "k" { tile.launch @k grid(%one)(%x, %y : !t, !t) }
    })";
  std::mt19937 random(4);
  Memory x = randomMemory({1, 11, 1, 16}, -1, 1, random);
  Memory expected = x;
  for (double &element : expected.elements)
    element *= 4;
  EXPECT_EQ(run(text, x, x.shape).elements, expected.elements);
}

TEST(TileProgram, BranchesGiveTiles) {
  const std::string text = R"(
    !t = tensor<?x?x1x16xf32>
    tile.program @p inputs(%x: !t) results(%y: !t) {
      %one = arith.constant 1 : index
      tile.kernel @k(%x: !t, %y: !t) {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c3 = arith.constant 3 : index
        %tokens = tensor.dim %x, %c1 : !t
        %rows = tile.range %c0 to %tokens -> !tile.range<8>
        %t = tile.load %x[%c0, %rows, %c0] : !t, [index, !tile.range<8>, index] -> tensor<8x16xf32>
        %long = arith.cmpi ugt, %tokens, %c3 : index
        %m, %v, %n = scf.if %long -> (tensor<8x16xf32>, tensor<8xf32>, index) {
          %sum = tile.reduce add %t over 1 : tensor<8x16xf32> -> tensor<8xf32>
          %twice = arith.addf %t, %t : tensor<8x16xf32>
          scf.yield %twice, %sum, %c1 : tensor<8x16xf32>, tensor<8xf32>, index
        } else {
          %zero = arith.constant dense<0.0> : tensor<8xf32>
          scf.yield %t, %zero, %c0 : tensor<8x16xf32>, tensor<8xf32>, index
        }
        %i = arith.index_cast %n : index to i32
        %f = arith.sitofp %i : i32 to f32
        %fs = tile.broadcast %f : f32 to tensor<8x16xf32>
        %vs = tile.broadcast %v along 0 : tensor<8xf32> to tensor<8x16xf32>
        %a = arith.addf %m, %vs : tensor<8x16xf32>
        %b = arith.addf %a, %fs : tensor<8x16xf32>
        tile.store %b, %y[%c0, %rows, %c0] : tensor<8x16xf32>, !t, [index, !tile.range<8>, index]
      }
      tile.variant as "k" { tile.launch @k grid(%one)(%x, %y : !t, !t) }
    })";
  std::mt19937 random(5);
  for (std::int64_t tokens : {2, 6}) {
    Memory x = randomMemory({1, tokens, 1, 16}, -1, 1, random), expected = x;
    for (std::int64_t t = 0; tokens > 3 && t < tokens; ++t) {
      double sum = 0;
      for (std::int64_t i = 0; i < 16; ++i)
        sum += x.elements[t * 16 + i];
      for (std::int64_t i = 0; i < 16; ++i)
        expected.elements[t * 16 + i] = 2 * x.elements[t * 16 + i] + sum + 1;
    }
    EXPECT_LT(worstDifference(run(text, x, x.shape), expected), tolerance(1e-12, 1e-6)) << tokens;
  }
}

} // namespace
