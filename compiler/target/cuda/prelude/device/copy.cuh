// cp.async: copies from global to shared memory that run while the thread goes on (sm_80).
namespace prelude {

/// Starts a copy of 4, 8 or 16 bytes, aligned to them; the copies since the last commit form a group.
template <int Bytes, class T> LINMU_FUNCTION void copy_async(Shared to, Global<T> from) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "requires 4, 8 or 16 bytes");
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to.address), "l"(from.pointer));
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to.address), "l"(from.pointer),
                 "n"(Bytes));
}
/// Only the first `live` bytes are read; the others become zero.
template <int Bytes, class T> LINMU_FUNCTION void copy_async(Shared to, Global<T> from, u32 live) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "requires 4, 8 or 16 bytes");
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to.address), "l"(from.pointer),
                 "r"(live));
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to.address), "l"(from.pointer),
                 "n"(Bytes), "r"(live));
}

LINMU_FUNCTION void copy_commit() { asm volatile("cp.async.commit_group;"); }
/// Waits for this thread's groups but the last `Pending` ones; other threads see them after a barrier.
template <int Pending> LINMU_FUNCTION void copy_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

} // namespace prelude
