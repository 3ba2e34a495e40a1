// Global and shared memory: loads and stores of 1 to 16 bytes. Every access is volatile, so that they keep
// their order; ptxas, which knows what may alias, reorders them.
namespace prelude {

/// A place in an operand, counted in elements. As a kernel's parameter it is a pointer.
template <class T> struct Global {
  T *pointer;
  LINMU_FUNCTION Global operator+(i64 elements) const { return {pointer + elements}; }
  /// `index` strides on, of which each is less than 2^31 bytes: one instruction.
  LINMU_FUNCTION Global step(i32 index, i64 stride) const {
    i32 bytes = static_cast<i32>(stride * i64(sizeof(T)));
    return {reinterpret_cast<T *>(reinterpret_cast<u64>(pointer) + static_cast<u64>(i64(index) * i64(bytes)))};
  }
  /// The same where the index has nothing to do with others: one instruction also if the stride comes from
  /// outside a loop, where what is shared between places would cost more than the places.
  LINMU_FUNCTION Global step_anywhere(i32 index, i64 stride) const {
    i32 bytes = static_cast<i32>(stride * i64(sizeof(T)));
    u64 address;
    asm("mad.wide.s32 %0, %1, %2, %3;" : "=l"(address) : "r"(index), "r"(bytes), "l"(reinterpret_cast<u64>(pointer)));
    return {reinterpret_cast<T *>(address)};
  }
};

/// A place in shared memory, counted in bytes.
struct Shared {
  u32 address;
  LINMU_FUNCTION Shared operator+(u32 bytes) const { return {address + bytes}; }
};

/// The block's dynamic shared memory, aligned to 128 bytes.
LINMU_FUNCTION Shared shared_memory() {
  extern __shared__ __align__(128) unsigned char dynamic[];
  return {static_cast<u32>(__cvta_generic_to_shared(dynamic))};
}

/// The register that an access of so many bytes takes.
template <int Bytes> struct Size;
template <> struct Size<1> {
  using Register = u16; // the smallest there is
};
template <> struct Size<2> {
  using Register = u16;
};
template <> struct Size<4> {
  using Register = u32;
};
template <> struct Size<8> {
  using Register = u64;
};
template <> struct Size<16> {
  using Register = Vector<u32, 4>;
};

#define LINMU_LOAD(pointer_type, pointer_constraint, load_name, load_text)                                   \
  LINMU_FUNCTION void load_name(u16 &to, pointer_type from, Size<1>) {                                       \
    asm volatile(load_text ".u8 %0, [%1];" : "=h"(to) : pointer_constraint(from));                           \
  }                                                                                                          \
  LINMU_FUNCTION void load_name(u16 &to, pointer_type from, Size<2>) {                                       \
    asm volatile(load_text ".u16 %0, [%1];" : "=h"(to) : pointer_constraint(from));                          \
  }                                                                                                          \
  LINMU_FUNCTION void load_name(u32 &to, pointer_type from, Size<4>) {                                       \
    asm volatile(load_text ".u32 %0, [%1];" : "=r"(to) : pointer_constraint(from));                          \
  }                                                                                                          \
  LINMU_FUNCTION void load_name(u64 &to, pointer_type from, Size<8>) {                                       \
    asm volatile(load_text ".u64 %0, [%1];" : "=l"(to) : pointer_constraint(from));                          \
  }                                                                                                          \
  LINMU_FUNCTION void load_name(Vector<u32, 4> &to, pointer_type from, Size<16>) {                           \
    asm volatile(load_text ".v4.u32 {%0, %1, %2, %3}, [%4];"                                                 \
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])                                        \
                 : pointer_constraint(from));                                                                \
  }

#define LINMU_STORE(space, pointer_type, pointer_constraint, store_name)                                     \
  LINMU_FUNCTION void store_name(pointer_type to, u16 value, Size<1>) {                                      \
    asm volatile("st." space ".u8 [%0], %1;" ::pointer_constraint(to), "h"(value));                          \
  }                                                                                                          \
  LINMU_FUNCTION void store_name(pointer_type to, u16 value, Size<2>) {                                      \
    asm volatile("st." space ".u16 [%0], %1;" ::pointer_constraint(to), "h"(value));                         \
  }                                                                                                          \
  LINMU_FUNCTION void store_name(pointer_type to, u32 value, Size<4>) {                                      \
    asm volatile("st." space ".u32 [%0], %1;" ::pointer_constraint(to), "r"(value));                         \
  }                                                                                                          \
  LINMU_FUNCTION void store_name(pointer_type to, u64 value, Size<8>) {                                      \
    asm volatile("st." space ".u64 [%0], %1;" ::pointer_constraint(to), "l"(value));                         \
  }                                                                                                          \
  LINMU_FUNCTION void store_name(pointer_type to, Vector<u32, 4> value, Size<16>) {                          \
    asm volatile("st." space ".v4.u32 [%0], {%1, %2, %3, %4};" ::pointer_constraint(to), "r"(value[0]),      \
                 "r"(value[1]), "r"(value[2]), "r"(value[3]));                                               \
  }

LINMU_LOAD(const void *, "l", load_global_raw, "ld.global")
LINMU_LOAD(const void *, "l", load_constant_raw, "ld.global.nc")
LINMU_LOAD(u32, "r", load_shared_raw, "ld.shared")
#define LINMU_LOAD_WHERE(register_type, constraint, bytes, suffix)                                           \
  LINMU_FUNCTION void load_global_where_raw(u32 live, register_type &to, const void *from, Size<bytes>) {      \
    to = 0;                                                                                                    \
    asm volatile("{.reg .pred p; setp.ne.u32 p, %1, 0; @p ld.global" suffix " %0, [%2];}"                      \
                 : constraint(to)                                                                              \
                 : "r"(live), "l"(from));                                                                      \
  }
LINMU_LOAD_WHERE(u16, "+h", 1, ".u8")
LINMU_LOAD_WHERE(u16, "+h", 2, ".u16")
LINMU_LOAD_WHERE(u32, "+r", 4, ".u32")
LINMU_LOAD_WHERE(u64, "+l", 8, ".u64")
#undef LINMU_LOAD_WHERE
LINMU_FUNCTION void load_global_where_raw(u32 live, Vector<u32, 4> &to, const void *from, Size<16>) {
  to = {};
  asm volatile("{.reg .pred p; setp.ne.u32 p, %4, 0; @p ld.global.v4.u32 {%0, %1, %2, %3}, [%5];}"
               : "+r"(to[0]), "+r"(to[1]), "+r"(to[2]), "+r"(to[3])
               : "r"(live), "l"(from));
}
LINMU_STORE("global", void *, "l", store_global_raw)
#define LINMU_STORE_WHERE(register_type, constraint, bytes, suffix)                                          \
  LINMU_FUNCTION void store_global_where_raw(u32 live, void *to, register_type value, Size<bytes>) {         \
    asm volatile("{.reg .pred p; setp.ne.u32 p, %0, 0; @p st.global" suffix " [%1], %2;}" ::"r"(live),       \
                 "l"(to), constraint(value));                                                                \
  }
LINMU_STORE_WHERE(u16, "h", 1, ".u8")
LINMU_STORE_WHERE(u16, "h", 2, ".u16")
LINMU_STORE_WHERE(u32, "r", 4, ".u32")
LINMU_STORE_WHERE(u64, "l", 8, ".u64")
#undef LINMU_STORE_WHERE
LINMU_FUNCTION void store_global_where_raw(u32 live, void *to, Vector<u32, 4> value, Size<16>) {
  asm volatile("{.reg .pred p; setp.ne.u32 p, %0, 0; @p st.global.v4.u32 [%1], {%2, %3, %4, %5};}" ::"r"(live),
               "l"(to), "r"(value[0]), "r"(value[1]), "r"(value[2]), "r"(value[3]));
}
LINMU_STORE("shared", u32, "r", store_shared_raw)
#undef LINMU_LOAD
#undef LINMU_STORE

template <class V> using RegisterOf = typename Size<sizeof(V)>::Register;
template <class V> LINMU_FUNCTION V from_register(RegisterOf<V> raw) {
  if constexpr (sizeof(V) == 1)
    return same_bits<V>(static_cast<u8>(raw));
  else
    return same_bits<V>(raw);
}
template <class V> LINMU_FUNCTION RegisterOf<V> to_register(V value) {
  if constexpr (sizeof(V) == 1)
    return same_bits<u8>(value);
  else
    return same_bits<RegisterOf<V>>(value);
}

/// `V` is what is moved; `from` and `to` must be aligned to it.
template <class V, class T> LINMU_FUNCTION V load_global(Global<T> from) {
  RegisterOf<V> raw;
  load_global_raw(raw, from.pointer, Size<sizeof(V)>());
  return from_register<V>(raw);
}
/// Zeros where `live` does not hold, without a branch.
template <class V, class T> LINMU_FUNCTION V load_global_where(bool live, Global<T> from) {
  RegisterOf<V> raw;
  load_global_where_raw(live, raw, from.pointer, Size<sizeof(V)>());
  return from_register<V>(raw);
}
/// From what nothing writes while the kernel runs.
template <class V, class T> LINMU_FUNCTION V load_constant(Global<T> from) {
  RegisterOf<V> raw;
  load_constant_raw(raw, from.pointer, Size<sizeof(V)>());
  return from_register<V>(raw);
}
template <class V, class T> LINMU_FUNCTION void store_global(Global<T> to, V value) {
  store_global_raw(to.pointer, to_register(value), Size<sizeof(V)>());
}
/// Only where `live` holds, without a branch.
template <class V, class T> LINMU_FUNCTION void store_global_where(bool live, Global<T> to, V value) {
  store_global_where_raw(live, to.pointer, to_register(value), Size<sizeof(V)>());
}
template <class V> LINMU_FUNCTION V load_shared(Shared from) {
  RegisterOf<V> raw;
  load_shared_raw(raw, from.address, Size<sizeof(V)>());
  return from_register<V>(raw);
}
template <class V> LINMU_FUNCTION void store_shared(Shared to, V value) {
  store_shared_raw(to.address, to_register(value), Size<sizeof(V)>());
}

/// Brings the line of `from` into the second-level cache.
template <class T> LINMU_FUNCTION void prefetch_global(Global<T> from) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(from.pointer));
}

} // namespace prelude
