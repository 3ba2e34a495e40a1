// scan and map against loops written by hand.
#include "tests/unit/interpreter_fixture.h"
#include <cmath>
#include <cstring>

namespace linmu::test {
namespace {

// fp64 against fp64 in another order of summation.
constexpr double tolerance = 1e-12;

constexpr int B = 2, H = 4, G = 2, K = 3, V = 2, L = 2;

struct Clauses {
  bool reverse, order, segments, sourceMask, outputMask, init;
};

/// A gated recurrence whose values are mixed over three tokens.
std::string recurrence(const Clauses &with) {
  std::string text = R"(
func.func @f(%q: tensor<?x?x4x3xf32>, %k: tensor<?x?x2x3xf32>, %v: tensor<?x?x2x2xf32>, %g: tensor<?x?x4xf32>,
             %scale: tensor<4xf32>, %tail: tensor<?x2x2x2xf32>, %s0: tensor<?x4x3x2xf32>,
             %order: tensor<?x?xi32>, %id: tensor<?x?xi32>, %source: tensor<?x?xi1>, %live: tensor<?x?xi1>)
    -> (tensor<?x?x4x2xf32>, tensor<?x4x3x2xf32>, tensor<?x2x2x2xf32>) {
  %o, %s, %t = pattern.scan )";
  text += with.reverse ? "reverse " : "";
  text += "params(%a = %scale : tensor<4xf32>) tokens(%qt = %q : tensor<?x?x4x3xf32>, %kt = %k : "
          "tensor<?x?x2x3xf32>, %vt = %v tail %tail : tensor<?x?x2x2xf32>, tensor<?x2x2x2xf32>, %gt = %g : "
          "tensor<?x?x4xf32>) states(%S = ";
  text += with.init ? "%s0" : "zero";
  text += " : tensor<?x4x3x2xf32>)";
  text += with.order ? " order(%order : tensor<?x?xi32>)" : "";
  text += with.segments ? " segments(%id : tensor<?x?xi32>)" : "";
  text += with.sourceMask ? " source_mask(%source : tensor<?x?xi1>) zeroes(%kt, %vt)" : "";
  text += with.outputMask ? " output_mask(%live : tensor<?x?xi1>)" : "";
  text += R"( -> (tensor<?x?x4x2xf32>) {
    %d = math.exp %gt : f32
    %D = pattern.broadcast %d : f32 to tensor<3x2xf32>
    %kept = arith.mulf %D, %S : tensor<3x2xf32>
    %v1 = pattern.lag %vt by 1 : tensor<2xf32>
    %v2 = pattern.lag %vt by 2 : tensor<2xf32>
    %mixed1 = arith.addf %vt, %v1 : tensor<2xf32>
    %mixed = arith.subf %mixed1, %v2 : tensor<2xf32>
    %w = pattern.outer %kt, %mixed : tensor<3xf32>, tensor<2xf32>
    %new = arith.addf %kept, %w : tensor<3x2xf32>
    %y = pattern.read %new, %qt : tensor<3x2xf32>, tensor<3xf32>
    %A = pattern.broadcast %a : f32 to tensor<2xf32>
    %z = arith.mulf %y, %A : tensor<2xf32>
    pattern.yield outputs(%z : tensor<2xf32>) states(%new : tensor<3x2xf32>)
  }
  return %o, %s, %t : tensor<?x?x4x2xf32>, tensor<?x4x3x2xf32>, tensor<?x2x2x2xf32>
})";
  return text;
}

std::vector<HostTensor> operands(int N, std::mt19937 &random) {
  HostTensor segments = randomMask({B, N}, random);
  segments.dtype = DType::i32;
  return {randomTensor({B, N, H, K}, -1, 1, random),
          randomTensor({B, N, G, K}, -1, 1, random),
          randomTensor({B, N, G, V}, -1, 1, random),
          randomTensor({B, N, H}, -1, 0, random),
          randomTensor({H}, -2, 2, random),
          randomTensor({B, L, G, V}, -1, 1, random),
          randomTensor({B, H, K, V}, -1, 1, random),
          randomOrder(B, N, random),
          segments,
          randomMask({B, N}, random),
          randomMask({B, N}, random)};
}

/// The same by first listing what each position sees, then looping.
std::vector<HostTensor> byHand(const Clauses &with, const std::vector<HostTensor> &x, int N) {
  const HostTensor &q = x[0], &k = x[1], &v = x[2], &g = x[3], &scale = x[4], &tail = x[5], &s0 = x[6];
  HostTensor o{DType::f32, {B, N, H, V}, std::vector<double>(B * N * H * V)};
  HostTensor s{DType::f32, {B, H, K, V}, std::vector<double>(B * H * K * V)};
  HostTensor t{DType::f32, {B, L, G, V}, {}};
  for (int b = 0; b < B; ++b) {
    std::vector<int> visited;
    for (int p = 0; p < N; ++p)
      visited.push_back(with.order ? int(at(x[7], {b, p})) : p);
    if (with.reverse)
      std::reverse(visited.begin(), visited.end());
    for (int h = 0; h < H; ++h) {
      int group = h < 2 ? 0 : 1;
      // Values with the tail before them; values[L + i] belongs to the i-th visited token.
      std::vector<std::array<double, V>> values;
      for (int l = 0; l < L; ++l)
        values.push_back({at(tail, {b, l, group, 0}), at(tail, {b, l, group, 1})});
      for (int n : visited) {
        double keep = with.sourceMask ? at(x[9], {b, n}) : 1;
        values.push_back({keep * at(v, {b, n, group, 0}), keep * at(v, {b, n, group, 1})});
      }
      double S[K][V];
      for (int i = 0; i < K; ++i)
        for (int j = 0; j < V; ++j)
          S[i][j] = with.init ? at(s0, {b, h, i, j}) : 0;
      for (int i = 0; i < N; ++i) {
        int n = visited[i];
        if (with.segments && i > 0 && at(x[8], {b, n}) != at(x[8], {b, visited[i - 1]}))
          std::memset(S, 0, sizeof S);
        for (int j = 0; j < V; ++j) {
          double w = values[L + i][j] + values[L + i - 1][j] - values[L + i - 2][j], y = 0;
          for (int c = 0; c < K; ++c) {
            double key = at(k, {b, n, group, c}) * (with.sourceMask ? at(x[9], {b, n}) : 1);
            S[c][j] = std::exp(at(g, {b, n, h})) * S[c][j] + key * w;
            y += at(q, {b, n, h, c}) * S[c][j];
          }
          o.elements[((b * N + n) * H + h) * V + j] =
              with.outputMask && !at(x[10], {b, n}) ? 0 : y * at(scale, {h});
        }
      }
      for (int i = 0; i < K; ++i)
        for (int j = 0; j < V; ++j)
          s.elements[((b * H + h) * K + i) * V + j] = S[i][j];
    }
    // The tail as lags read it: what the source mask leaves.
    for (int l = 0; l < L; ++l) {
      int i = int(visited.size()) - L + l;
      for (int group = 0; group < G; ++group)
        for (int j = 0; j < V; ++j)
          t.elements.push_back(i < 0 ? at(tail, {b, L + i, group, j})
                               : with.sourceMask && !at(x[9], {b, visited[i]})
                                   ? 0
                                   : at(v, {b, visited[i], group, j}));
    }
  }
  return {o, s, t};
}

class InterpreterScan : public testing::TestWithParam<int> {};

TEST_P(InterpreterScan, equalsALoopWrittenByHandForEveryCombinationOfClauses) {
  int bits = GetParam();
  Clauses with{(bits & 1) != 0, (bits & 2) != 0,  (bits & 4) != 0,
               (bits & 8) != 0, (bits & 16) != 0, (bits & 32) != 0};
  Parsed pattern(recurrence(with));
  std::mt19937 random(bits);
  for (int N : {0, 1, 2, 9}) {
    auto inputs = operands(N, random);
    auto results = pattern.run(inputs, 1 + bits % 3);
    auto expected = byHand(with, inputs, N);
    ASSERT_EQ(results.size(), 3u);
    EXPECT_LT(worstDifference(results[0], expected[0]), tolerance) << "outputs, N = " << N;
    EXPECT_LT(worstDifference(results[1], expected[1]), tolerance) << "states, N = " << N;
    EXPECT_LT(worstDifference(results[2], expected[2]), tolerance) << "tails, N = " << N;
  }
}
INSTANTIATE_TEST_SUITE_P(Clauses, InterpreterScan, testing::Range(0, 64));

/// Tokens [begin, end) of [B, N, ...].
HostTensor slice(const HostTensor &tensor, std::int64_t begin, std::int64_t end) {
  HostTensor result = tensor;
  result.shape[1] = end - begin;
  result.elements.clear();
  std::int64_t row =
      tensor.shape[0] * tensor.shape[1] ? tensor.elements.size() / (tensor.shape[0] * tensor.shape[1]) : 0;
  for (std::int64_t b = 0; b < tensor.shape[0]; ++b)
    result.elements.insert(result.elements.end(),
                           tensor.elements.begin() + (b * tensor.shape[1] + begin) * row,
                           tensor.elements.begin() + (b * tensor.shape[1] + end) * row);
  return result;
}

constexpr const char *convolution = R"(
func.func @convolution(%x: tensor<?x?x3x4xbf16>, %w: tensor<3x4xf32>, %tail: tensor<?x3x3x4xbf16>)
    -> (tensor<?x?x3x4xbf16>, tensor<?x3x3x4xbf16>) {
  %y, %t = pattern.map params(%wt = %w : tensor<3x4xf32>)
      tokens(%xt = %x tail %tail : tensor<?x?x3x4xbf16>, tensor<?x3x3x4xbf16>) -> (tensor<?x?x3x4xbf16>) {
    %x1 = pattern.lag %xt by 1 : tensor<4xf32>
    %x3 = pattern.lag %xt by 3 : tensor<4xf32>
    %p = arith.mulf %x1, %wt : tensor<4xf32>
    %s = arith.addf %p, %x3 : tensor<4xf32>
    %z = arith.addf %xt, %s : tensor<4xf32>
    pattern.yield outputs(%z : tensor<4xf32>)
  }
  return %y, %t : tensor<?x?x3x4xbf16>, tensor<?x3x3x4xbf16>
})";

TEST(InterpreterMap, aConvolutionInTwoCallsWithItsTailEqualsOneCall) {
  std::mt19937 random(3);
  Parsed pattern(convolution);
  HostTensor x = randomTensor({2, 8, 3, 4}, -1, 1, random), w = randomTensor({3, 4}, -1, 1, random),
             tail = randomTensor({2, 3, 3, 4}, -1, 1, random);
  x.dtype = tail.dtype = DType::bf16;
  auto whole = pattern.run({x, w, tail});
  for (int cut = 0; cut <= 8; ++cut) {
    auto first = pattern.run({slice(x, 0, cut), w, tail});
    auto second = pattern.run({slice(x, cut, 8), w, first.at(1)});
    EXPECT_EQ(worstDifference(first[0], slice(whole.at(0), 0, cut)), 0);
    EXPECT_EQ(worstDifference(second.at(0), slice(whole[0], cut, 8)), 0);
    EXPECT_EQ(worstDifference(second[1], whole[1]), 0);
  }
}

TEST(InterpreterMap, aConvolutionEqualsItsFormula) {
  std::mt19937 random(4);
  Parsed pattern(convolution);
  HostTensor x = randomTensor({1, 6, 3, 4}, -1, 1, random), w = randomTensor({3, 4}, -1, 1, random),
             tail = randomTensor({1, 3, 3, 4}, -1, 1, random);
  x.dtype = tail.dtype = DType::bf16;
  auto y = pattern.run({x, w, tail}).at(0);
  for (int n = 0; n < 6; ++n)
    for (int h = 0; h < 3; ++h)
      for (int c = 0; c < 4; ++c) {
        auto before = [&](int lag) {
          return n >= lag ? at(x, {0, n - lag, h, c}) : at(tail, {0, 3 + n - lag, h, c});
        };
        EXPECT_NEAR(at(y, {0, n, h, c}), before(0) + at(w, {h, c}) * before(1) + before(3), tolerance);
      }
}

TEST(InterpreterMap, aLagBeforeTheFirstTokenReadsOtherwiseOrZero) {
  Parsed pattern(R"(
func.func @f(%x: tensor<?x?x1xi32>) -> tensor<?x?x1xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x1xi32>) -> (tensor<?x?x1xf32>) {
    %a = pattern.lag %xt by 1 otherwise %xt : i32 : i32
    %b = pattern.lag %xt by 2 : i32
    %s = arith.addi %a, %b : i32
    %f = arith.sitofp %s : i32 to f32
    pattern.yield outputs(%f : f32)
  }
  return %y : tensor<?x?x1xf32>
})");
  auto y = pattern.run({{DType::i32, {1, 4, 1}, {5, 7, 11, 13}}}).at(0);
  EXPECT_EQ(y.elements, (std::vector<double>{5, 5, 7 + 5, 11 + 7}));
}

TEST(InterpreterScan, statesThatSwapAreReadBeforeEitherIsWritten) {
  Parsed pattern(R"(
func.func @f(%x: tensor<?x?x1xf32>, %a: tensor<?x1xf32>, %b: tensor<?x1xf32>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %p, %q = pattern.scan tokens(%xt = %x : tensor<?x?x1xf32>)
      states(%s = %a : tensor<?x1xf32>, %t = %b : tensor<?x1xf32>) {
    %n = arith.addf %s, %xt : f32
    pattern.yield states(%t, %n : f32, f32)
  }
  return %p, %q : tensor<?x1xf32>, tensor<?x1xf32>
})");
  auto results = pattern.run(
      {{DType::f32, {1, 3, 1}, {1, 2, 4}}, {DType::f32, {1, 1}, {10}}, {DType::f32, {1, 1}, {20}}});
  // (10, 20) -> (20, 11) -> (11, 22) -> (22, 15)
  EXPECT_EQ(results.at(0).elements, std::vector<double>{22});
  EXPECT_EQ(results.at(1).elements, std::vector<double>{15});
}

TEST(InterpreterScan, aBatchOfOneStandsForEverySequence) {
  std::mt19937 random(5);
  Clauses with{false, true, true, true, true, true};
  Parsed pattern(recurrence(with));
  auto inputs = operands(5, random);
  auto shared = inputs;
  for (HostTensor &tensor : shared) {
    if (tensor.shape.size() < 2 || &tensor == &shared[0])
      continue;
    tensor.shape[0] = 1;
    tensor.elements.resize(tensor.elements.size() / B);
  }
  auto repeated = shared;
  for (std::size_t i = 0; i < repeated.size(); ++i)
    if (repeated[i].shape[0] == 1) {
      repeated[i].shape[0] = B;
      repeated[i].elements.insert(repeated[i].elements.end(), shared[i].elements.begin(),
                                  shared[i].elements.end());
    }
  auto a = pattern.run(shared), b = pattern.run(repeated);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(worstDifference(a.at(i), b.at(i)), 0);
}

TEST(InterpreterErrors, aViolatedAssumeNamesTheOpThePlaceAndTheValue) {
  Parsed pattern(R"(func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %y = pattern.map tokens(%xt = %x : tensor<?x?x2xf32>) -> (tensor<?x?x2xf32>) {
    %a = pattern.assume %xt in [0.0, 1.0] : f32
    pattern.yield outputs(%a : f32)
  }
  return %y : tensor<?x?x2xf32>
})");
  EXPECT_EQ(
      pattern.fail({{DType::f32, {1, 3, 2}, {0, 1, 0.5, 0.5, 0.25, 1.5}}}),
      "test.mlir:3:10: error: 'pattern.assume' op requires a value in [0.000000e+00, 1.000000e+00], got "
      "1.500000e+00 at sequence 0, token 2, head 1\n");
  EXPECT_NE(pattern.fail({{DType::f32, {1, 1, 2}, {0, NAN}}}).find("got nan"), std::string::npos);
}

TEST(InterpreterErrors, operandsThatDoNotFitAreNamedWithExpectedAndActual) {
  Parsed pattern(convolution);
  HostTensor x{DType::bf16, {2, 5, 3, 4}, std::vector<double>(120)},
      w{DType::f32, {3, 4}, std::vector<double>(12)},
      tail{DType::bf16, {2, 3, 3, 4}, std::vector<double>(72)};
  EXPECT_EQ(pattern.fail({x, w}), "test.mlir:2:1: error: pattern 'convolution': expected 3 inputs, got 2\n");
  HostTensor wrong = x;
  wrong.dtype = DType::f32;
  EXPECT_EQ(pattern.fail({wrong, w, tail}),
            "test.mlir:2:1: error: operand 'x' of pattern 'convolution': expected dtype bf16, got f32\n");
  wrong = tail;
  wrong.shape[0] = 3;
  wrong.elements.resize(108);
  EXPECT_EQ(pattern.fail({x, w, wrong}),
            "test.mlir:2:1: error: operand 'tail' of pattern 'convolution': expected "
            "shape [B=2, 3, 3, 4], got [3, 3, 3, 4]\n");
  wrong.elements.pop_back();
  EXPECT_EQ(pattern.fail({x, w, wrong}),
            "test.mlir:2:1: error: requires 108 elements of operand #2, got 107\n");
  wrong.shape.assign(7, 1);
  EXPECT_EQ(pattern.fail({x, w, wrong}),
            "test.mlir:2:1: error: requires operand #2 to have rank 6 at most, got rank 7\n");
}

TEST(InterpreterErrors, anOrderThatIsNoPermutationIsRefused) {
  Clauses with{false, true, false, false, false, false};
  Parsed pattern(recurrence(with));
  std::mt19937 random(6);
  auto inputs = operands(3, random);
  inputs[7].elements = {0, 1, 2, 2, 0, 2};
  EXPECT_NE(pattern.fail(inputs).find(
                "requires order to hold each token of 0 to 2 once, got 2 again at position 2 of "
                "sequence 1"),
            std::string::npos);
}

} // namespace
} // namespace linmu::test
