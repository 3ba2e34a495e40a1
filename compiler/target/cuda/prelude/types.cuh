// Types of both preludes. LINMU_FUNCTION stands before every function.
namespace prelude {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned;
using u64 = unsigned long long;
using i32 = int;
using i64 = long long;
using f32 = float;

/// Numbers of 16 bits, by their bits; arithmetic is done in f32.
struct bf16 {
  u16 bits;
};
struct f16 {
  u16 bits;
};

/// The registers of a thread, or what one access moves: 1, 2, 4, 8 or 16 bytes are aligned to their number, others to
/// the greatest of these that divides it.
template <class T, int Count> struct alignas((sizeof(T) * Count | 16) & (~(sizeof(T) * Count | 16) + 1)) Vector {
  T elements[Count];
  LINMU_FUNCTION T &operator[](int index) { return elements[index]; }
  LINMU_FUNCTION const T &operator[](int index) const { return elements[index]; }
};

/// The same bits as another type of the same size.
template <class To, class From> LINMU_FUNCTION To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "requires types of one size");
  union Both {
    From from;
    To to;
    LINMU_FUNCTION Both() {}
  } both;
  both.from = from;
  return both.to;
}

} // namespace prelude
