// From one type to another, by docs/patterns.md.
namespace prelude {

/// f32 as a number of another type, to nearest, ties to even.
template <class To> struct Rounded;
template <> struct Rounded<f32> {
  static LINMU_FUNCTION f32 of(f32 x) { return x; }
};
template <> struct Rounded<bf16> {
  static LINMU_FUNCTION bf16 of(f32 x) { return to_bf16(x); }
};
template <> struct Rounded<f16> {
  static LINMU_FUNCTION f16 of(f32 x) { return to_f16(x); }
};

/// Between f32, bf16 and f16.
template <class To, class From> LINMU_FUNCTION To round_to(From x) { return Rounded<To>::of(to_f32(x)); }
/// Integers as numbers.
template <class To, class From> LINMU_FUNCTION To from_signed(From x) {
  return Rounded<To>::of(static_cast<f32>(signed_of(x)));
}
template <class To, class From> LINMU_FUNCTION To from_unsigned(From x) {
  return Rounded<To>::of(static_cast<f32>(unsigned_of(x)));
}
/// Between integers: extended by the sign or by zeros, or without the highest bits.
template <class To, class From> LINMU_FUNCTION To convert_signed(From x) { return Wrap<To>::of(signed_of(x)); }
template <class To, class From> LINMU_FUNCTION To convert_unsigned(From x) { return Wrap<To>::of(unsigned_of(x)); }

/// Integers of numbers, between two powers of two: towards zero, to the nearest that there is; NaN is 0.
template <class To> struct Truncated {
  static constexpr int bits = sizeof(To) * 8;
  static constexpr f32 half = static_cast<f32>(u64(1) << (bits - 1));
  static LINMU_FUNCTION To to_signed(f32 x) {
    constexpr To smallest = static_cast<To>(u64(1) << (bits - 1)), largest = static_cast<To>(~smallest);
    if (!(x > -half))
      return x == x ? smallest : To(0);
    return x < half ? static_cast<To>(x) : largest;
  }
  static LINMU_FUNCTION To to_unsigned(f32 x) {
    if (!(x > 0))
      return 0;
    return x < 2 * half ? static_cast<To>(static_cast<u64>(x)) : static_cast<To>(-1);
  }
};
template <> LINMU_FUNCTION i32 Truncated<i32>::to_signed(f32 x) { return truncated_to_i32(x); }
template <> struct Truncated<bool> {
  static LINMU_FUNCTION bool to_signed(f32 x) { return x <= -1; }
  static LINMU_FUNCTION bool to_unsigned(f32 x) { return x >= 1; }
};
template <class To, class From> LINMU_FUNCTION To to_signed(From x) { return Truncated<To>::to_signed(to_f32(x)); }
template <class To, class From> LINMU_FUNCTION To to_unsigned(From x) { return Truncated<To>::to_unsigned(to_f32(x)); }

} // namespace prelude
