// Windows, token orders and permutations by the derived kernels, against their definitions, in fp64.
#include "tests/unit/derive_fixture.h"
#include <array>
#include <cmath>

using namespace linmu::test;

namespace {

using Triple = std::array<std::int64_t, 3>;

struct Window {
  Triple window{2, 3, 2}, shift{1, 1, 1};
  bool joined = false;
  bool scored = false; ///< the score becomes 2 s - |x_q - x_k| + head, and -inf between rows and on row 1
  std::vector<std::array<std::int64_t, 4>> items = {{2, 4, 5, 3}, {64, 1, 2, 7}, {80, 3, 3, 2}};
  std::int64_t tokens = 100;
  std::string schedule = "query_block=8";
};

constexpr std::int64_t heads = 4, keyHeads = 2, features = 5, values = 3, batch = 2;
constexpr double scale = 0.75; // exact in f32

std::string triple(const Triple &t) {
  return "[" + std::to_string(t[0]) + ", " + std::to_string(t[1]) + ", " + std::to_string(t[2]) + "]";
}

std::string textOf(const Window &w) {
  std::string types = "tensor<?x?x4x5xf32>, tensor<?x?x2x5xf32>, tensor<?x?x2x3xf32>";
  std::string score = R"( {
    ^bb0(%s: f32, %t: i32, %y: i32, %x: i32, %kt: i32, %ky: i32, %kx: i32, %h: i32):
      %d = arith.subi %x, %kx : i32
      %f = arith.sitofp %d : i32 to f32
      %a = math.absf %f : f32
      %two = arith.constant 2.0 : f32
      %s2 = arith.mulf %s, %two : f32
      %r = arith.subf %s2, %a : f32
      %hf = arith.sitofp %h : i32 to f32
      %all = arith.addf %r, %hf : f32
      %one = arith.constant 1 : i32
      %other = arith.cmpi ne, %y, %ky : i32
      %first = arith.cmpi eq, %y, %one : i32
      %no = arith.ori %other, %first : i1
      %never = arith.constant 0xFF800000 : f32
      %o = arith.select %no, %never, %all : f32
      pattern.yield outputs(%o : f32)
    })";
  return "func.func @f(%q: tensor<?x?x4x5xf32>, %k: tensor<?x?x2x5xf32>, %v: tensor<?x?x2x3xf32>, %m: "
         "tensor<?x4xi32>) -> tensor<?x?x4x3xf32> {\n%o = pattern.window_attention %q, %k, %v media(%m : "
         "tensor<?x4xi32>) window " +
         triple(w.window) + " shift " + triple(w.shift) + " scale 0.75 wrap " +
         (w.joined ? "joined" : "masked") + " : (" + types + ") -> tensor<?x?x4x3xf32>" +
         (w.scored ? score : "") + "\nreturn %o : tensor<?x?x4x3xf32>\n}";
}

struct Place {
  int item = -1;
  Triple coordinate{}, window{};
  std::array<bool, 3> beyond{};
};

/// Where a token stands: by the definition of the shift, one token at a time.
Place placeOf(const Window &w, std::int64_t token) {
  Place place;
  for (size_t i = 0; i < w.items.size(); ++i) {
    auto [first, t, h, x] = w.items[i];
    std::int64_t rest = token - first;
    if (rest < 0 || rest >= t * h * x)
      continue;
    place.item = int(i);
    place.coordinate = {rest / (h * x), rest / x % h, rest % x};
    Triple extents{t, h, x};
    for (int axis = 0; axis < 3; ++axis) {
      std::int64_t shift = extents[axis] <= w.window[axis] ? 0 : w.shift[axis];
      std::int64_t padded = (extents[axis] + w.window[axis] - 1) / w.window[axis] * w.window[axis];
      std::int64_t shifted = (place.coordinate[axis] - shift + padded) % padded;
      place.window[axis] = shifted / w.window[axis];
      place.beyond[axis] = place.coordinate[axis] < shift;
    }
  }
  return place;
}

Memory attention(const Window &w, const Memory &q, const Memory &k, const Memory &v) {
  Memory result = Memory::filled({batch, w.tokens, heads, values}, 0);
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t h = 0; h < heads; ++h)
      for (std::int64_t i = 0; i < w.tokens; ++i) {
        Place query = placeOf(w, i);
        if (query.item < 0)
          continue;
        double total = 0;
        std::vector<double> sums(values);
        for (std::int64_t j = 0; j < w.tokens; ++j) {
          Place key = placeOf(w, j);
          if (key.item != query.item || key.window != query.window ||
              (!w.joined && key.beyond != query.beyond))
            continue;
          if (w.scored && (key.coordinate[1] != query.coordinate[1] || query.coordinate[1] == 1))
            continue;
          double score = 0;
          for (std::int64_t d = 0; d < features; ++d)
            score += q.elements[((b * w.tokens + i) * heads + h) * features + d] *
                     k.elements[((b * w.tokens + j) * keyHeads + h / 2) * features + d];
          score *= scale;
          if (w.scored)
            score = 2 * score - double(std::abs(query.coordinate[2] - key.coordinate[2])) + double(h);
          total += std::exp(score);
          for (std::int64_t d = 0; d < values; ++d)
            sums[d] += std::exp(score) * v.elements[((b * w.tokens + j) * keyHeads + h / 2) * values + d];
        }
        for (std::int64_t d = 0; d < values; ++d)
          result.elements[((b * w.tokens + i) * heads + h) * values + d] = total == 0 ? 0 : sums[d] / total;
      }
  return result;
}

Memory mediaTable(const Window &w) {
  Memory media = Memory::filled({std::int64_t(w.items.size()), 4}, 0);
  for (size_t i = 0; i < w.items.size(); ++i)
    for (size_t column = 0; column < 4; ++column)
      media.elements[4 * i + column] = double(w.items[i][column]);
  return media;
}

void expectToMatch(const Window &w) {
  Derived derived(textOf(w), w.schedule);
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  std::mt19937 random(3);
  Memory q = randomMemory({batch, w.tokens, heads, features}, -1, 1, random),
         k = randomMemory({batch, w.tokens, keyHeads, features}, -1, 1, random),
         v = randomMemory({batch, w.tokens, keyHeads, values}, -1, 1, random);
  Memory media = mediaTable(w), result = Memory::filled({batch, w.tokens, heads, values}, NAN);
  execute(derived, {&q, &k, &v, &media, &result}, batch, w.tokens);
  EXPECT_LT(worstDifference(result, attention(w, q, k, v)), tolerance(1e-12));
}

} // namespace

TEST(DeriveWindow, ShiftedRaggedWindowsOfSeveralItemsMatchTheDefinition) { expectToMatch({}); }
TEST(DeriveWindow, JoinedWrapsMatchTheDefinition) { expectToMatch({.joined = true}); }
TEST(DeriveWindow, UnshiftedWindowsMatchTheDefinition) { expectToMatch({.shift = {0, 0, 0}}); }
TEST(DeriveWindow, ScoreRegionsSeeCoordinatesAndHeadAndForbidPairs) { expectToMatch({.scored = true}); }
TEST(DeriveWindow, BlocksOfKeysMatchTheDefinition) {
  for (bool joined : {false, true})
    for (bool scored : {false, true})
      expectToMatch({.window = {3, 4, 2},
                     .shift = {2, 1, 1},
                     .joined = joined,
                     .scored = scored,
                     .schedule = "query_block=8,key_block=8"});
}
TEST(DeriveWindow, CellsThatFillAWindowAndThoseThatDoNotMatchTheDefinition) {
  // Windows of 120 keys at once, and their ragged ends by 64.
  for (bool joined : {false, true})
    expectToMatch({.window = {2, 10, 6},
                   .shift = {1, 3, 2},
                   .joined = joined,
                   .items = {{3, 3, 13, 9}, {360, 2, 20, 6}},
                   .tokens = 610,
                   .schedule = ""});
}
TEST(DeriveWindow, QueriesOfOneLargeWindowAreSharedByBlocks) {
  expectToMatch({.window = {64, 1024, 1024},
                 .shift = {1, 2, 3},
                 .items = {{1, 5, 6, 7}},
                 .tokens = 213,
                 .schedule = ""});
}
TEST(DeriveWindow, OneWindowOverAWholeGridIsPlainAttention) {
  expectToMatch({.window = {4, 5, 3}, .shift = {1, 2, 1}, .items = {{0, 4, 5, 3}}, .tokens = 60});
}
TEST(DeriveWindow, WindowsLargerThanTheGridAreClamped) {
  expectToMatch({.window = {8, 6, 4}, .shift = {4, 3, 2}, .schedule = ""});
}
TEST(DeriveWindow, SingleTokenWindowsMatchTheDefinition) {
  expectToMatch({.window = {1, 1, 1}, .shift = {0, 0, 0}, .schedule = ""});
}
TEST(DeriveWindow, NoItemsGiveZero) { expectToMatch({.items = {}, .tokens = 13}); }
TEST(DeriveWindow, NoTokensAreNoWork) { expectToMatch({.items = {}, .tokens = 0}); }
TEST(DeriveWindow, ManySmallItemsAreAllServed) {
  expectToMatch(
      {.items = {{0, 1, 1, 1}, {1, 1, 1, 1}, {2, 1, 1, 1}, {3, 1, 1, 1}, {4, 1, 2, 2}}, .tokens = 9});
}
TEST(DeriveWindow, ValuesThatAreNoNumbersReachThoseWhoSeeThemOnly) {
  for (std::string schedule : {"query_block=8", "query_block=8,key_block=8"}) {
    Window w{.scored = true, .schedule = schedule};
    Derived derived(textOf(w), w.schedule);
    ASSERT_TRUE(derived.ok()) << derived.diagnostics();
    std::mt19937 random(3);
    Memory q = randomMemory({batch, w.tokens, heads, features}, -1, 1, random),
           k = randomMemory({batch, w.tokens, keyHeads, features}, -1, 1, random),
           v = randomMemory({batch, w.tokens, keyHeads, values}, -1, 1, random);
    Memory media = mediaTable(w), clean = attention(w, q, k, v),
           result = Memory::filled({batch, w.tokens, heads, values}, NAN);
    // Of sequence 0 a token of text, token (0, 0, 0) of an item, and one of a row that nobody sees.
    const std::int64_t seen = 2, unseen = 2 + 3;
    for (std::int64_t token : {std::int64_t(0), seen, unseen})
      for (std::int64_t d = 0; d < values; ++d)
        v.elements[token * keyHeads * values + d] = std::array<double, values>{NAN, INFINITY, -INFINITY}[d];
    execute(derived, {&q, &k, &v, &media, &result}, batch, w.tokens);
    Place place = placeOf(w, seen);
    for (std::int64_t i = 0; i < w.tokens; ++i) {
      Place other = placeOf(w, i);
      bool sees = other.item == place.item && other.window == place.window && other.beyond == place.beyond &&
                  other.coordinate[1] == 0;
      for (std::int64_t h = 0; h < heads; ++h)
        for (std::int64_t d = 0; d < values; ++d) {
          size_t at = (i * heads + h) * values + d;
          double actual = result.elements[at];
          if (!sees || h >= 2)
            EXPECT_NEAR(actual, clean.elements[at], tolerance(1e-12)) << "token " << i;
          else
            EXPECT_TRUE(d == 0 ? std::isnan(actual) : actual == (d == 1 ? INFINITY : -INFINITY)) << actual;
        }
    }
  }
}
TEST(DeriveWindow, TensorsInAScoreRegionAreRefused) {
  std::string text = textOf({.scored = true});
  text.insert(text.find("pattern.yield"), "%bad = pattern.broadcast %o : f32 to tensor<4xf32>\n");
  Derived derived(text, "");
  EXPECT_FALSE(derived.ok());
  EXPECT_EQ(derived.diagnostics(),
            "'pattern.broadcast' op requires scalars in a score region, got 'tensor<4xf32>'\n");
}

TEST(DeriveOrder, ASymbolicOrderVisitsItsAxesFromMajorToMinorAndLeavesTextInPlace) {
  Window w;
  Derived derived(R"(func.func @f(%x: tensor<?x?x2x3xf32>, %m: tensor<?x4xi32>)
      -> (tensor<?x?xi32>, tensor<?x?x2x3xf32>, tensor<?x?x2x3xf32>) {
    %i = pattern.token_order #pattern.order<x, t, y> media(%m : tensor<?x4xi32>) like %x : tensor<?x?x2x3xf32> -> tensor<?x?xi32>
    %y = pattern.permute %x order(%i : tensor<?x?xi32>) : tensor<?x?x2x3xf32>
    %z = pattern.permute inverse %y order(%i : tensor<?x?xi32>) : tensor<?x?x2x3xf32>
    return %i, %y, %z : tensor<?x?xi32>, tensor<?x?x2x3xf32>, tensor<?x?x2x3xf32>
  })",
                  "");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  std::mt19937 random(5);
  Memory x = randomMemory({1, w.tokens, 2, 3}, -1, 1, random), media = mediaTable(w);
  Memory order = Memory::filled({1, w.tokens}, NAN), y = Memory::filled(x.shape, NAN), z = y;
  execute(derived, {&x, &media, &order, &y, &z}, 1, w.tokens);
  std::vector<double> expected;
  for (std::int64_t i = 0; i < w.tokens; ++i)
    expected.push_back(double(i));
  for (auto [first, t, h, width] : w.items) {
    size_t position = first;
    for (std::int64_t column = 0; column < width; ++column)
      for (std::int64_t frame = 0; frame < t; ++frame)
        for (std::int64_t row = 0; row < h; ++row)
          expected[position++] = double(first + (frame * h + row) * width + column);
  }
  EXPECT_EQ(order.elements, expected);
  for (std::int64_t i = 0; i < w.tokens; ++i)
    for (std::int64_t e = 0; e < 6; ++e)
      EXPECT_EQ(y.elements[i * 6 + e], x.elements[std::int64_t(expected[i]) * 6 + e]);
  EXPECT_EQ(z.elements, x.elements);
}
