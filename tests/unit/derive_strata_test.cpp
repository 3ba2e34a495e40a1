// A scan with several states, some without key or value axis, whose later stages use what earlier ones read.
#include "tests/unit/derive_fixture.h"
#include <cmath>

using namespace linmu::test;

namespace {

const char *strata = R"(
!f = tensor<?x?x2xf32>
!v3 = tensor<?x?x2x3xf32>
!v4 = tensor<?x?x2x4xf32>
func.func @f(%a: !f, %b: !f, %g: !f, %v: !v3, %q: !v4, %k: !v4, %h: !v4, %n0: tensor<?x2xf32>,
             %s0: tensor<?x2x3xf32>, %t0: tensor<?x2x4xf32>)
    -> (!v3, tensor<?x2xf32>, tensor<?x2x3xf32>, tensor<?x2x4xf32>) {
  %o, %n, %s, %t = pattern.normal_scan
      tokens(%at = %a : !f, %bt = %b : !f, %gt = %g : !f, %vt = %v : !v3, %qt = %q : !v4, %kt = %k : !v4, %ht = %h : !v4)
      states(%N = %n0 : tensor<?x2xf32>, %S = %s0 : tensor<?x2x3xf32>, %T = %t0 : tensor<?x2x4xf32>) -> (!v3)
  stage {
  ^bb0(%at: f32, %bt: f32, %gt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %ht: tensor<4xf32>):
    %one = arith.constant 1.0 : f32
    pattern.form key_axis -1 decay(%gt : f32) reads(%one : f32) inclusive [true] writes(%at : f32) values(%bt : f32) at []
  }
  stage {
  ^bb0(%at: f32, %bt: f32, %gt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %ht: tensor<4xf32>,
       %y0: f32, %w0: f32):
    %one = arith.constant 1.0 : f32
    %size = math.absf %y0 : f32
    %log = arith.negf %size : f32
    pattern.form key_axis -1 decay(%log : f32) reads(%one : f32) inclusive [false] writes(%at : f32)
        values(%vt : tensor<3xf32>) feedback(%bt) at [0, 0]
  }
  stage {
  ^bb0(%at: f32, %bt: f32, %gt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %ht: tensor<4xf32>,
       %y0: f32, %w0: f32, %y1: tensor<3xf32>, %w1: tensor<3xf32>):
    %value = arith.addf %bt, %w0 : f32
    pattern.form key_axis 0 decay(%ht : tensor<4xf32>) reads(%qt : tensor<4xf32>) inclusive [true]
        writes(%kt : tensor<4xf32>) values(%value : f32) at []
  }
  finish {
  ^bb0(%at: f32, %bt: f32, %gt: f32, %vt: tensor<3xf32>, %qt: tensor<4xf32>, %kt: tensor<4xf32>, %ht: tensor<4xf32>,
       %y0: f32, %w0: f32, %y1: tensor<3xf32>, %w1: tensor<3xf32>, %y2: f32, %w2: f32):
    %p = arith.mulf %y0, %y2 : f32
    %P = pattern.broadcast %p : f32 to tensor<3xf32>
    %o = arith.addf %y1, %P : tensor<3xf32>
    pattern.yield outputs(%o : tensor<3xf32>)
  }
  return %o, %n, %s, %t : !v3, tensor<?x2xf32>, tensor<?x2x3xf32>, tensor<?x2x4xf32>
})";

} // namespace

TEST(DeriveScan, StatesWithoutKeyOrValueAxisInStrataMatchTheLoop) {
  for (const char *schedule : {"algorithm=chunked,chunk=8", "algorithm=two_kernels,chunk=8",
                               "algorithm=segmented,chunk=8,segments=3", "algorithm=recurrent"}) {
    Derived derived(strata, schedule);
    ASSERT_TRUE(derived.ok()) << derived.diagnostics();
    constexpr std::int64_t tokens = 21, heads = 2;
    std::mt19937 random(4);
    Memory a = randomMemory({1, tokens, heads}, -0.5, 0.5, random),
           b = randomMemory(a.shape, -0.5, 0.5, random), g = randomMemory(a.shape, -1, 0, random),
           v = randomMemory({1, tokens, heads, 3}, -1, 1, random),
           q = randomMemory({1, tokens, heads, 4}, -1, 1, random), k = randomMemory(q.shape, -1, 1, random),
           h = randomMemory(q.shape, -1, 0, random), n0 = randomMemory({1, heads}, -1, 1, random),
           s0 = randomMemory({1, heads, 3}, -1, 1, random), t0 = randomMemory({1, heads, 4}, -1, 1, random);
    Memory o = Memory::filled(v.shape, NAN), n = n0, s = s0, t = t0, expected = o, en = n0, es = s0, et = t0;
    execute(derived, {&a, &b, &g, &v, &q, &k, &h, &n0, &s0, &t0, &o, &n, &s, &t}, 1, tokens);
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t p = 0; p < tokens; ++p) {
        std::int64_t at = p * heads + head;
        double A = a.elements[at], B = b.elements[at], y2 = 0;
        double &N = en.elements[head] = std::exp(g.elements[at]) * en.elements[head] + A * B;
        for (int i = 0; i < 4; ++i) {
          double &T = et.elements[4 * head + i];
          T = std::exp(h.elements[4 * at + i]) * T + k.elements[4 * at + i] * (B + B);
          y2 += q.elements[4 * at + i] * T;
        }
        for (int i = 0; i < 3; ++i) {
          double &S = es.elements[3 * head + i], read = S;
          S = std::exp(-std::abs(N)) * S + A * (v.elements[3 * at + i] + B * read);
          expected.elements[3 * at + i] = read + N * y2;
        }
      }
    EXPECT_LT(worstDifference(o, expected), tolerance(1e-9)) << schedule;
    EXPECT_LT(worstDifference(n, en), tolerance(1e-9)) << schedule;
    EXPECT_LT(worstDifference(s, es), tolerance(1e-9)) << schedule;
    EXPECT_LT(worstDifference(t, et), tolerance(1e-9)) << schedule;
  }
}
