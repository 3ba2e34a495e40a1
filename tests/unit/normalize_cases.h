// Cases of the normal form: a step, what it comes out as, and that it still computes the same.
#pragma once
#include "tests/unit/normalize_fixture.h"

namespace linmu::test {

struct Case {
  const char *name, *expected;
  Step step;
  double tolerance = 1e-10; ///< rounding of a few hundred operations in fp64
};

// Parts that many steps share.
#define DECAY                                                                                                \
  "%ds = pattern.softplus %g : f32\n%de = arith.negf %ds : f32\n%a = math.exp %de : f32\n"                   \
  "%A = pattern.broadcast %a : f32 to !M\n%AV = pattern.broadcast %a : f32 to !V\n"
#define B                                                                                                    \
  "%bv = pattern.broadcast %b : f32 to !V\n%bk = pattern.broadcast %b : f32 to !K\n%bm = pattern.broadcast " \
  "%b : f32 to !M\n"
#define C                                                                                                    \
  "%cv = pattern.broadcast %c : f32 to !V\n%ck = pattern.broadcast %c : f32 to !K\n%cm = pattern.broadcast " \
  "%c : f32 to !M\n"
#define READ_NEXT "%y = pattern.read %N, %q : !M, !K\npattern.yield outputs(%y : !V) states(%N : !M)"
#define READ_OLD "%y = pattern.read %S, %q : !M, !K\npattern.yield outputs(%y : !V) states(%N : !M)"

inline const char *const plain = "scalar decay, reads 0+1, writes 1, feedback 0";
inline const char *const delta = "no decay, reads 1+1, writes 1, feedback 1";
inline const char *const gatedDelta = "scalar decay, reads 1+1, writes 1, feedback 1";

/// The logarithm of a constant is a constant, rounded to f32.
inline constexpr double roundedConstant = 1e-6;

inline void PrintTo(const Case &test, std::ostream *stream) { *stream << test.name; }

/// Results of a walk of nine tokens agree to rounding.
inline void expectSameResults(const Case &test) {
  std::string text = textOf(test.step);
  Parsed parsed(text);
  auto inputs = operandsFor(parsed.function(), 7);
  std::vector<linmu::HostTensor> before = parsed.run(inputs);
  normalize(parsed.function());
  EXPECT_EQ(describe(parsed.function()), test.expected) << text;
  if (describe(parsed.function()).starts_with("opaque"))
    return;
  std::vector<linmu::HostTensor> after = runNormalForm(parsed.function(), inputs);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_LT(worstDifference(after[i], before[i]), test.tolerance) << "result #" << i;
}

} // namespace linmu::test
