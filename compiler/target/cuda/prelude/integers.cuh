// Integers of one bit (bool) to 64, by docs/patterns.md: they wrap, division by zero is defined, and to signed
// functions a true bool is -1.
namespace prelude {

using i8 = signed char;
using i16 = short;

/// An integer as unsigned and as signed functions see it, of 32 bits at least.
LINMU_FUNCTION u32 unsigned_of(bool x) { return x; }
LINMU_FUNCTION u32 unsigned_of(i8 x) { return static_cast<u8>(x); }
LINMU_FUNCTION u32 unsigned_of(i16 x) { return static_cast<u16>(x); }
LINMU_FUNCTION u32 unsigned_of(i32 x) { return static_cast<u32>(x); }
LINMU_FUNCTION u64 unsigned_of(i64 x) { return static_cast<u64>(x); }
LINMU_FUNCTION i32 signed_of(bool x) { return x ? -1 : 0; }
LINMU_FUNCTION i32 signed_of(i8 x) { return x; }
LINMU_FUNCTION i32 signed_of(i16 x) { return x; }
LINMU_FUNCTION i32 signed_of(i32 x) { return x; }
LINMU_FUNCTION i64 signed_of(i64 x) { return x; }

/// Modulo 2^bits.
template <class To> struct Wrap {
  template <class From> static LINMU_FUNCTION To of(From x) { return static_cast<To>(x); }
};
template <> struct Wrap<bool> {
  template <class From> static LINMU_FUNCTION bool of(From x) { return (x & 1) != 0; }
};

template <class T> LINMU_FUNCTION T add(T a, T b) { return Wrap<T>::of(unsigned_of(a) + unsigned_of(b)); }
template <class T> LINMU_FUNCTION T subtract(T a, T b) { return Wrap<T>::of(unsigned_of(a) - unsigned_of(b)); }
template <class T> LINMU_FUNCTION T multiply(T a, T b) { return Wrap<T>::of(unsigned_of(a) * unsigned_of(b)); }
/// Of indices, which stay inside their operands.
LINMU_FUNCTION i32 add_index(i32 a, i32 b) { return a + b; }
LINMU_FUNCTION i32 subtract_index(i32 a, i32 b) { return a - b; }
LINMU_FUNCTION i32 multiply_index(i32 a, i32 b) { return a * b; }
template <class T> LINMU_FUNCTION T bit_and(T a, T b) { return Wrap<T>::of(unsigned_of(a) & unsigned_of(b)); }
template <class T> LINMU_FUNCTION T bit_or(T a, T b) { return Wrap<T>::of(unsigned_of(a) | unsigned_of(b)); }
template <class T> LINMU_FUNCTION T bit_xor(T a, T b) { return Wrap<T>::of(unsigned_of(a) ^ unsigned_of(b)); }
template <class T> LINMU_FUNCTION T minimum(T a, T b) { return signed_of(b) < signed_of(a) ? b : a; }
template <class T> LINMU_FUNCTION T maximum(T a, T b) { return signed_of(a) < signed_of(b) ? b : a; }
template <class T> LINMU_FUNCTION T minimum_unsigned(T a, T b) { return unsigned_of(b) < unsigned_of(a) ? b : a; }
template <class T> LINMU_FUNCTION T maximum_unsigned(T a, T b) { return unsigned_of(a) < unsigned_of(b) ? b : a; }
/// The smallest integer stays.
template <class T> LINMU_FUNCTION T abs(T x) { return signed_of(x) < 0 ? Wrap<T>::of(0 - unsigned_of(x)) : x; }

/// By fewer bits than there are.
template <class T> LINMU_FUNCTION T shift_left(T a, T bits) { return Wrap<T>::of(unsigned_of(a) << unsigned_of(bits)); }
template <class T> LINMU_FUNCTION T shift_right(T a, T bits) { return Wrap<T>::of(signed_of(a) >> unsigned_of(bits)); }
template <class T> LINMU_FUNCTION T shift_right_unsigned(T a, T bits) {
  return Wrap<T>::of(unsigned_of(a) >> unsigned_of(bits));
}

/// Towards zero; x / 0 is -1, and the smallest integer by -1 itself.
template <class T> LINMU_FUNCTION T divide(T a, T b) {
  auto divisor = signed_of(b);
  if (divisor == 0)
    return Wrap<T>::of(-1);
  return divisor == -1 ? Wrap<T>::of(0 - unsigned_of(a)) : Wrap<T>::of(signed_of(a) / divisor);
}
/// What `divide` leaves, of a's sign; x % 0 is x.
template <class T> LINMU_FUNCTION T remainder(T a, T b) {
  auto divisor = signed_of(b);
  if (divisor == 0)
    return a;
  return divisor == -1 ? Wrap<T>::of(0) : Wrap<T>::of(signed_of(a) % divisor);
}
/// By 0 the largest integer, as -1 is.
template <class T> LINMU_FUNCTION T divide_unsigned(T a, T b) {
  return unsigned_of(b) == 0 ? Wrap<T>::of(-1) : Wrap<T>::of(unsigned_of(a) / unsigned_of(b));
}
template <class T> LINMU_FUNCTION T remainder_unsigned(T a, T b) {
  return unsigned_of(b) == 0 ? a : Wrap<T>::of(unsigned_of(a) % unsigned_of(b));
}
template <class T> LINMU_FUNCTION T ceil_divide_unsigned(T a, T b) {
  if (unsigned_of(a) == 0 || unsigned_of(b) == 0)
    return divide_unsigned(a, b);
  return Wrap<T>::of((unsigned_of(a) - 1) / unsigned_of(b) + 1);
}
/// Towards the larger and towards the smaller integer; by 0 and by -1 as `divide`.
template <class T> LINMU_FUNCTION T ceil_divide(T a, T b) {
  auto rest = signed_of(remainder(a, b));
  bool up = signed_of(b) != 0 && rest != 0 && (rest < 0) == (signed_of(b) < 0);
  return Wrap<T>::of(unsigned_of(divide(a, b)) + (up ? 1 : 0));
}
template <class T> LINMU_FUNCTION T floor_divide(T a, T b) {
  auto rest = signed_of(remainder(a, b));
  bool down = signed_of(b) != 0 && rest != 0 && (rest < 0) != (signed_of(b) < 0);
  return Wrap<T>::of(unsigned_of(divide(a, b)) - (down ? 1 : 0));
}

template <class T> LINMU_FUNCTION bool compare_eq(T a, T b) { return a == b; }
template <class T> LINMU_FUNCTION bool compare_ne(T a, T b) { return a != b; }
template <class T> LINMU_FUNCTION bool compare_slt(T a, T b) { return signed_of(a) < signed_of(b); }
template <class T> LINMU_FUNCTION bool compare_sle(T a, T b) { return signed_of(a) <= signed_of(b); }
template <class T> LINMU_FUNCTION bool compare_sgt(T a, T b) { return signed_of(a) > signed_of(b); }
template <class T> LINMU_FUNCTION bool compare_sge(T a, T b) { return signed_of(a) >= signed_of(b); }
template <class T> LINMU_FUNCTION bool compare_ult(T a, T b) { return unsigned_of(a) < unsigned_of(b); }
template <class T> LINMU_FUNCTION bool compare_ule(T a, T b) { return unsigned_of(a) <= unsigned_of(b); }
template <class T> LINMU_FUNCTION bool compare_ugt(T a, T b) { return unsigned_of(a) > unsigned_of(b); }
template <class T> LINMU_FUNCTION bool compare_uge(T a, T b) { return unsigned_of(a) >= unsigned_of(b); }

} // namespace prelude
