// Two states that mix and feed back what was read of each other, with a state of their reads behind them.
#include "tests/unit/derive_fixture.h"
#include <cmath>

using namespace linmu::test;

namespace {

const char *coupled = R"(
!f = tensor<?x?x2xf32>
!v3 = tensor<?x?x2x3xf32>
!v4 = tensor<?x?x2x4xf32>
!s = tensor<?x2x4x3xf32>
func.func @f(%a: !f, %b: !f, %m: !f, %v: !v3, %q: !v4, %k: !v4, %s0: !s, %t0: !s, %n0: tensor<?x2x3xf32>)
    -> (!v3, !s, !s, tensor<?x2x3xf32>) {
  %o, %s, %t, %n = pattern.normal_scan
      tokens(%at = %a : !f, %bt = %b : !f, %mt = %m : !f, %vt = %v : !v3, %qt = %q : !v4, %kt = %k : !v4)
      states(%S = %s0 : !s, %T = %t0 : !s, %N = %n0 : tensor<?x2x3xf32>) -> (!v3)
  stage {
  ^bb0(%at: f32, %bt: f32, %mt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>):
    pattern.form key_axis 0 reads(%qt, %kt : tensor<4xf32>, tensor<4xf32>) inclusive [true, false]
        writes(%kt, %qt : tensor<4xf32>, tensor<4xf32>) values(%vt, %vt : tensor<3xf32>, tensor<3xf32>)
        feedback(%mt) at [0, 1] states 2 coupling(%at, %bt, %bt) at [0, 0, 0, 1, 1, 1]
        of_reads [0, 1] of_writes [0, 0, 0, 1, 1, 1]
  }
  stage {
  ^bb0(%at: f32, %bt: f32, %mt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>,
       %y0: tensor<3xf32>, %y1: tensor<3xf32>, %w0: tensor<3xf32>, %w1: tensor<3xf32>):
    %one = arith.constant 1.0 : f32
    %sum = arith.addf %y1, %w0 : tensor<3xf32>
    pattern.form key_axis -1 reads(%one : f32) inclusive [true] writes(%one : f32) values(%sum : tensor<3xf32>) at []
  }
  finish {
  ^bb0(%at: f32, %bt: f32, %mt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>,
       %y0: tensor<3xf32>, %y1: tensor<3xf32>, %w0: tensor<3xf32>, %w1: tensor<3xf32>, %y2: tensor<3xf32>,
       %w2: tensor<3xf32>):
    %o = arith.addf %y0, %y2 : tensor<3xf32>
    pattern.yield outputs(%o : tensor<3xf32>)
  }
  return %o, %s, %t, %n : !v3, !s, !s, tensor<?x2x3xf32>
})";

} // namespace

TEST(DeriveScan, CoupledStatesMatchTheLoop) {
  for (const char *schedule : {"algorithm=chunked,chunk=8", "algorithm=chunked,chunk=8,columns=2",
                               "algorithm=two_kernels,chunk=8", "algorithm=recurrent"}) {
    Derived derived(coupled, schedule);
    ASSERT_TRUE(derived.ok()) << derived.diagnostics();
    constexpr std::int64_t tokens = 21, heads = 2;
    std::mt19937 random(4);
    // Factors above one and below zero, too: no logarithm is taken of them.
    Memory a = randomMemory({1, tokens, heads}, -1.1, 1.1, random),
           b = randomMemory(a.shape, -0.9, 0.9, random), m = randomMemory(a.shape, -0.5, 0.5, random),
           v = randomMemory({1, tokens, heads, 3}, -1, 1, random),
           q = randomMemory({1, tokens, heads, 4}, -1, 1, random),
           k = randomMemory(q.shape, -0.5, 0.5, random), s0 = randomMemory({1, heads, 4, 3}, -1, 1, random),
           t0 = randomMemory(s0.shape, -1, 1, random), n0 = randomMemory({1, heads, 3}, -1, 1, random);
    Memory o = Memory::filled(v.shape, NAN), s = s0, t = t0, n = n0, expected = o, es = s0, et = t0, en = n0;
    execute(derived, {&a, &b, &m, &v, &q, &k, &s0, &t0, &n0, &o, &s, &t, &n}, 1, tokens);
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t p = 0; p < tokens; ++p) {
        std::int64_t at = p * heads + head;
        double A = a.elements[at], B = b.elements[at];
        for (int j = 0; j < 3; ++j) {
          double seen = 0, y = 0, V = v.elements[3 * at + j];
          for (int i = 0; i < 4; ++i)
            seen += k.elements[4 * at + i] * et.elements[12 * head + 3 * i + j];
          double w = V + m.elements[at] * seen;
          for (int i = 0; i < 4; ++i) {
            double &S = es.elements[12 * head + 3 * i + j], &T = et.elements[12 * head + 3 * i + j];
            double K = k.elements[4 * at + i], Q = q.elements[4 * at + i];
            S = A * S + B * T + K * w;
            T = B * T + K * w + Q * V;
            y += Q * S;
          }
          double &N = en.elements[3 * head + j];
          N += seen + w;
          expected.elements[3 * at + j] = y + N;
        }
      }
    EXPECT_LT(worstDifference(o, expected), tolerance(1e-9)) << schedule;
    EXPECT_LT(worstDifference(s, es), tolerance(1e-9)) << schedule;
    EXPECT_LT(worstDifference(t, et), tolerance(1e-9)) << schedule;
    EXPECT_LT(worstDifference(n, en), tolerance(1e-9)) << schedule;
  }
}
