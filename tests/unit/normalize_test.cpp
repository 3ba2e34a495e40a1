// The normal form computes what the scan computes, and is found behind arbitrary algebra.
#include "tests/unit/normalize_cases.h"

using namespace linmu::test;

namespace {

const Case cases[] = {
    {"ScalarDecay",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
            "!M\n" READ_NEXT}},
    {"NoDecay",
     "no decay, reads 0+1, writes 1, feedback 0",
     {"%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %S, %W : !M\n" READ_NEXT}},
    {"ReadBeforeTheWrite",
     "scalar decay, reads 1+0, writes 1, feedback 0",
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
            "!M\n" READ_OLD}},
    {"RowWiseDecay",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%x = math.exp %k : !K\n%e = arith.negf %x : !K\n%a = math.exp %e : !K\n%A = pattern.broadcast %a "
      "along 0 : !K to !M\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT}},
    {"DeltaRule",
     delta,
     {B "%p = pattern.read %S, %k : !M, !K\n%e = arith.subf %v, %p : !V\n%w = arith.mulf %bv, %e : !V\n"
        "%W = pattern.outer %k, %w : !K, !V\n%N = arith.addf %S, %W : !M\n" READ_NEXT}},
    {"DeltaRuleExpanded",
     delta,
     {B
      "%p = pattern.read %S, %k : !M, !K\n%x = arith.mulf %bv, %v : !V\n%z = arith.mulf %p, %bv : !V\n"
      "%X = pattern.outer %k, %x : !K, !V\n%Z = pattern.outer %k, %z : !K, !V\n%E = arith.subf %X, %Z : !M\n"
      "%N = arith.addf %S, %E : !M\n" READ_NEXT}},
    {"DeltaRuleGateOnTheKey",
     delta,
     {B "%p = pattern.read %S, %k : !M, !K\n%kb = arith.mulf %k, %bk : !K\n%X = pattern.outer %kb, %v : !K, "
        "!V\n"
        "%Z = pattern.outer %kb, %p : !K, !V\n%E = arith.addf %S, %X : !M\n%N = arith.subf %E, %Z : "
        "!M\n" READ_NEXT}},
    {"DeltaRuleGateOnOneKeyOnly",
     delta,
     {B "%p = pattern.read %S, %k : !M, !K\n%kb = arith.mulf %bk, %k : !K\n%X = pattern.outer %kb, %v : !K, "
        "!V\n"
        "%z = arith.mulf %bv, %p : !V\n%Z = pattern.outer %k, %z : !K, !V\n%E = arith.addf %S, %X : !M\n"
        "%N = arith.subf %E, %Z : !M\n" READ_NEXT}},
    {"DeltaRuleGateOnTheMatrix",
     delta,
     {B "%p = pattern.read %S, %k : !M, !K\n%e = arith.subf %p, %v : !V\n%W = pattern.outer %k, %e : !K, !V\n"
        "%G = arith.mulf %bm, %W : !M\n%N = arith.subf %S, %G : !M\n" READ_NEXT}},
    {"DeltaRuleGateOnTheReadKey",
     delta,
     {B "%kb = arith.mulf %bk, %k : !K\n%p = pattern.read %S, %kb : !M, !K\n%x = arith.mulf %v, %bv : !V\n"
        "%e = arith.subf %x, %p : !V\n%W = pattern.outer %k, %e : !K, !V\n%N = arith.addf %W, %S : "
        "!M\n" READ_NEXT}},
    {"DeltaRuleGateNegatedAndDivided",
     delta,
     {B "%nk = arith.negf %k : !K\n%p = pattern.read %S, %nk : !M, !K\n%e = arith.addf %v, %p : !V\n"
        "%one = arith.constant dense<1.0> : !V\n%two = arith.constant 2.0 : f32\n%t = arith.addf %b, %two : "
        "f32\n"
        "%tv = pattern.broadcast %t : f32 to !V\n%w = arith.divf %e, %tv : !V\n%n = arith.negf %w : !V\n"
        "%W = pattern.outer %nk, %n : !K, !V\n%N = arith.addf %S, %W : !M\n" READ_NEXT}},
    {"GatedDeltaDecayBeforeTheRead",
     gatedDelta,
     {DECAY B "%D = arith.mulf %A, %S : !M\n%p = pattern.read %D, %k : !M, !K\n%e = arith.subf %v, %p : !V\n"
              "%w = arith.mulf %bv, %e : !V\n%W = pattern.outer %k, %w : !K, !V\n%N = arith.addf %D, %W : "
              "!M\n" READ_NEXT}},
    {"GatedDeltaDecayAfterTheRead",
     gatedDelta,
     {DECAY B
      "%D = arith.mulf %A, %S : !M\n%p = pattern.read %S, %k : !M, !K\n%pa = arith.mulf %p, %AV : !V\n"
      "%e = arith.subf %v, %pa : !V\n%w = arith.mulf %bv, %e : !V\n%W = pattern.outer %k, %w : !K, !V\n"
      "%N = arith.addf %W, %D : !M\n" READ_NEXT}},
    {"GatedDeltaDecayFactoredOut",
     gatedDelta,
     {DECAY B "%p = pattern.read %S, %k : !M, !K\n%bp = arith.mulf %bv, %p : !V\n%W = pattern.outer %k, %bp "
              ": !K, !V\n"
              "%E = arith.subf %S, %W : !M\n%D = arith.mulf %E, %A : !M\n%bw = arith.mulf %v, %bv : !V\n"
              "%X = pattern.outer %k, %bw : !K, !V\n%N = arith.addf %D, %X : !M\n" READ_NEXT}},
    {"RowWiseDecayWithFeedback",
     "row-wise decay, reads 1+1, writes 1, feedback 1",
     {B "%a = pattern.assume %d in [0.0, 1.0] : !K\n%A = pattern.broadcast %a along 0 : !K to !M\n%D = "
        "arith.mulf %S, %A : !M\n"
        "%p = pattern.read %D, %k : !M, !K\n%e = arith.subf %v, %p : !V\n%w = arith.mulf %bv, %e : !V\n"
        "%W = pattern.outer %k, %w : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"ReadAsASumOfProducts",
     "scalar decay, reads 0+1, writes 1, feedback 0",
     {DECAY "%D = arith.mulf %S, %A : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n"
            "%Q = pattern.broadcast %q along 0 : !K to !M\n%P1 = arith.mulf %N, %Q : !M\n%y = pattern.sum "
            "%P1 over 0 : !M\n"
            "pattern.yield outputs(%y : !V) states(%N : !M)"}},
    {"OuterAsAProductOfBroadcasts",
     plain,
     {DECAY "%D = arith.mulf %S, %A : !M\n%kk = pattern.broadcast %k along 0 : !K to !M\n"
            "%vv = pattern.broadcast %v along 1 : !V to !M\n%W = arith.mulf %vv, %kk : !M\n%N = arith.addf "
            "%D, %W : !M\n" READ_NEXT}},
    {"DeltaRuleInSumsAndBroadcasts",
     delta,
     {B "%kk = pattern.broadcast %k along 0 : !K to !M\n%R = arith.mulf %kk, %S : !M\n%p = pattern.sum %R "
        "over 0 : !M\n"
        "%e = arith.subf %v, %p : !V\n%ee = pattern.broadcast %e along 1 : !V to !M\n%W = arith.mulf %ee, "
        "%kk : !M\n"
        "%G = arith.mulf %W, %bm : !M\n%N = arith.addf %G, %S : !M\n" READ_NEXT}},
    {"StateStoredTransposed",
     gatedDelta,
     {DECAY B
      "%AT = pattern.broadcast %a : f32 to !T\n%D = arith.mulf %AT, %S : !T\n%p = pattern.read_transposed "
      "%D, %k : !T, !K\n"
      "%e = arith.subf %v, %p : !V\n%w = arith.mulf %bv, %e : !V\n%W = pattern.outer %w, %k : !V, !K\n"
      "%N = arith.addf %D, %W : !T\n%y = pattern.read_transposed %N, %q : !T, !K\n"
      "pattern.yield outputs(%y : !V) states(%N : !T)",
      {"4x5"}}},
    {"TransposedRowWiseDecay",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%a = pattern.sigmoid %k : !K\n%A = pattern.broadcast %a along 1 : !K to !T\n%D = arith.mulf %A, %S : "
      "!T\n"
      "%W = pattern.outer %v, %l : !V, !K\n%N = arith.addf %D, %W : !T\n%y = pattern.read_transposed %N, %q "
      ": !T, !K\n"
      "pattern.yield outputs(%y : !V) states(%N : !T)",
      {"4x5"}}},
    {"TwoWritesThreeReads",
     "scalar decay, reads 1+2, writes 2, feedback 0",
     {DECAY
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%X = pattern.outer %l, %u : !K, !V\n"
      "%E = arith.addf %D, %W : !M\n%N = arith.addf %E, %X : !M\n%y = pattern.read %N, %q : !M, !K\n"
      "%z = pattern.read %N, %r : !M, !K\n%x = pattern.read %S, %h : !M, !K\n"
      "pattern.yield outputs(%y, %z, %x : !V, !V, !V) states(%N : !M)",
      {"5x4"},
      {"4", "4", "4"}}},
    {"SequentialRankOneUpdates",
     "scalar decay, reads 2+1, writes 2, feedback 3",
     {DECAY B
      "%p = pattern.read %S, %k : !M, !K\n%bp = arith.mulf %bv, %p : !V\n%W = pattern.outer %k, %bp : !K, "
      "!V\n"
      "%S1 = arith.subf %S, %W : !M\n%z = pattern.read %S1, %l : !M, !K\n%e = arith.subf %v, %z : !V\n"
      "%X = pattern.outer %l, %e : !K, !V\n%D = arith.mulf %A, %S1 : !M\n%N = arith.addf %D, %X : "
      "!M\n" READ_NEXT}},
    {"ReadOfAnIntermediateState",
     "scalar decay, reads 1+0, writes 2, feedback 0",
     {DECAY
      "%W = pattern.outer %k, %v : !K, !V\n%S1 = arith.addf %S, %W : !M\n%D = arith.mulf %A, %S1 : !M\n"
      "%X = pattern.outer %l, %u : !K, !V\n%N = arith.addf %D, %X : !M\n%y = pattern.read %S1, %q : !M, !K\n"
      "pattern.yield outputs(%y : !V) states(%N : !M)"}},
    {"BonusForTheCurrentToken",
     "row-wise decay, reads 1+0, writes 1, feedback 0",
     {"%a = pattern.sigmoid %l : !K\n%A = pattern.broadcast %a along 0 : !K to !M\n%W = pattern.outer %k, %v "
      ": !K, !V\n"
      "%PP = pattern.broadcast %P along 0 : !K to !M\n%U = arith.mulf %PP, %W : !M\n%SU = arith.addf %S, %U "
      ": !M\n"
      "%y = pattern.read %SU, %q : !M, !K\n%D = arith.mulf %A, %S : !M\n%N = arith.addf %D, %W : !M\n"
      "pattern.yield outputs(%y : !V) states(%N : !M)"}},
    {"GeneralisedDeltaRule",
     "row-wise decay, reads 1+1, writes 2, feedback 1",
     {"%e = pattern.sigmoid %h : !K\n%A = pattern.broadcast %e along 0 : !K to !M\n%D = arith.mulf %S, %A : "
      "!M\n"
      "%p = pattern.read %S, %l : !M, !K\n%R = pattern.outer %r, %p : !K, !V\n%W = pattern.outer %k, %v : "
      "!K, !V\n"
      "%E = arith.addf %D, %R : !M\n%N = arith.addf %E, %W : !M\n" READ_NEXT}},
    {"NextStateWrittenTwice",
     plain,
     {DECAY
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n"
      "%D2 = arith.mulf %S, %A : !M\n%N2 = arith.addf %W, %D2 : !M\n%y = pattern.read %N2, %q : !M, !K\n"
      "pattern.yield outputs(%y : !V) states(%N : !M)"}},
    {"SubtractionChain",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%n = arith.negf %W : !M\n%E = "
            "arith.subf %n, %D : !M\n"
            "%N = arith.negf %E : !M\n" READ_NEXT}},
    {"SkippedTokens",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%F = arith.addf %D, %W : !M\n"
            "%N = arith.select %on, %F, %S : !M\n" READ_NEXT}},
    {"SelectedDecay",
     plain,
     {DECAY
      "%D = arith.mulf %A, %S : !M\n%E = arith.select %on, %D, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n"
      "%N = arith.addf %E, %W : !M\n" READ_NEXT}},
    {"SelectedDeltaRule",
     gatedDelta,
     {DECAY B
      "%D = arith.mulf %A, %S : !M\n%p = pattern.read %D, %k : !M, !K\n%e = arith.subf %v, %p : !V\n"
      "%w = arith.mulf %bv, %e : !V\n%W = pattern.outer %k, %w : !K, !V\n%F = arith.addf %D, %W : !M\n"
      "%N = arith.select %on, %F, %S : !M\n" READ_NEXT}},
    {"SelectedByABroadcastCondition",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%F = arith.addf %D, %W : !M\n"
            "%m = pattern.broadcast %on : i1 to tensor<5x4xi1>\n%N = arith.select %m, %F, %S : "
            "tensor<5x4xi1>, !M\n" READ_NEXT}},
    {"Reset",
     plain,
     {DECAY "%zero = arith.constant dense<0.0> : !M\n%R = arith.select %on, %zero, %S : !M\n%D = arith.mulf "
            "%A, %R : !M\n"
            "%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"FusedMultiplyAdd",
     plain,
     {DECAY "%W = pattern.outer %k, %v : !K, !V\n%N = math.fma %A, %S, %W : !M\n" READ_NEXT}},
    {"DividedByOnePlusExp",
     plain,
     {"%e = math.exp %g : f32\n%one = arith.constant 1.0 : f32\n%t = arith.addf %e, %one : f32\n%T = "
      "pattern.broadcast %t : f32 to !M\n"
      "%D = arith.divf %S, %T : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT}},
    {"ZerosAndOnes",
     plain,
     {DECAY
      "%z = arith.constant dense<0.0> : !M\n%o = arith.constant dense<1.0> : !M\n%S1 = arith.addf %S, %z : "
      "!M\n"
      "%S2 = arith.mulf %S1, %o : !M\n%D = arith.mulf %A, %S2 : !M\n%W = pattern.outer %k, %v : !K, !V\n"
      "%W1 = arith.subf %W, %z : !M\n%N = arith.addf %D, %W1 : !M\n" READ_NEXT}},
    {"ScaleSplitInFactors",
     plain,
     {DECAY
      "%x = pattern.sigmoid %b : f32\n%X = pattern.broadcast %x : f32 to !M\n%S1 = arith.mulf %X, %S : !M\n"
      "%D = arith.mulf %S1, %A : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %W, %D : "
      "!M\n" READ_NEXT}},
    {"StateMinusItsScaled",
     plain,
     {"%x = pattern.sigmoid %g : f32\n%X = pattern.broadcast %x : f32 to !M\n%F = arith.mulf %X, %S : !M\n"
      "%D = arith.subf %S, %F : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT}},
    {"InterpolationTowardsTheWrite",
     plain,
     {"%x = pattern.sigmoid %g : f32\n%X = pattern.broadcast %x : f32 to !M\n%W = pattern.outer %k, %v : !K, "
      "!V\n"
      "%E = arith.subf %W, %S : !M\n%F = arith.mulf %E, %X : !M\n%N = arith.addf %S, %F : !M\n" READ_NEXT}},
    {"RowWiseInterpolation",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%x = pattern.sigmoid %l : !K\n%o = arith.constant dense<1.0> : !K\n%a = arith.subf %o, %x : !K\n"
      "%A = pattern.broadcast %a along 0 : !K to !M\n%D = arith.mulf %A, %S : !M\n%W = pattern.outer %x, %v "
      ": !K, !V\n"
      "%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"ExponentialOfABroadcast",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%x = math.absf %l : !K\n%X = pattern.broadcast %x along 0 : !K to !M\n%Y = arith.negf %X : !M\n%A = "
      "math.exp %Y : !M\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT}},
    {"ExponentialOfAStepTimesARate",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%x = math.exp %P : !K\n%A0 = arith.negf %x : !K\n%dt = pattern.softplus %g : f32\n%dtk = "
      "pattern.broadcast %dt : f32 to !K\n"
      "%ones = arith.constant dense<1.0> : !V\n%O = pattern.outer %A0, %ones : !K, !V\n%DT = "
      "pattern.broadcast %dt : f32 to !M\n"
      "%X = arith.mulf %O, %DT : !M\n%A = math.exp %X : !M\n%D = arith.mulf %A, %S : !M\n%kd = arith.mulf "
      "%dtk, %k : !K\n"
      "%W = pattern.outer %kd, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"ConstantDecay",
     plain,
     {"%A = arith.constant dense<0.9> : !M\n%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, "
      "!V\n%N = arith.addf %D, %W : !M\n" READ_NEXT},
     roundedConstant},
    {"ConstantDecayOnTheVectors",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%a = arith.constant dense<[0.9, 1.0, 0.5, 0.0, 0.99]> : !K\n%A = pattern.broadcast %a along 0 : !K to "
      "!M\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT},
     roundedConstant},
    {"AssumedDecay",
     plain,
     {"%a = pattern.assume %b in [0.0, 1.0] : f32\n%A = pattern.broadcast %a : f32 to !M\n%D = arith.mulf "
      "%A, %S : !M\n"
      "%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"PowerOfASigmoid",
     plain,
     {"%x = pattern.sigmoid %g : f32\n%l0 = math.log %x : f32\n%b0 = pattern.assume %b in [0.0, 1.0] : "
      "f32\n%e = arith.mulf %b0, %l0 : f32\n"
      "%a = math.exp %e : f32\n%A = pattern.broadcast %a : f32 to !M\n%D = arith.mulf %A, %S : !M\n"
      "%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"SquareRootOfASigmoid",
     plain,
     {"%x = pattern.sigmoid %g : f32\n%a = math.sqrt %x : f32\n%A = pattern.broadcast %a : f32 to !M\n%D = "
      "arith.mulf %A, %S : !M\n"
      "%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"SigmoidWrittenOut",
     plain,
     {"%x = math.exp %g : f32\n%one = arith.constant 1.0 : f32\n%t = arith.addf %one, %x : f32\n%a = "
      "arith.divf %x, %t : f32\n"
      "%A = pattern.broadcast %a : f32 to !M\n%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, "
      "!V\n"
      "%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"ClampedLogarithm",
     plain,
     {"%z = arith.constant 0.0 : f32\n%n = arith.minimumf %g, %z : f32\n%a = math.exp %n : f32\n%A = "
      "pattern.broadcast %a : f32 to !M\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT}},
    {"DecayByAPowerOfTwo",
     plain,
     {"%n = math.absf %g : f32\n%m = arith.negf %n : f32\n%a = math.exp2 %m : f32\n%A = pattern.broadcast %a "
      ": f32 to !M\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT},
     roundedConstant},
    {"LaggedKey",
     plain,
     {DECAY "%k1 = pattern.lag %k by 1 : !K\n%kk = arith.addf %k, %k1 : !K\n%D = arith.mulf %A, %S : !M\n"
            "%W = pattern.outer %kk, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"TanhOfWhatWasRead",
     gatedDelta,
     {DECAY B "%D = arith.mulf %A, %S : !M\n%p = pattern.read %D, %k : !M, !K\n%e = arith.subf %v, %p : "
              "!V\n%w = arith.mulf %bv, %e : !V\n"
              "%W = pattern.outer %k, %w : !K, !V\n%N = arith.addf %D, %W : !M\n%y = pattern.read %N, %q : "
              "!M, !K\n%t = math.tanh %y : !V\n"
              "%t2 = arith.mulf %t, %y : !V\npattern.yield outputs(%t2 : !V) states(%N : !M)"}},
    {"MaskedKey",
     plain,
     {DECAY "%zk = arith.constant dense<0.0> : !K\n%km = arith.select %on, %k, %zk : !K\n%D = arith.mulf %A, "
            "%S : !M\n"
            "%W = pattern.outer %km, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"MatrixOverwritten",
     "scalar decay, reads 1+0, writes 1, feedback 0",
     {"%N = pattern.outer %k, %v : !K, !V\n" READ_OLD}},
    {"StateKeptAsItIs",
     "no decay, reads 0+1, writes 0, feedback 0",
     {"%y = pattern.read %S, %q : !M, !K\npattern.yield outputs(%y : !V) states(%S : !M)"}},
    {"HouseholderReflection",
     "no decay, reads 1+1, writes 1, feedback 1",
     {"%p = pattern.read %S, %k : !M, !K\n%two = arith.constant dense<2.0> : !V\n%t = arith.mulf %two, %p : "
      "!V\n"
      "%W = pattern.outer %k, %t : !K, !V\n%N = arith.subf %S, %W : !M\n" READ_NEXT}},
    {"QueryScaled",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n"
            "%sc = arith.constant dense<0.125> : !K\n%qs = arith.mulf %q, %sc : !K\n%y = pattern.read %N, "
            "%qs : !M, !K\n"
            "%z = pattern.read %N, %q : !M, !K\n%o = arith.addf %y, %z : !V\npattern.yield outputs(%o : !V) "
            "states(%N : !M)"}},
    {"SumAndDifferenceOfReads",
     "scalar decay, reads 1+1, writes 1, feedback 0",
     {DECAY
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n"
      "%y = pattern.read %N, %q : !M, !K\n%Y = arith.addf %N, %N : !M\n%z = pattern.read %Y, %q : !M, !K\n"
      "%o = arith.subf %z, %y : !V\npattern.yield outputs(%o : !V) states(%N : !M)"}},

    // Several states, vectors and scalars.
    {"NormaliserBesideTheState",
     "scalar decay, reads 0+1, writes 1, feedback 0; scalar decay, reads 0+1, writes 1, feedback 0",
     {DECAY
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n"
      "%AK = pattern.broadcast %a : f32 to !K\n%n1 = arith.mulf %AK, %T : !K\n%n = arith.addf %n1, %k : !K\n"
      "%y = pattern.read %N, %q : !M, !K\n%z = pattern.dot %n, %q : !K\n%m = math.absf %z : f32\n%one = "
      "arith.constant 1.0 : f32\n"
      "%x = arith.maximumf %m, %one : f32\n%X = pattern.broadcast %x : f32 to !V\n%o = arith.divf %y, %X : "
      "!V\n"
      "pattern.yield outputs(%o : !V) states(%N, %n : !M, !K)",
      {"5x4", "5"}}},
    {"NormaliserReadAsASumOfProducts",
     "row-wise decay, reads 0+1, writes 1, feedback 0",
     {"%a = pattern.sigmoid %h : !K\n%n1 = arith.mulf %a, %S : !K\n%n = arith.addf %n1, %k : !K\n%x = "
      "arith.mulf %n, %q : !K\n"
      "%z = pattern.sum %x over 0 : !K\npattern.yield outputs(%z : f32) states(%n : !K)",
      {"5"},
      {""}}},
    {"VectorStateWithFeedback",
     "no decay, reads 1+1, writes 1, feedback 1",
     {B "%p = pattern.dot %S, %k : !K\n%x = arith.subf %g, %p : f32\n%y = arith.mulf %x, %b : f32\n%Y = "
        "pattern.broadcast %y : f32 to !K\n"
        "%w = arith.mulf %Y, %k : !K\n%n = arith.addf %S, %w : !K\n%z = pattern.dot %q, %n : !K\n"
        "pattern.yield outputs(%z : f32) states(%n : !K)",
      {"5"},
      {""}}},
    {"VectorStateWithFeedbackExpanded",
     "no decay, reads 1+1, writes 1, feedback 1",
     {B "%p = pattern.dot %S, %k : !K\n%P2 = pattern.broadcast %p : f32 to !K\n%G = pattern.broadcast %g : "
        "f32 to !K\n%x = arith.mulf %P2, %k : !K\n"
        "%y = arith.mulf %G, %k : !K\n%d1 = arith.subf %y, %x : !K\n%w = arith.mulf %bk, %d1 : !K\n%n = "
        "arith.addf %S, %w : !K\n"
        "%z = pattern.dot %q, %n : !K\npattern.yield outputs(%z : f32) states(%n : !K)",
      {"5"},
      {""}}},
    {"VectorAlongTheValues",
     "scalar decay, reads 1+0, writes 1, feedback 0",
     {DECAY "%n1 = arith.mulf %AV, %S : !V\n%n = arith.addf %n1, %v : !V\n%t = math.tanh %n : !V\n"
            "pattern.yield outputs(%t : !V) states(%n : !V)",
      {"4"}}},
    {"ScalarState",
     "scalar decay, reads 1+0, writes 1, feedback 0",
     {DECAY "%n1 = arith.mulf %S, %a : f32\n%n = arith.addf %g, %n1 : f32\npattern.yield outputs(%n : f32) "
            "states(%n : f32)",
      {""},
      {""}}},
    {"ScalarStateInterpolated",
     "scalar decay, reads 1+0, writes 1, feedback 0",
     {"%a = pattern.sigmoid %g : f32\n%x = arith.subf %b, %S : f32\n%y = arith.mulf %x, %a : f32\n%n = "
      "arith.addf %S, %y : f32\n"
      "%t = math.tanh %n : f32\npattern.yield outputs(%t : f32) states(%n : f32)",
      {""},
      {""}}},
    {"SmoothedValueWritten",
     "scalar decay, reads 1+0, writes 1, feedback 0; scalar decay, reads 0+1, writes 1, feedback 0",
     {DECAY
      "%n1 = arith.mulf %AV, %T : !V\n%n = arith.addf %n1, %v : !V\n%t = math.tanh %n : !V\n%D = arith.mulf "
      "%A, %S : !M\n"
      "%W = pattern.outer %k, %t : !K, !V\n%N = arith.addf %D, %W : !M\n%y = pattern.read %N, %q : !M, !K\n"
      "pattern.yield outputs(%y : !V) states(%N, %n : !M, !V)",
      {"5x4", "4"}}},
    {"SecondMemoryFedByReadsOfTheFirst",
     "scalar decay, reads 0+1, writes 1, feedback 0; no decay, reads 1+1, writes 1, feedback 1",
     {DECAY B
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n%y = "
      "pattern.read %N, %q : !M, !K\n"
      "%t = math.tanh %y : !V\n%p = pattern.read %T, %l : !M, !K\n%x = arith.subf %t, %p : !V\n%w = "
      "arith.mulf %x, %bv : !V\n"
      "%X = pattern.outer %l, %w : !K, !V\n%N2 = arith.addf %T, %X : !M\n%z = pattern.read %N2, %q : !M, !K\n"
      "pattern.yield outputs(%z : !V) states(%N, %N2 : !M, !M)",
      {"5x4", "5x4"}}},
    {"DecayOfOneStateReadFromAnother",
     "no decay, reads 1+0, writes 1, feedback 0; scalar decay, reads 0+1, writes 1, feedback 0",
     {"%z = pattern.dot %T, %q : !K\n%n = arith.addf %T, %k : !K\n%a = pattern.sigmoid %z : f32\n%A = "
      "pattern.broadcast %a : f32 to !M\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : !M\n"
      "%y = pattern.read %N, %q : !M, !K\npattern.yield outputs(%y : !V) states(%N, %n : !M, !K)",
      {"5x4", "5"}}},
    {"ParameterMatrixApplied",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%L = pattern.outer %P, %u : "
            "!K, !V\n%vv = pattern.read %L, %l : !M, !K\n"
            "%X = pattern.outer %k, %vv : !K, !V\n%N1 = arith.addf %D, %W : !M\n%N = arith.addf %N1, %X : "
            "!M\n" READ_NEXT}},

    {"DecayOfRowsAndColumns",
     "row-wise and by value decay, reads 0+1, writes 1, feedback 0",
     {"%a = pattern.sigmoid %k : !K\n%cols = pattern.sigmoid %v : !V\n%A = pattern.outer %a, %cols : !K, !V\n"
      "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
      "!M\n" READ_NEXT}},
    {"DecayOfRowsAndColumnsAsOneExponential",
     "row-wise and by value decay, reads 0+1, writes 1, feedback 0",
     {DECAY
      "%sk = pattern.softplus %k : !K\n%sv = pattern.softplus %v : !V\n%SK = pattern.broadcast %sk along 0 : "
      "!K "
      "to "
      "!M\n%SV = pattern.broadcast %sv along 1 : !V to !M\n%SB = pattern.softplus %g : f32\n%SC = "
      "pattern.broadcast %SB : f32 to !M\n%X = arith.addf %SK, %SV : !M\n%Y = arith.addf %X, %SC : !M\n%Z = "
      "arith.negf %Y : !M\n%EX = math.exp %Z : !M\n%D = arith.mulf %EX, %S : !M\n%W = pattern.outer %k, %v : "
      "!K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT}},

    // Clauses.
    {"Segments",
     plain,
     {DECAY "%D = arith.mulf %A, %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %D, %W : "
            "!M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "segments(%segment : tensor<?x?xi32>)"}},
    {"SegmentsInReverseAlongAnOrder",
     gatedDelta,
     {DECAY B "%D = arith.mulf %A, %S : !M\n%p = pattern.read %D, %k : !M, !K\n%e = arith.subf %v, %p : !V\n"
              "%w = arith.mulf %bv, %e : !V\n%W = pattern.outer %k, %w : !K, !V\n%N = arith.addf %D, %W : "
              "!M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "order(%order : tensor<?x?xi32>) segments(%segment : tensor<?x?xi32>)",
      true}},
    {"SourceAndOutputMask",
     gatedDelta,
     {DECAY B "%D = arith.mulf %A, %S : !M\n%p = pattern.read %D, %k : !M, !K\n%e = arith.subf %v, %p : !V\n"
              "%w = arith.mulf %bv, %e : !V\n%W = pattern.outer %k, %w : !K, !V\n%N = arith.addf %D, %W : "
              "!M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "order(%order : tensor<?x?xi32>) source_mask(%mask : tensor<?x?xi1>) zeroes(%k, %v)\noutput_mask(%mask "
      ": tensor<?x?xi1>)"}},
    {"SourceMaskOfALaggedKey",
     plain,
     {DECAY "%k1 = pattern.lag %k by 2 : !K\n%kk = arith.addf %k, %k1 : !K\n%D = arith.mulf %A, %S : !M\n"
            "%W = pattern.outer %kk, %v : !K, !V\n%N = arith.addf %D, %W : !M\n" READ_NEXT,
      {"5x4"},
      {"4"},
      "source_mask(%mask : tensor<?x?xi1>) zeroes(%k)"}},

    // What is outside the form.
    {"TanhOnTheStatesPath",
     "opaque at 4: 'math.tanh' is on the path from the state to itself and is not linear in it",
     {B
      "%p = math.tanh %S : !M\n%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %p, %W : !M\n" READ_NEXT}},
    {"TanhInTheFeedback",
     "opaque at 5: 'math.tanh' is on the path from the state to itself and is not linear in it",
     {B "%p = pattern.read %S, %k : !M, !K\n%t = math.tanh %p : !V\n%W = pattern.outer %k, %t : !K, !V\n%N = "
        "arith.subf %S, %W : !M\n" READ_NEXT}},
    {"TanhInTheFeedbackOfATransposedState",
     "opaque at 2: 'math.tanh' is on the path from the state to itself and is not linear in it",
     {"%p = pattern.read_transposed %S, %k : !T, !K\n%t = math.tanh %p : !V\n%W = pattern.outer %t, %k : !V, "
      "!K\n%N = arith.subf %S, %W : !T\n"
      "%y = pattern.read_transposed %N, %q : !T, !K\npattern.yield outputs(%y : !V) states(%N : !T)",
      {"4x5"}}},
    {"UnprovenDecay",
     "opaque at 1: the decay exp(all_g) is not known to be at most 1; state its range with pattern.assume",
     {"%a = math.exp %g : f32\n%A = pattern.broadcast %a : f32 to !M\n%D = arith.mulf %A, %S : !M\n%W = "
      "pattern.outer %k, %v : !K, !V\n"
      "%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"DecayOfUnknownSignAndSize",
     "opaque at 1: the decay all_g is not known to be in [-1, 1]; state its range with pattern.assume",
     {"%A = pattern.broadcast %g : f32 to !M\n%D = arith.mulf %A, %S : !M\n%W = "
      "pattern.outer %k, %v : !K, !V\n"
      "%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"ColumnDecayBesideFeedback",
     "opaque at 1: the decay differs between value columns, beside feedback: each column would need a "
     "triangular system of its own",
     {"%a = pattern.sigmoid %v : !V\n%A = pattern.broadcast %a along 1 : !V to !M\n%D = arith.mulf %A, %S : "
      "!M\n"
      "%p = pattern.read %S, %k : !M, !K\n%e = arith.subf %v, %p : !V\n%W = pattern.outer %k, %e : !K, !V\n"
      "%N = arith.addf %D, %W : !M\n" READ_NEXT}},
    {"FullMatrixDecay",
     "opaque at 2: 'math.exp' makes a full matrix for each token",
     {"%X = pattern.outer %k, %v : !K, !V\n%A = math.exp %X : !M\n%D = arith.mulf %A, %S : !M\n%N = "
      "arith.addf %D, %X : !M\n" READ_NEXT}},
    {"GateOfEachColumnInTheFeedback",
     "opaque at 3: 'arith.mulf' scales what was read differently in each column before it is written back: "
     "each "
     "column would need a triangular system of its own",
     {"%p = pattern.read %S, %k : !M, !K\n%e = arith.subf %v, %p : !V\n%w = arith.mulf %u, %e : !V\n%W = "
      "pattern.outer %k, %w : !K, !V\n"
      "%N = arith.addf %S, %W : !M\n" READ_NEXT}},
    {"MutuallyCoupledStates",
     "2 states coupled by 2, reads 2+0, writes 2, feedback 2",
     {"%y = pattern.read %S, %q : !M, !K\n%z = pattern.read %T, %q : !M, !K\n%W = pattern.outer %k, %z : !K, "
      "!V\n%X = pattern.outer %k, %y : !K, !V\n"
      "%N = arith.addf %S, %W : !M\n%N2 = arith.addf %T, %X : !M\npattern.yield outputs(%y : !V) states(%N, "
      "%N2 : !M, !M)",
      {"5x4", "5x4"}}},
    {"StatesAddedTogether",
     "2 states coupled by 3, reads 0+1, writes 1, feedback 0",
     {"%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %S, %T : !M\n%N2 = arith.addf %T, %W : !M\n%y = "
      "pattern.read %N, %q : !M, !K\n"
      "pattern.yield outputs(%y : !V) states(%N, %N2 : !M, !M)",
      {"5x4", "5x4"}}},
    {"StatesSwapped",
     "2 states coupled by 2, reads 1+0, writes 1, feedback 0",
     {"%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %S, %W : !M\n%y = pattern.read %N, %q : !M, !K\n"
      "pattern.yield outputs(%y : !V) states(%T, %N : !M, !M)",
      {"5x4", "5x4"}}},
    {"KeyFromTheState",
     "opaque at 2: 'pattern.read_transposed' reads the state along an axis other than its key's",
     {"%y = pattern.read %S, %q : !M, !K\n%z = pattern.read_transposed %S, %y : !M, !V\n%W = pattern.outer "
      "%z, %v : !K, !V\n"
      "%N = arith.addf %S, %W : !M\n%o = pattern.read %N, %q : !M, !K\npattern.yield outputs(%o : !V) "
      "states(%N : !M)"}},
    {"ReadAlongTheOtherAxis",
     "opaque at 4: 'pattern.read_transposed' reads the state along an axis other than its key's",
     {"%W = pattern.outer %k, %v : !K, !V\n%N = arith.addf %S, %W : !M\n%y = pattern.read %N, %q : !M, "
      "!K\n%z = pattern.read_transposed %N, %u : !M, !V\n"
      "pattern.yield outputs(%y, %z : !V, !K) states(%N : !M)",
      {"5x4"},
      {"4", "5"}}},
    {"StateSquared",
     "opaque at 1: 'arith.mulf' is on the path from the state to itself and is not linear in it",
     {"%N = arith.mulf %S, %S : !M\n" READ_NEXT}},
    {"DecayFromTheSameState",
     "opaque at 3: the decay depends on what was read from the same state",
     {"%y = pattern.read %S, %q : !M, !K\n%z = pattern.dot %y, %u : !V\n%a = pattern.sigmoid %z : f32\n%A = "
      "pattern.broadcast %a : f32 to !M\n"
      "%N = arith.mulf %A, %S : !M\npattern.yield outputs(%y : !V) states(%N : !M)"}},
};

class NormalForm : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(NormalForm, ComputesWhatTheScanComputes) { expectSameResults(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Idioms, NormalForm, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.name); });
