// token_order, permute and window_attention against formulas written by hand.
#include "tests/unit/interpreter_fixture.h"
#include <cmath>

namespace linmu::test {
namespace {

constexpr double tolerance = 1e-12;

//===------------------------------------------------------------------------------------------------===//
// token_order, permute
//===------------------------------------------------------------------------------------------------===//

std::string orderText(const std::string &axes) {
  return "func.func @f(%x: tensor<?x?x1xf32>, %m: tensor<?x4xi32>) -> (tensor<?x?xi32>, tensor<?x?x1xf32>, "
         "tensor<?x?x1xf32>) {\n  %i = pattern.token_order #pattern.order<" +
         axes + R"(> media(%m : tensor<?x4xi32>) like %x : tensor<?x?x1xf32> -> tensor<?x?xi32>
  %y = pattern.permute %x order(%i : tensor<?x?xi32>) : tensor<?x?x1xf32>
  %z = pattern.permute inverse %y order(%i : tensor<?x?xi32>) : tensor<?x?x1xf32>
  return %i, %y, %z : tensor<?x?xi32>, tensor<?x?x1xf32>, tensor<?x?x1xf32>
})";
}

struct NamedOrder {
  const char *axes;
  /// The index n_l of token (t, y, x) in the order of layer l (the paper's section 3.1.1).
  int (*index)(int t, int y, int x, int T, int H, int W);
};
const NamedOrder orders[] = {
    {"t, y, x", [](int t, int y, int x, int T, int H, int W) { return t * (H * W) + y * W + x; }},
    {"t, x, y", [](int t, int y, int x, int T, int H, int W) { return t * (H * W) + x * H + y; }},
    {"y, x, t", [](int t, int y, int x, int T, int H, int W) { return y * (T * W) + x * T + t; }},
    {"x, y, t", [](int t, int y, int x, int T, int H, int W) { return x * (T * H) + y * T + t; }},
};

class InterpreterOrder : public testing::TestWithParam<NamedOrder> {};

TEST_P(InterpreterOrder, equalsTheFormulaInsideItemsAndLeavesTextInPlace) {
  // Text, a video, text, an image, an empty row, text.
  const std::vector<std::array<int, 4>> rows = {{2, 3, 2, 4}, {27, 1, 3, 5}, {0, 0, 0, 0}};
  const int N = 44;
  std::mt19937 random(1);
  HostTensor x = randomTensor({2, N, 1}, -1, 1, random);
  Parsed pattern(orderText(GetParam().axes));
  auto results = pattern.run({x, mediaTable(rows)});
  std::vector<double> expected(N);
  for (int n = 0; n < N; ++n)
    expected[n] = n;
  for (auto [first, T, H, W] : rows)
    for (int t = 0; t < T; ++t)
      for (int y = 0; y < H; ++y)
        for (int col = 0; col < W; ++col)
          expected[first + GetParam().index(t, y, col, T, H, W)] = first + (t * H + y) * W + col;
  for (int b = 0; b < 2; ++b)
    for (int p = 0; p < N; ++p) {
      EXPECT_EQ(at(results.at(0), {b, p}), expected[p]);
      EXPECT_EQ(at(results.at(1), {b, p, 0}), at(x, {b, int(expected[p]), 0}));
    }
  EXPECT_EQ(worstDifference(results.at(2), x), 0);
}
INSTANTIATE_TEST_SUITE_P(FourOrders, InterpreterOrder, testing::ValuesIn(orders));

TEST(InterpreterErrors, mediaItemsOutsideTheSequenceOrOverEachOtherAreRefused) {
  Parsed pattern(orderText("t, y, x"));
  HostTensor x{DType::f32, {1, 10, 1}, std::vector<double>(10)};
  EXPECT_NE(pattern.fail({x, mediaTable({{4, 1, 3, 3}})})
                .find("requires media items inside the 10 tokens, got tokens [4, 13) in row 0"),
            std::string::npos);
  EXPECT_NE(pattern.fail({x, mediaTable({{0, 1, 2, 3}, {5, 1, 2, 2}})})
                .find("requires media items that do not overlap, got token 5 in rows 0 and 1"),
            std::string::npos);
  EXPECT_NE(pattern.fail({x, mediaTable({{0, 1, -2, 3}})})
                .find("requires extents of at least 0 in the media table, got (1, -2, 3) in row 0"),
            std::string::npos);
}

//===------------------------------------------------------------------------------------------------===//
// window_attention
//===------------------------------------------------------------------------------------------------===//

struct WindowCase {
  std::array<int, 3> window, shift;
  bool joined, score;
};

std::string windowText(const WindowCase &with) {
  auto triple = [](std::array<int, 3> a) {
    return "[" + std::to_string(a[0]) + ", " + std::to_string(a[1]) + ", " + std::to_string(a[2]) + "]";
  };
  std::string text = R"(
func.func @f(%q: tensor<?x?x4x3xf32>, %k: tensor<?x?x2x3xf32>, %v: tensor<?x?x2x5xf32>, %m: tensor<?x4xi32>)
    -> tensor<?x?x4x5xf32> {
  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window )";
  text += triple(with.window) + " shift " + triple(with.shift) + " scale 0.7 wrap " +
          (with.joined ? "joined" : "masked");
  text += " : (tensor<?x?x4x3xf32>, tensor<?x?x2x3xf32>, tensor<?x?x2x5xf32>) -> tensor<?x?x4x5xf32>";
  if (with.score)
    text += R"( {
  ^bb0(%s: f32, %qt: i32, %qy: i32, %qx: i32, %kt: i32, %ky: i32, %kx: i32, %h: i32):
    %d = arith.subi %qx, %kx : i32
    %e = arith.addi %d, %h : i32
    %f = arith.sitofp %e : i32 to f32
    %c = arith.constant 0.125 : f32
    %g = arith.mulf %f, %c : f32
    %r = arith.subf %s, %g : f32
    pattern.yield outputs(%r : f32)
  })";
  return text + "\n  return %o : tensor<?x?x4x5xf32>\n}";
}

/// Pair by pair: two tokens meet if they fall into the same window on every axis of the padded grid and,
/// unless joined, stand on the same side of every wrap.
bool meet(int a, int b, int extent, int window, int shift, bool joined) {
  if (extent <= window)
    return true;
  int padded = extent;
  while (padded % window)
    ++padded;
  auto rolled = [&](int c) { return c >= shift ? c - shift : c - shift + padded; };
  return rolled(a) / window == rolled(b) / window && (joined || (a < shift) == (b < shift));
}

class InterpreterWindow : public testing::TestWithParam<WindowCase> {};

TEST_P(InterpreterWindow, equalsPairByPairAttentionOverShiftedRaggedWindowsOfSeveralItems) {
  const WindowCase &with = GetParam();
  const std::vector<std::array<int, 4>> rows = {{30, 1, 3, 5}, {1, 4, 2, 3}};
  const int N = 47;
  std::mt19937 random(2);
  HostTensor q = randomTensor({2, N, 4, 3}, -1, 1, random), k = randomTensor({2, N, 2, 3}, -1, 1, random),
             v = randomTensor({2, N, 2, 5}, -1, 1, random);
  Parsed pattern(windowText(with));
  auto o = pattern.run({q, k, v, mediaTable(rows)}, 2).at(0);
  HostTensor expected{DType::f32, {2, N, 4, 5}, std::vector<double>(2 * N * 4 * 5, 0)};
  for (auto [first, T, H, W] : rows)
    for (int a = 0; a < T * H * W; ++a)
      for (int b = 0; b < 2; ++b)
        for (int h = 0; h < 4; ++h) {
          int at_[3] = {a / (H * W), a / W % H, a % W}, extents[3] = {T, H, W};
          double total = 0, sum[5] = {};
          for (int c = 0; c < T * H * W; ++c) {
            int ct[3] = {c / (H * W), c / W % H, c % W};
            bool together = true;
            for (int axis = 0; axis < 3; ++axis)
              together &=
                  meet(at_[axis], ct[axis], extents[axis], with.window[axis], with.shift[axis], with.joined);
            if (!together)
              continue;
            double score = 0;
            for (int i = 0; i < 3; ++i)
              score += 0.7 * at(q, {b, first + a, h, i}) * at(k, {b, first + c, h / 2, i});
            if (with.score)
              score -= 0.125 * (at_[2] - ct[2] + h);
            total += std::exp(score);
            for (int i = 0; i < 5; ++i)
              sum[i] += std::exp(score) * at(v, {b, first + c, h / 2, i});
          }
          for (int i = 0; i < 5; ++i)
            expected.elements[((b * N + first + a) * 4 + h) * 5 + i] = sum[i] / total;
        }
  EXPECT_LT(worstDifference(o, expected), tolerance);
}
INSTANTIATE_TEST_SUITE_P(Windows, InterpreterWindow,
                         testing::Values(WindowCase{{2, 2, 2}, {0, 0, 0}, false, false},
                                         WindowCase{{2, 2, 2}, {1, 1, 1}, false, false},
                                         WindowCase{{2, 2, 2}, {1, 1, 1}, true, false},
                                         WindowCase{{3, 2, 4}, {2, 1, 3}, false, true},
                                         WindowCase{{4, 3, 2}, {1, 2, 1}, true, true},
                                         WindowCase{{3, 2, 4}, {2, 1, 3}, true, false},
                                         WindowCase{{16, 4, 4}, {8, 2, 2}, false, false},
                                         WindowCase{{1, 1, 1}, {0, 0, 0}, false, false}));

TEST(InterpreterWindow, tokensOutsideItemsGetZero) {
  Parsed pattern(windowText({{2, 2, 2}, {0, 0, 0}, false, false}));
  std::mt19937 random(7);
  auto o = pattern
               .run({randomTensor({1, 3, 4, 3}, -1, 1, random), randomTensor({1, 3, 2, 3}, -1, 1, random),
                     randomTensor({1, 3, 2, 5}, -1, 1, random), mediaTable({})})
               .at(0);
  EXPECT_EQ(o.elements, std::vector<double>(60, 0));
}

} // namespace
} // namespace linmu::test
