// The prelude for the host: the same names, each of which hands over to the emulation. What this does not
// know does not compile, and so is never taken for right. Stands behind Machine.h and types.cuh.
#include <type_traits>

namespace prelude {

using linmu::emulation::GlobalPlace;
using linmu::emulation::Lane;
using linmu::emulation::MemoryOp;
using linmu::emulation::WarpInstruction;
using linmu::emulation::Where;

inline linmu::emulation::Machine *machine = nullptr;

#define LINMU_WHERE Where where = {__builtin_FILE(), __builtin_LINE()}

inline u32 thread_index() { return machine->threadIndex(); }
inline u32 lane_index() { return thread_index() % 32; }
inline u32 warp_index() { return thread_index() / 32; }
template <int Dimension> u32 block_index() { return machine->blockIndex(Dimension); }
template <int Dimension> u32 block_count() { return machine->blockCount(Dimension); }

//===------------------------------------------------------------------------------------------------===//
// Memory
//===------------------------------------------------------------------------------------------------===//

template <class T> struct Global {
  GlobalPlace place;
  Global operator+(i64 elements) const { return {{place.buffer, place.offset + elements * i64(sizeof(T))}}; }
  Global step(i32 index, i64 stride) const { return *this + index * stride; }
  Global step_anywhere(i32 index, i64 stride) const { return step(index, stride); }
};

struct Shared {
  u32 address;
  Shared operator+(u32 bytes) const { return {address + bytes}; }
};
inline Shared shared_memory() { return {0}; }

template <class V, class T> V load_global(Global<T> from, LINMU_WHERE) {
  V value;
  machine->accessGlobal(MemoryOp::load, &value, from.place, sizeof(V), where);
  return value;
}
template <class V, class T> V load_constant(Global<T> from, LINMU_WHERE) {
  V value;
  machine->accessGlobal(MemoryOp::loadConstant, &value, from.place, sizeof(V), where);
  return value;
}
template <class V, class T> void store_global(Global<T> to, V value, LINMU_WHERE) {
  static_assert(!std::is_const_v<T>, "a kernel stores to an operand that it takes as const");
  machine->accessGlobal(MemoryOp::store, &value, to.place, sizeof(V), where);
}
template <class V, class T> V load_global_where(bool live, Global<T> from, LINMU_WHERE) {
  return live ? load_global<V>(from, where) : V{};
}
template <class V, class T> void store_global_where(bool live, Global<T> to, V value, LINMU_WHERE) {
  if (live)
    store_global(to, value, where);
}
template <class V> V load_shared(Shared from, LINMU_WHERE) {
  V value;
  machine->accessShared(MemoryOp::load, &value, from.address, sizeof(V), where);
  return value;
}
template <class V> void store_shared(Shared to, V value, LINMU_WHERE) {
  machine->accessShared(MemoryOp::store, &value, to.address, sizeof(V), where);
}
/// Has no effect that a program can see.
template <class T> void prefetch_global(Global<T>) {}

template <int Bytes, class T> void copy_async(Shared to, Global<T> from, LINMU_WHERE) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "requires 4, 8 or 16 bytes");
  machine->copyAsync(to.address, from.place, Bytes, Bytes, where);
}
template <int Bytes, class T> void copy_async(Shared to, Global<T> from, u32 live, LINMU_WHERE) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "requires 4, 8 or 16 bytes");
  machine->copyAsync(to.address, from.place, Bytes, live, where);
}
inline void copy_commit(LINMU_WHERE) { machine->copyCommit(where); }
template <int Pending> void copy_wait(LINMU_WHERE) { machine->copyWait(Pending, where); }

//===------------------------------------------------------------------------------------------------===//
// Warps and barriers
//===------------------------------------------------------------------------------------------------===//

inline u32 exchange(WarpInstruction instruction, u32 value, u32 operand, Where where) {
  Lane lane;
  lane.values[0] = value;
  lane.values[1] = operand;
  machine->warp(instruction, lane, where);
  return lane.values[0];
}
#define LINMU_SHUFFLE(name, instruction)                                                                     \
  inline u32 name(u32 value, u32 operand, LINMU_WHERE) {                                                     \
    return exchange(WarpInstruction::instruction, value, operand, where);                                    \
  }                                                                                                          \
  inline f32 name(f32 value, u32 operand, LINMU_WHERE) {                                                     \
    return same_bits<f32>(exchange(WarpInstruction::instruction, same_bits<u32>(value), operand, where));    \
  }
LINMU_SHUFFLE(shuffle, shuffle)
LINMU_SHUFFLE(shuffle_xor, shuffleXor)
LINMU_SHUFFLE(shuffle_up, shuffleUp)
LINMU_SHUFFLE(shuffle_down, shuffleDown)
#undef LINMU_SHUFFLE

inline u32 vote_ballot(bool condition, LINMU_WHERE) {
  return exchange(WarpInstruction::ballot, condition, 0, where);
}
inline bool vote_any(bool condition, LINMU_WHERE) { return vote_ballot(condition, where) != 0; }
inline bool vote_all(bool condition, LINMU_WHERE) { return vote_ballot(condition, where) == 0xffffffff; }
inline void sync_warp(LINMU_WHERE) { exchange(WarpInstruction::synchronize, 0, 0, where); }

inline void barrier(LINMU_WHERE) { machine->barrier(0, 0, true, false, where); }
inline void barrier(u32 id, u32 threads, LINMU_WHERE) { machine->barrier(id, threads, true, false, where); }
inline void barrier_arrive(u32 id, u32 threads, LINMU_WHERE) {
  machine->barrier(id, threads, false, false, where);
}
inline bool barrier_any(bool condition, LINMU_WHERE) {
  return machine->barrier(0, 0, true, condition, where);
}
inline void fence_proxy_async(LINMU_WHERE) { machine->fenceProxyAsync(where); }

//===------------------------------------------------------------------------------------------------===//
// Matrices
//===------------------------------------------------------------------------------------------------===//

template <class... Registers>
void load_matrices(WarpInstruction instruction, Where where, Shared row, Registers &...registers) {
  Lane lane;
  lane.address = row.address;
  lane.count = sizeof...(registers);
  machine->warp(instruction, lane, where);
  int next = 0;
  ((registers = lane.values[next++]), ...);
}
template <class... Registers>
void store_matrices(WarpInstruction instruction, Where where, Shared row, Registers... registers) {
  Lane lane;
  lane.address = row.address;
  lane.count = sizeof...(registers);
  int next = 0;
  ((lane.values[next++] = registers), ...);
  machine->warp(instruction, lane, where);
}
#define LINMU_MATRICES(suffix, instruction)                                                                  \
  inline void load_matrix##suffix##_x1(u32 &r0, Shared row, LINMU_WHERE) {                                   \
    load_matrices(WarpInstruction::load##instruction, where, row, r0);                                       \
  }                                                                                                          \
  inline void load_matrix##suffix##_x2(u32 &r0, u32 &r1, Shared row, LINMU_WHERE) {                          \
    load_matrices(WarpInstruction::load##instruction, where, row, r0, r1);                                   \
  }                                                                                                          \
  inline void load_matrix##suffix##_x4(u32 &r0, u32 &r1, u32 &r2, u32 &r3, Shared row, LINMU_WHERE) {        \
    load_matrices(WarpInstruction::load##instruction, where, row, r0, r1, r2, r3);                           \
  }                                                                                                          \
  inline void store_matrix##suffix##_x1(Shared row, u32 r0, LINMU_WHERE) {                                   \
    store_matrices(WarpInstruction::store##instruction, where, row, r0);                                     \
  }                                                                                                          \
  inline void store_matrix##suffix##_x2(Shared row, u32 r0, u32 r1, LINMU_WHERE) {                           \
    store_matrices(WarpInstruction::store##instruction, where, row, r0, r1);                                 \
  }                                                                                                          \
  inline void store_matrix##suffix##_x4(Shared row, u32 r0, u32 r1, u32 r2, u32 r3, LINMU_WHERE) {           \
    store_matrices(WarpInstruction::store##instruction, where, row, r0, r1, r2, r3);                         \
  }
LINMU_MATRICES(, Matrix)
LINMU_MATRICES(_transposed, MatrixTransposed)
#undef LINMU_MATRICES

template <class... Operands>
void multiply(WarpInstruction instruction, Where where, f32 (&sums)[4], Operands... operands) {
  Lane lane;
  int next = 0;
  ((lane.values[next++] = operands), ...);
  __builtin_memcpy(lane.sums, sums, sizeof(sums));
  machine->warp(instruction, lane, where);
  __builtin_memcpy(sums, lane.sums, sizeof(sums));
}
inline void mma_m16n8k16_bf16(f32 (&sums)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1, LINMU_WHERE) {
  multiply(WarpInstruction::productM16N8K16BF16, where, sums, a0, a1, a2, a3, b0, b1);
}
inline void mma_m16n8k16_f16(f32 (&sums)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1, LINMU_WHERE) {
  multiply(WarpInstruction::productM16N8K16F16, where, sums, a0, a1, a2, a3, b0, b1);
}
inline void mma_m16n8k8_bf16(f32 (&sums)[4], u32 a0, u32 a1, u32 b0, LINMU_WHERE) {
  multiply(WarpInstruction::productM16N8K8BF16, where, sums, a0, a1, b0);
}
inline void mma_m16n8k8_f16(f32 (&sums)[4], u32 a0, u32 a1, u32 b0, LINMU_WHERE) {
  multiply(WarpInstruction::productM16N8K8F16, where, sums, a0, a1, b0);
}
inline void mma_m16n8k8_tf32(f32 (&sums)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1, LINMU_WHERE) {
  multiply(WarpInstruction::productM16N8K8TF32, where, sums, a0, a1, a2, a3, b0, b1);
}

#undef LINMU_WHERE

} // namespace prelude
