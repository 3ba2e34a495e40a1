// What lanes of a warp say to each other; all 32 take part. Only sync_warp orders accesses to memory.
namespace prelude {

#define LINMU_SHUFFLE(name, mode, clamp)                                                                     \
  LINMU_FUNCTION u32 name(u32 value, u32 operand) {                                                          \
    u32 result;                                                                                              \
    asm volatile("shfl.sync." mode ".b32 %0, %1, %2, " clamp ", 0xffffffff;"                                 \
                 : "=r"(result)                                                                              \
                 : "r"(value), "r"(operand));                                                                \
    return result;                                                                                           \
  }                                                                                                          \
  LINMU_FUNCTION f32 name(f32 value, u32 operand) {                                                          \
    return same_bits<f32>(name(same_bits<u32>(value), operand));                                             \
  }

LINMU_SHUFFLE(shuffle, "idx", "31")       ///< the value of lane `operand` (modulo 32)
LINMU_SHUFFLE(shuffle_xor, "bfly", "31")  ///< of the lane whose number differs in the bits of `operand`
LINMU_SHUFFLE(shuffle_up, "up", "0")      ///< of the lane `operand` below; a lane that has none keeps its own
LINMU_SHUFFLE(shuffle_down, "down", "31") ///< of the lane `operand` above; a lane that has none keeps its own
#undef LINMU_SHUFFLE

/// Bit l: whether lane l's condition holds.
LINMU_FUNCTION u32 vote_ballot(bool condition) {
  u32 result;
  asm volatile("{\n .reg .pred p;\n setp.ne.u32 p, %1, 0;\n vote.sync.ballot.b32 %0, p, 0xffffffff;\n}"
               : "=r"(result)
               : "r"(static_cast<u32>(condition)));
  return result;
}
LINMU_FUNCTION bool vote_any(bool condition) { return vote_ballot(condition) != 0; }
LINMU_FUNCTION bool vote_all(bool condition) { return vote_ballot(condition) == 0xffffffff; }

/// Lanes wait for each other, and see what the others wrote before.
LINMU_FUNCTION void sync_warp() { asm volatile("bar.warp.sync 0xffffffff;" ::: "memory"); }

} // namespace prelude
