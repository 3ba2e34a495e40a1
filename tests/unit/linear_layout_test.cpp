// Layouts as linear maps, against their tables.
#include "random_layouts.h"
#include <gtest/gtest.h>
#include <map>

namespace linmu::cuda {
namespace {

TEST(LinearLayout, ImagesAreSumsOfTheImagesOfBits) {
  LinearLayout layout({{"lane", 2}, {"warp", 1}}, {{"dim0", 2}, {"dim1", 2}}, {0b0001, 0b0110, 0b1101});
  EXPECT_EQ(layout(llvm::ArrayRef<std::int64_t>{3, 0}), (llvm::SmallVector<std::int64_t>{3, 1}));
  EXPECT_EQ(layout(llvm::ArrayRef<std::int64_t>{1, 1}), (llvm::SmallVector<std::int64_t>{0, 3}));
  EXPECT_EQ(layout.str(), "lane = [[1, 0], [2, 1]], warp = [[1, 3]] -> dim0: 4, dim1: 4");
}

TEST(LinearLayout, ComposesAsItsTableDoes) {
  Random random(1);
  for (int round = 0; round < 100; ++round) {
    LinearLayout before = randomLayout(random, {{"a", 3}, {"b", 2}}, {{"x", 2}, {"y", 4}});
    LinearLayout after = randomLayout(random, {{"y", 4}, {"x", 2}}, {{"u", 5}});
    LinearLayout both = compose(after, before);
    for (std::int64_t a = 0; a < 8; ++a)
      for (std::int64_t b = 0; b < 4; ++b) {
        auto middle = before(llvm::ArrayRef<std::int64_t>{a, b});
        EXPECT_EQ(both(llvm::ArrayRef<std::int64_t>{a, b}),
                  after(llvm::ArrayRef<std::int64_t>{middle[1], middle[0]}));
      }
  }
}

TEST(LinearLayout, ProductsGiveTheFirstTheLowBits) {
  Random random(2);
  for (int round = 0; round < 100; ++round) {
    LinearLayout low = randomLayout(random, {{"a", 2}, {"b", 1}}, {{"x", 2}, {"y", 1}});
    LinearLayout high = randomLayout(random, {{"c", 1}, {"a", 2}}, {{"z", 2}, {"x", 1}});
    LinearLayout product = productOf(low, high);
    for (std::int64_t a = 0; a < 16; ++a)
      for (std::int64_t b = 0; b < 2; ++b)
        for (std::int64_t c = 0; c < 2; ++c) {
          auto l = low(llvm::ArrayRef<std::int64_t>{a % 4, b});
          auto h = high(llvm::ArrayRef<std::int64_t>{c, a / 4});
          // Outputs: x of both, y of the first, z of the second.
          EXPECT_EQ(product(llvm::ArrayRef<std::int64_t>{a, b, c}),
                    (llvm::SmallVector<std::int64_t>{l[0] + 4 * h[1], l[1], h[0]}));
        }
  }
}

TEST(LinearLayout, RankCountsImages) {
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    LinearLayout layout = randomLayout(random, {{"a", 4}, {"b", 3}}, {{"x", 3}, {"y", 3}});
    std::vector<std::uint64_t> table = tableOf(layout);
    std::sort(table.begin(), table.end());
    std::size_t distinct = static_cast<std::size_t>(std::unique(table.begin(), table.end()) - table.begin());
    EXPECT_EQ(std::size_t(1) << layout.rank(), distinct);
    EXPECT_EQ(layout.isSurjective(), distinct == 64);
    EXPECT_EQ(layout.isInjective(), distinct == 128);
  }
}

TEST(LinearLayout, SolvesExactlyWhatItReaches) {
  Random random(4);
  int solved = 0;
  for (int round = 0; round < 400; ++round) {
    LinearLayout layout = randomLayout(random, {{"a", 3}, {"b", 3}}, {{"x", 3}, {"y", 2}});
    LinearLayout target = randomLayout(random, {{"t", 2}}, {{"y", 2}, {"x", 3}});
    std::vector<std::uint64_t> reached = tableOf(layout);
    bool all = true;
    for (std::int64_t t = 0; t < 4; ++t) {
      auto wanted = target(llvm::ArrayRef<std::int64_t>{t});
      std::uint64_t word = static_cast<std::uint64_t>(wanted[1] + 8 * wanted[0]);
      all = all && std::find(reached.begin(), reached.end(), word) != reached.end();
    }
    std::optional<LinearLayout> solution = solve(layout, target);
    ASSERT_EQ(solution.has_value(), all);
    if (!solution)
      continue;
    ++solved;
    for (std::uint64_t t = 0; t < 4; ++t)
      EXPECT_EQ(compose(layout, *solution)(t), target.orderOuts({"x", "y"})(t));
  }
  EXPECT_GT(solved, 50);
  EXPECT_LT(solved, 390);
}

TEST(LinearLayout, InvertsWhatIsOnto) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    bool broadcasts = round % 2 == 0;
    LinearLayout layout =
        randomOnto(random, {{"a", broadcasts ? 5U : 3U}, {"b", 3}}, {{"x", 4}, {"y", 2}}, round % 3 != 0);
    ASSERT_TRUE(layout.isSurjective());
    std::optional<LinearLayout> inverse = inverseOf(layout);
    ASSERT_TRUE(inverse);
    for (std::uint64_t out = 0; out < 64; ++out)
      EXPECT_EQ(layout((*inverse)(out)), out);
    if (!broadcasts)
      for (std::uint64_t in = 0; in < 64; ++in)
        EXPECT_EQ((*inverse)(layout(in)), in);
  }
  EXPECT_FALSE(inverseOf(LinearLayout({{"a", 2}}, {{"x", 2}}, {1, 1})));
}

TEST(LinearLayout, PrefersInputsThatComeFirst) {
  LinearLayout repeated({{"register", 1}, {"lane", 1}, {"warp", 1}}, {{"x", 1}}, {0, 1, 1});
  EXPECT_EQ((*inverseOf(repeated))(1), 0b010U);
}

TEST(LinearLayout, OrdersAndPermutesBits) {
  Random random(6);
  for (int round = 0; round < 50; ++round) {
    LinearLayout layout = randomLayout(random, {{"a", 3}, {"b", 2}}, {{"x", 2}, {"y", 3}});
    LinearLayout ordered = layout.orderIns({"b", "a"}).orderOuts({"y", "x"});
    LinearLayout permuted = permuteBits(layout, "a", {2, 0, 1});
    for (std::int64_t a = 0; a < 8; ++a)
      for (std::int64_t b = 0; b < 4; ++b) {
        auto image = layout(llvm::ArrayRef<std::int64_t>{a, b});
        EXPECT_EQ(ordered(llvm::ArrayRef<std::int64_t>{b, a}),
                  (llvm::SmallVector<std::int64_t>{image[1], image[0]}));
        // Bit 0 of the permuted `a` is bit 2 of the old one, and so on.
        std::int64_t old = (a & 1) << 2 | (a >> 1 & 1) | (a >> 2 & 1) << 1;
        EXPECT_EQ(permuted(llvm::ArrayRef<std::int64_t>{a, b}), layout(llvm::ArrayRef<std::int64_t>{old, b}));
      }
  }
}

TEST(LinearLayout, EqualLayoutsHashAlike) {
  Random random(7);
  LinearLayout layout = randomLayout(random, {{"a", 3}}, {{"x", 3}});
  LinearLayout same = layout, renamed = layout.renameIn("a", "b");
  EXPECT_EQ(layout, same);
  EXPECT_EQ(hash_value(layout), hash_value(same));
  EXPECT_NE(layout, renamed);
  EXPECT_EQ(renamed.renameIn("b", "a"), layout);
  EXPECT_NE(layout.renameOut("x", "y"), layout);
}

TEST(Span, FindsDependences) {
  Span span;
  EXPECT_FALSE(span.add(0b011));
  EXPECT_FALSE(span.add(0b110));
  EXPECT_EQ(span.add(0b101), 0b111U);
  EXPECT_EQ(span.combinationOf(0b101), 0b011U);
  EXPECT_FALSE(span.contains(0b001));
  EXPECT_EQ(span.rank(), 2U);
}

} // namespace
} // namespace linmu::cuda
