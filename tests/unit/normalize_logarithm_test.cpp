// Decays in the ways that they are written: the logarithm that the normal form has of them gives the same
// decay.
#include "tests/unit/normalize_cases.h"

using namespace linmu::test;

namespace {

#define LEAK "%gs = pattern.softplus %g : f32\n%gn = arith.negf %gs : f32\n%e = math.exp %gn : f32\n"
#define UNIT "%bu = pattern.assume %b in [0.0, 1.0] : f32\n"
#define NUMBER(name, value) "%" name " = arith.constant " value " : f32\n"
#define SCAN_BY_MATRIX                                                                                       \
  "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT
#define SCAN "%A = pattern.broadcast %a : f32 to !M\n" SCAN_BY_MATRIX

const Case cases[] = {
    {"RootOfASigmoid", plain, {"%s = pattern.sigmoid %g : f32\n%a = math.sqrt %s : f32\n" SCAN}},
    {"SmallPowerOfASigmoid",
     plain,
     {NUMBER("p", "0.0625") "%s = pattern.sigmoid %g : f32\n%a = math.powf %s, %p : f32\n" SCAN}},
    {"SmallPowerOfAProduct",
     plain,
     {NUMBER("p", "0.0625") UNIT "%s = pattern.sigmoid %g : f32\n%m = arith.mulf %s, %bu : f32\n"
                                 "%a = math.powf %m, %p : f32\n" SCAN}},
    {"PowerOfZero",
     plain,
     {NUMBER("p", "0.0625") NUMBER("z", "0.0") UNIT "%s = arith.select %on, %bu, %z : f32\n"
                                                    "%a = math.powf %s, %p : f32\n" SCAN}},
    {"ZerothPowerOfZero",
     plain,
     {NUMBER("z", "0.0") NUMBER("one", "1.0") UNIT "%s = arith.select %on, %bu, %z : f32\n"
                                                   "%p = arith.select %on, %one, %z : f32\n"
                                                   "%a = math.powf %s, %p : f32\n" SCAN}},
    {"RootOfAChoiceOfZero",
     plain,
     {NUMBER("z", "0.0") LEAK "%s = arith.select %on, %e, %z : f32\n%a = math.sqrt %s : f32\n" SCAN}},
    {"ProductOfRoots",
     plain,
     {LEAK UNIT "%x = math.sqrt %e : f32\n%s = math.sqrt %bu : f32\n%a = arith.mulf %x, %s : f32\n" SCAN}},
    {"BaseTwo",
     plain,
     {"%s = pattern.softplus %g : f32\n%n = arith.negf %s : f32\n%a = math.exp2 %n : f32\n" SCAN},
     roundedConstant},
    {"QuotientOfExponentials",
     plain,
     {"%s = math.absf %g : f32\n%m = arith.addf %s, %b : f32\n%x = math.exp %s : f32\n"
      "%ey = math.exp %m : f32\n%ratio = arith.divf %x, %ey : f32\n%a = pattern.assume %ratio in [0.0, 1.0] "
      ": "
      "f32\n" SCAN}},
    {"InverseRootOfASum",
     plain,
     {NUMBER("one",
             "1.0") "%x = math.exp %g : f32\n%s = arith.addf %one, %x : f32\n%ratio = math.rsqrt %s : f32\n"
                    "%a = pattern.assume %ratio in [0.0, 1.0] : f32\n" SCAN}},
    {"HeldFromBelow", plain, {NUMBER("low", "0.05") LEAK "%a = arith.maximumf %e, %low : f32\n" SCAN}},
    {"HeldFromAbove",
     plain,
     {NUMBER("one", "1.0") "%x = math.exp %g : f32\n%a = arith.minimumf %x, %one : f32\n" SCAN}},
    {"RangeOfTheDecay",
     plain,
     {"%s = math.absf %g : f32\n%n = arith.negf %s : f32\n%x = math.exp %n : f32\n"
      "%a = pattern.assume %x in [0.0, 1.0] : f32\n" SCAN}},
    {"RangeAfterTheBroadcast",
     plain,
     {"%x = math.exp %c : f32\n%ey = math.exp %b : f32\n%z = arith.mulf %x, %ey : f32\n"
      "%i = arith.divf %x, %z : f32\n%X = pattern.broadcast %i : f32 to !M\n"
      "%A = pattern.assume %X in [0.0, 1.0] : !M\n" SCAN_BY_MATRIX}},
    {"HyperbolicTangent", plain, {"%a = math.tanh %g : f32\n" SCAN}},
    {"TwiceASigmoidLessOne",
     plain,
     {NUMBER("two", "2.0") NUMBER("one", "1.0") "%s = pattern.sigmoid %g : f32\n%t = arith.mulf %s, %two : "
                                                "f32\n%a = arith.subf %t, %one : f32\n" SCAN}},
    {"OneLessTwiceAnExponential",
     plain,
     {NUMBER("two", "2.0") NUMBER("one", "1.0") LEAK
      "%t = arith.mulf %two, %e : f32\n%a = arith.subf %one, %t : "
      "f32\n" SCAN}},
    {"ProductOfSigns",
     plain,
     {"%x = math.tanh %g : f32\n%w = math.sin %b : f32\n%z = arith.negf %x : f32\n%a = arith.mulf %z, %w : "
      "f32\n" SCAN}},
    {"ChoiceOfASign", plain, {LEAK "%n = arith.negf %e : f32\n%a = arith.select %on, %n, %e : f32\n" SCAN}},
    {"AssumedInBothSigns",
     plain,
     {"%t = math.sin %g : f32\n%a = pattern.assume %t in [-1.0, 1.0] : f32\n" SCAN}},
    {"SignsOfRowsAndColumns",
     "row-wise and by value decay, reads 0+1, writes 1, feedback 0",
     {"%x = math.tanh %k : !K\n%w = math.tanh %v : !V\n%A = pattern.outer %x, %w : !K, !V\n" SCAN_BY_MATRIX}},
    {"RangeOfAVectorOfDecays",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%x = math.exp %d : !K\n%n = arith.negf %d : !K\n%ey = math.exp %n : !K\n"
      "%X = pattern.broadcast %ey along 0 : !K to !M\n%A = pattern.assume %X in [0.0, 1.0] : "
      "!M\n" SCAN_BY_MATRIX}},
};

class DecayForm : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(DecayForm, DecaysAsTheScanDoes) { expectSameResults(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Ways, DecayForm, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });
