// sin and cos: the argument is reduced in f64, and where that has too few digits by integers.
#include "compiler/target/cpu/FloatArithmetic.h"
#include "compiler/target/cpu/MathFunctions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace linmu::cpu;
using Predicate = arith::CmpFPredicate;

namespace {
/// x = r + q pi / 2, |r| <= pi / 4; of q only the lowest two bits count.
struct Quadrant {
  Value q; ///< i32
  Value r; ///< f32
};
} // namespace

/// By Cody and Waite in f64 with pi / 2 in two parts: good to a rounding of f32 below 2^50.
static Quadrant reduceBelow(MathBuilder &builder, Value x) {
  constexpr double magic = 0x1.8p52;
  Value wide = builder.convert<arith::ExtFOp>(x, builder.getF64Type());
  Value shifted = builder.fma(wide, builder.f64(0.63661977236758134308), builder.f64(magic));
  Value n = builder.subtract(shifted, builder.f64(magic));
  Value r = builder.fma(n, builder.f64(-1.5707963267948965580), wide);
  r = builder.fma(n, builder.f64(-6.1232339957367658861e-17), r);
  Value bits = builder.convert<arith::BitcastOp>(shifted, builder.getI64Type());
  return {builder.convert<arith::TruncIOp>(bits, builder.getI32Type()),
          builder.convert<arith::TruncFOp>(r, builder.getF32Type())};
}

/// By Payne and Hanek for 2^50 <= |x|: of x 2 / pi = m 2^(e - 23) 0.b1 b2 b3..., m whole, the bits of 2 / pi
/// before b[e - 24] give multiples of four. The 96 from there on times m are a quadrant, in their top two
/// bits, and the place in it.
static Quadrant reduceBeyond(MathBuilder &builder, Value x) {
  constexpr uint32_t twoOverPi[] = {0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0,
                                    0xDB629599, 0x3C439041, 0xFE5163AB};
  Type i64 = builder.getI64Type();
  Value bits = bitsOf(builder, x);
  Value biased = builder.both(builder.make<arith::ShRUIOp>(bits, builder.i32(23)), builder.i32(255));
  Value first = builder.make<arith::SubIOp>(biased, builder.i32(127 + 25)); // counted from 0
  Value word = builder.make<arith::ShRUIOp>(first, builder.i32(5));
  Value shift = builder.convert<arith::ExtUIOp>(builder.both(first, builder.i32(31)), i64);
  Value isWord[3];
  for (int which = 0; which < 3; ++which)
    isWord[which] = builder.compare(arith::CmpIPredicate::eq, word, builder.i32(which));
  auto wordAfter = [&](int ahead) {
    Value chosen = builder.i64(twoOverPi[3 + ahead]);
    for (int which = 0; which < 3; ++which)
      chosen = builder.select(isWord[which], builder.i64(twoOverPi[which + ahead]), chosen);
    return chosen;
  };
  auto left = [&](Value value, Value by) { return builder.make<arith::ShLIOp>(value, by); };
  auto right = [&](Value value, Value by) { return builder.make<arith::ShRUIOp>(value, by); };
  Value half = builder.i64(32);
  auto window = [&](int ahead) { // 32 bits from `first` + 32 * ahead
    Value pair = builder.either(left(wordAfter(ahead), half), wordAfter(ahead + 1));
    return right(left(pair, shift), half);
  };
  Value m = builder.either(builder.both(bits, builder.i32(0x7fffff)), builder.i32(0x800000));
  m = builder.convert<arith::ExtUIOp>(m, i64);
  auto product = [&](Value part) { return builder.make<arith::MulIOp>(m, part); };
  Value turns = builder.make<arith::AddIOp>(left(product(window(0)), half), product(window(1)));
  turns = builder.make<arith::AddIOp>(turns, right(product(window(2)), half));
  Value q = right(builder.make<arith::AddIOp>(turns, builder.i64(int64_t(1) << 61)), builder.i64(62));
  Value place = builder.make<arith::SubIOp>(turns, left(q, builder.i64(62)));
  Value r = builder.multiply(builder.convert<arith::SIToFPOp>(place, builder.getF64Type()),
                             builder.f64(1.5707963267948966 * 0x1p-62));
  r = builder.convert<arith::TruncFOp>(r, builder.getF32Type());
  q = builder.convert<arith::TruncIOp>(q, builder.getI32Type());
  Value isNegative = builder.compare(arith::CmpIPredicate::slt, bits, builder.i32(0));
  Value negated = builder.make<arith::SubIOp>(builder.i32(0), q);
  return {builder.select(isNegative, negated, q),
          builder.select(isNegative, arith::NegFOp::create(builder, r), r)};
}

static Quadrant reduce(MathBuilder &builder, Value x) {
  Quadrant near = reduceBelow(builder, x);
  Value isFar = builder.compare(Predicate::OGE, absolute(builder, x), builder.f32(0x1p50));
  Value any = isFar;
  if (builder.shape())
    any = vector::ReductionOp::create(builder, vector::CombiningKind::OR, isFar);
  auto branch =
      scf::IfOp::create(builder, TypeRange{near.q.getType(), near.r.getType()}, any, /*withElse=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  Quadrant far = reduceBeyond(builder, x);
  // Infinities have no quadrant, and stay NaN.
  Value isFinite = builder.compare(Predicate::OLT, absolute(builder, x), builder.f32(INFINITY));
  isFar = builder.both(isFar, isFinite);
  scf::YieldOp::create(
      builder, ValueRange{builder.select(isFar, far.q, near.q), builder.select(isFar, far.r, near.r)});
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, ValueRange{near.q, near.r});
  return {branch.getResult(0), branch.getResult(1)};
}

/// sin of q quarters of a turn and r, by Cephes' sinf and cosf.
static Value sineOf(MathBuilder &builder, Value q, Value r) {
  Value square = builder.multiply(r, r);
  Value p = polynomial(builder, square, {-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1});
  Value sine = copySign(builder, builder.fma(builder.multiply(p, square), r, r), r);
  p = polynomial(builder, square, {2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2});
  Value cosine = builder.fma(p, builder.multiply(square, square),
                             builder.fma(builder.f32(-0.5), square, builder.f32(1)));
  Value isOdd = builder.compare(arith::CmpIPredicate::ne, builder.both(q, builder.i32(1)), builder.i32(0));
  Value sign = builder.make<arith::ShLIOp>(builder.both(q, builder.i32(2)), builder.i32(30));
  Value value = bitsOf(builder, builder.select(isOdd, cosine, sine));
  return fromBits(builder, builder.make<arith::XOrIOp>(value, sign));
}

Value linmu::cpu::sine(MathBuilder &builder, Value x) {
  Quadrant at = reduce(builder, x);
  return sineOf(builder, at.q, at.r);
}

Value linmu::cpu::cosine(MathBuilder &builder, Value x) {
  Quadrant at = reduce(builder, x);
  return sineOf(builder, builder.make<arith::AddIOp>(at.q, builder.i32(1)), at.r);
}
