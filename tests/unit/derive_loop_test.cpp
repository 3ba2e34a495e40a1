// Maps and opaque scans, against loops written out; and what derivation refuses.
#include "tests/unit/derive_fixture.h"
#include <cmath>

using namespace linmu::test;

namespace {

// A gated short convolution: y = x w + lag(x, 1) with softplus and sigmoid of inner products.
const char *convolution = R"(
!x = tensor<?x?x4x6xbf16>
!tail = tensor<?x2x4x6xbf16>
func.func @f(%x: !x, %s: tensor<?x?x2xf32>, %w: tensor<1x6xf32>, %t: !tail) -> (!x, !tail) {
  %y, %ft = pattern.map reverse params(%wt = %w : tensor<1x6xf32>)
      tokens(%xt = %x tail %t : !x, !tail, %st = %s : tensor<?x?x2xf32>) -> (!x) {
    %p = arith.mulf %xt, %wt : tensor<6xf32>
    %before = pattern.lag %xt by 1 : tensor<6xf32>
    %far = pattern.lag %st by 3 otherwise %st : f32 : f32
    %d = pattern.dot %before, %p : tensor<6xf32>
    %e = pattern.softplus %d : f32
    %total = pattern.sum %xt over 0 : tensor<6xf32>
    %g = pattern.sigmoid %total : f32
    %zero = arith.constant 0.0 : f32
    %c = arith.cmpf ogt, %far, %zero : f32
    %f = arith.select %c, %e, %g : f32
    %spread = pattern.broadcast %f : f32 to tensor<6xf32>
    %q = arith.addf %p, %spread : tensor<6xf32>
    %y = arith.select %c, %q, %wt : tensor<6xf32>
    pattern.yield outputs(%y : tensor<6xf32>)
  }
  return %y, %ft : !x, !tail
})";

void expectConvolution(const std::string &schedule, std::int64_t tokens, const std::string &algorithm) {
  constexpr std::int64_t batch = 2, heads = 4, size = 6;
  Derived derived(convolution, schedule);
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  EXPECT_EQ(linmu::interpreter::algorithmFor(derived.program(), {.tokens = tokens}), algorithm);
  std::mt19937 random(11);
  Memory x = randomMemory({batch, tokens, heads, size}, -1, 1, random);
  Memory s = randomMemory({batch, tokens, 2}, -1, 1, random), w = randomMemory({1, size}, -1, 1, random);
  Memory tail = randomMemory({batch, 2, heads, size}, -1, 1, random);
  Memory y = Memory::filled(x.shape, NAN), finalTail = Memory::filled(tail.shape, NAN);
  execute(derived, {&x, &s, &w, &tail, &y, &finalTail}, batch, tokens);

  Memory expected = y, expectedTail = finalTail;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t h = 0; h < heads; ++h) {
      auto at = [&](std::int64_t p, std::int64_t i) {
        return p >= 0 ? x.elements[((b * tokens + tokens - 1 - p) * heads + h) * size + i]
                      : tail.elements[((b * 2 + 2 + p) * heads + h) * size + i];
      };
      for (std::int64_t p = 0; p < tokens; ++p) {
        double dot = 0, total = 0;
        for (std::int64_t i = 0; i < size; ++i) {
          dot += at(p - 1, i) * at(p, i) * w.elements[i];
          total += at(p, i);
        }
        std::int64_t row = tokens - 1 - (p >= 3 ? p - 3 : p);
        bool condition = s.elements[(b * tokens + row) * 2 + h / 2] > 0;
        double f = condition ? std::log(1 + std::exp(dot)) : 1 / (1 + std::exp(-total));
        for (std::int64_t i = 0; i < size; ++i)
          expected.elements[((b * tokens + tokens - 1 - p) * heads + h) * size + i] =
              condition ? at(p, i) * w.elements[i] + f : w.elements[i];
      }
      for (std::int64_t j = 0; j < 2; ++j)
        for (std::int64_t i = 0; i < size; ++i)
          expectedTail.elements[((b * 2 + j) * heads + h) * size + i] = at(tokens - 2 + j, i);
    }
  // The output is bf16, with 8 bits of precision; the interpreter rounds where the program does.
  for (double &element : expected.elements)
    element = toBF16(element);
  EXPECT_LT(worstDifference(y, expected), tolerance(1e-12, 4e-3));
  EXPECT_EQ(finalTail.elements, expectedTail.elements);
}

} // namespace

TEST(DeriveMap, BlocksOfTokensMatchTheLoop) {
  for (std::int64_t tokens : {0, 1, 8, 9, 40})
    expectConvolution("map_block=8,recurrent_below=0", tokens, "map(block=8)");
}
TEST(DeriveMap, TokenByTokenMatchesTheLoop) {
  for (std::int64_t tokens : {0, 1, 8, 40})
    expectConvolution("algorithm=recurrent,map_block=8", tokens, "map");
}
TEST(DeriveMap, ShortSequencesRunTokenByToken) { expectConvolution("", 7, "map"); }

// A matrix for each token has no form on several tokens at once; a parameter's matrix is a product.
TEST(DeriveMap, AMatrixForEachTokenRunsTokenByToken) {
  const char *text = R"(
func.func @f(%x: tensor<?x?x1x3xf32>, %w: tensor<1x3x2xf32>) -> (tensor<?x?x1x2xf32>) {
  %y = pattern.map params(%wt = %w : tensor<1x3x2xf32>) tokens(%xt = %x : tensor<?x?x1x3xf32>)
      -> (tensor<?x?x1x2xf32>) {
    %a = pattern.read %wt, %xt : tensor<3x2xf32>, tensor<3xf32>
    MATRIX
    pattern.yield outputs(%b : tensor<2xf32>)
  }
  return %y : tensor<?x?x1x2xf32>
})";
  auto withMatrix = [&](const std::string &line) {
    std::string result = text;
    return result.replace(result.find("MATRIX"), 6, line);
  };
  std::string sequential = withMatrix("%m = pattern.outer %xt, %a : tensor<3xf32>, tensor<2xf32>\n"
                                      "%b = pattern.read %m, %xt : tensor<3x2xf32>, tensor<3xf32>");
  std::string parallel = withMatrix("%b = arith.addf %a, %a : tensor<2xf32>");
  for (bool together : {false, true}) {
    Derived derived(together ? parallel : sequential, "");
    ASSERT_TRUE(derived.ok()) << derived.diagnostics();
    EXPECT_EQ(linmu::interpreter::algorithmFor(derived.program(), {.tokens = 100}),
              together ? "map(block=32)" : "map");
    std::mt19937 random(1);
    Memory x = randomMemory({1, 50, 1, 3}, -1, 1, random), w = randomMemory({1, 3, 2}, -1, 1, random);
    Memory y = Memory::filled({1, 50, 1, 2}, NAN), expected = y;
    execute(derived, {&x, &w, &y}, 1, 50);
    for (int t = 0; t < 50; ++t)
      for (int j = 0; j < 2; ++j) {
        double a = 0, square = 0;
        for (int i = 0; i < 3; ++i) {
          a += x.elements[3 * t + i] * w.elements[2 * i + j];
          square += x.elements[3 * t + i] * x.elements[3 * t + i];
        }
        expected.elements[2 * t + j] = together ? 2 * a : a * square;
      }
    EXPECT_LT(worstDifference(y, expected), tolerance(1e-12));
  }
}

// Masks and segment ids are token operands without heads.
TEST(DeriveMap, BooleansAndIdsWithoutHeadsAreRead) {
  Derived derived(R"(
!x = tensor<?x?x2x3xf32>
func.func @f(%x: !x, %m: tensor<?x?xi1>, %id: tensor<?x?xi32>) -> !x {
  %y = pattern.map tokens(%xt = %x : !x, %mt = %m : tensor<?x?xi1>, %it = %id : tensor<?x?xi32>) -> (!x) {
    %before = pattern.lag %it by 1 otherwise %it : i32 : i32
    %same = arith.cmpi eq, %it, %before : i32
    %live = arith.andi %same, %mt : i1
    %zero = arith.constant dense<0.0> : tensor<3xf32>
    %z = arith.select %live, %xt, %zero : tensor<3xf32>
    pattern.yield outputs(%z : tensor<3xf32>)
  }
  return %y : !x
})",
                  "map_block=8");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  std::mt19937 random(2);
  for (std::int64_t tokens : {5, 30}) {
    Memory x = randomMemory({2, tokens, 2, 3}, -1, 1, random), m = Memory::filled({2, tokens}, 0), id = m;
    Memory y = Memory::filled(x.shape, NAN), expected = x;
    for (std::int64_t i = 0; i < 2 * tokens; ++i) {
      m.elements[i] = random() % 2;
      std::int64_t segment = i % tokens / 3;
      id.elements[i] = double(segment);
      if (!m.elements[i] || (i % tokens && id.elements[i] != id.elements[i - 1]))
        std::fill_n(expected.elements.begin() + 6 * i, 6, 0);
    }
    execute(derived, {&x, &m, &id, &y}, 2, tokens);
    EXPECT_EQ(y.elements, expected.elements);
  }
}

TEST(DeriveScan, AnOpaqueScanRunsRecurrentlyAtEveryLength) {
  const char *text = R"(
func.func @f(%x: tensor<?x?x2x3xf32>) -> (tensor<?x?x2x3xf32>, tensor<?x2x3x3xf32>, tensor<?x2xf32>) {
  %y, %s, %n = pattern.scan tokens(%xt = %x : tensor<?x?x2x3xf32>)
      states(%S = zero : tensor<?x2x3x3xf32>, %N = zero : tensor<?x2xf32>) -> (tensor<?x?x2x3xf32>) {
    %r = pattern.read_transposed %S, %xt : tensor<3x3xf32>, tensor<3xf32>
    %o = pattern.outer %xt, %xt : tensor<3xf32>, tensor<3xf32>
    %a = arith.addf %S, %o : tensor<3x3xf32>
    %S1 = math.tanh %a : tensor<3x3xf32>
    %d = pattern.dot %xt, %xt : tensor<3xf32>
    %N1 = arith.maximumf %N, %d : f32
    pattern.yield outputs(%r : tensor<3xf32>) states(%S1, %N1 : tensor<3x3xf32>, f32)
  }
  return %y, %s, %n : tensor<?x?x2x3xf32>, tensor<?x2x3x3xf32>, tensor<?x2xf32>
})";
  Derived derived(text, "");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  EXPECT_EQ(linmu::interpreter::algorithmFor(derived.program(), {.tokens = 0}), "recurrent");
  EXPECT_EQ(linmu::interpreter::algorithmFor(derived.program(), {.tokens = 1 << 20}), "recurrent");
  constexpr std::int64_t tokens = 20;
  std::mt19937 random(1);
  Memory x = randomMemory({1, tokens, 2, 3}, -1, 1, random), y = Memory::filled(x.shape, NAN);
  Memory s = Memory::filled({1, 2, 3, 3}, NAN), n = Memory::filled({1, 2}, NAN);
  execute(derived, {&x, &y, &s, &n}, 1, tokens);
  Memory expected = y, expectedState = Memory::filled(s.shape, 0),
         expectedMaximum = Memory::filled(n.shape, 0);
  for (int h = 0; h < 2; ++h)
    for (std::int64_t t = 0; t < tokens; ++t) {
      const double *row = &x.elements[(t * 2 + h) * 3];
      double *state = &expectedState.elements[h * 9], square = 0;
      for (int i = 0; i < 3; ++i) {
        double &out = expected.elements[(t * 2 + h) * 3 + i] = 0;
        for (int j = 0; j < 3; ++j)
          out += state[3 * i + j] * row[j];
        square += row[i] * row[i];
      }
      for (int i = 0; i < 9; ++i)
        state[i] = std::tanh(state[i] + row[i / 3] * row[i % 3]);
      expectedMaximum.elements[h] = std::max(expectedMaximum.elements[h], square);
    }
  EXPECT_LT(worstDifference(y, expected), tolerance(1e-12));
  EXPECT_LT(worstDifference(s, expectedState), tolerance(1e-12));
  EXPECT_LT(worstDifference(n, expectedMaximum), tolerance(1e-12));

  Derived refused(text, "algorithm=chunked");
  EXPECT_FALSE(refused.ok());
  EXPECT_EQ(refused.diagnostics(), "'pattern.scan' op cannot run chunked as the schedule says: it was not "
                                   "brought to the normal form\n");
}

TEST(DeriveProgram, AValueBetweenTwoOpsIsATemporary) {
  const char *text = R"(
!x = tensor<?x?x2xf32>
func.func @f(%x: !x) -> !x {
  %y = pattern.map tokens(%xt = %x : !x) -> (!x) {
    %a = arith.addf %xt, %xt : f32
    pattern.yield outputs(%a : f32)
  }
  %z = pattern.map tokens(%yt = %y : !x) -> (!x) {
    %b = arith.mulf %yt, %yt : f32
    pattern.yield outputs(%b : f32)
  }
  return %z : !x
})";
  Derived derived(text, "");
  ASSERT_TRUE(derived.ok()) << derived.diagnostics();
  std::mt19937 random(1);
  Memory x = randomMemory({3, 40, 2}, -1, 1, random), z = Memory::filled(x.shape, NAN), expected = x;
  execute(derived, {&x, &z}, 3, 40);
  for (double &element : expected.elements)
    element = 4 * element * element;
  EXPECT_LT(worstDifference(z, expected), tolerance(1e-12));
}

TEST(DeriveProgram, ResultsThatNoOpMakesAreRefused) {
  Derived derived(
      "func.func @f(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> { return %x : tensor<?x?x2xf32> }", "");
  EXPECT_FALSE(derived.ok());
  EXPECT_EQ(derived.diagnostics(),
            "'func.return' op requires result #0 to be made by a pattern op of its own, "
            "got an argument of the function\n");
}

TEST(DeriveProgram, ClausesThatWereNotExpandedAreRefused) {
  const char *text = R"(
!x = tensor<?x?x2xf32>
func.func @f(%x: !x, %m: tensor<?x?xi1>) -> !x {
  %y = pattern.map tokens(%xt = %x : !x) output_mask(%m : tensor<?x?xi1>) -> (!x) {
    pattern.yield outputs(%xt : f32)
  }
  return %y : !x
})";
  Derived derived(text, "");
  EXPECT_FALSE(derived.ok());
  EXPECT_EQ(derived.diagnostics(),
            "'pattern.map' op requires its segments and masks to be expanded before it is "
            "derived\n");
}
