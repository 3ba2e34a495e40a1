// Sums that cancel, and what is said of steps that leave the normal form.
#include "tests/unit/normalize_cases.h"

using namespace linmu::test;

namespace {

const Case cases[] = {
    {"SourceMaskOfWhatALagReadsOtherwise",
     plain,
     {DECAY
      "%k1 = pattern.lag %k by 2 otherwise %k : !K : !K\n%kk = arith.addf %k, %k1 : !K\n%D = arith.mulf "
      "%A, %S : !M\n"
      "%W = pattern.outer %kk, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "source_mask(%mask : tensor<?x?xi1>) zeroes(%k)"}},
    // Sums that cancel.
    {"StateLessWhatDecays",
     plain,
     {DECAY "%one = arith.constant dense<1.0> : !M\n%rest = arith.subf %one, %A : !M\n%L = arith.mulf %rest, "
            "%S : !M\n"
            "%D = arith.subf %S, %L : !M\n%W = pattern.outer %k, %v : !K, !V\n"
            "%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"StateLessWhatDecaysInSegments",
     plain,
     {DECAY "%one = arith.constant dense<1.0> : !M\n%rest = arith.subf %one, %A : !M\n%L = arith.mulf %rest, "
            "%S : !M\n"
            "%D = arith.subf %S, %L : !M\n%W = pattern.outer %k, %v : !K, !V\n"
            "%N = arith.addf %D, %W : !M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "segments(%segment : tensor<?x?xi32>)"}},
    {"StateLessWhatDecaysByATanhInSegments",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%t = math.tanh %k : !K\n%one = arith.constant dense<1.0> : !K\n%half = arith.constant dense<0.5> : "
      "!K\n"
      "%p = arith.addf %one, %t : !K\n%a = arith.mulf %half, %p : !K\n"
      "%A = pattern.broadcast %a along 0 : !K to !M\n%ones = arith.constant dense<1.0> : !M\n"
      "%rest = arith.subf %ones, %A : !M\n%L = arith.mulf %rest, %S : !M\n%D = arith.subf %S, %L : !M\n"
      "%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "segments(%segment : tensor<?x?xi32>)"}},
    {"StateAddedTwiceAndTakenAwayOnce",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%X = arith.subf %W, %D : !M\n"
            "%two = arith.constant dense<2.0> : !M\n%Y = arith.mulf %two, %D : !M\n"
            "%N = arith.addf %X, %Y : !M\n" READ_NEXT}},
    {"TransposedStateKeptByASelect",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%a = pattern.sigmoid %k : !K\n%A = pattern.broadcast %a along 1 : !K to !T\n%D = arith.mulf %A, %S : "
      "!T\n"
      "%W = pattern.outer %v, %k : !V, !K\n%X = arith.addf %D, %W : !T\n%N = arith.select %on, %S, %X : !T\n"
      "%y = pattern.read_transposed %N, %q : !T, !K\npattern.yield outputs(%y : !V) states(%N : !T)",
      {"4x5"}}},
    {"DecayThroughLogarithmsOfTwo",
     plain,
     {"%x = pattern.sigmoid %g : f32\n%log = math.log2 %x : f32\n%a = math.exp2 %log : f32\n"
      "%A = pattern.broadcast %a : f32 to !M\n%D = arith.mulf %A, %S : !M\n"
      "%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},

    // What is outside the form.
    {"DecayByWhatWasRead",
     "opaque at 3: the decay depends on what was read from the same state",
     {"%p = pattern.read %S, %k : !M, !K\n%s = pattern.sum %p over 0 : !V\n%a = pattern.sigmoid %s : f32\n"
      "%A = pattern.broadcast %a : f32 to !M\n%D = arith.mulf %A, %S : !M\n%seen = pattern.read %D, %k : !M, "
      "!K\n"
      "%W = pattern.outer %k, %seen : !K, !V\n%N = arith.subf %D, %W : !M\n" READ_NEXT}},
    {"ColumnDecayOfATransposedState",
     "by value decay, reads 0+1, writes 1, feedback 0",
     {"%a = pattern.sigmoid %v : !V\n%A = pattern.broadcast %a along 0 : !V to !T\n%D = arith.mulf %A, %S : "
      "!T\n"
      "%W = pattern.outer %v, %k : !V, !K\n%N = arith.addf %D, %W : !T\n"
      "%y = pattern.read_transposed %N, %q : !T, !K\npattern.yield outputs(%y : !V) states(%N : !T)",
      {"4x5"}}},
    {"UnprovenDecayInSegments",
     "opaque at 1: the decay (all_g * ((segment ~ segment[-1]) ? 1 : 0)) is not known to be in [-1, 1]; "
     "state its range with pattern.assume",
     {"%A = pattern.broadcast %g : f32 to !M\n%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, "
      "!V\n"
      "%N = arith.addf %D, %W : !M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "segments(%segment : tensor<?x?xi32>)"}},
};

class NormalFormOfSums : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(NormalFormOfSums, ComputesWhatTheScanComputes) { expectSameResults(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Sums, NormalFormOfSums, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });
