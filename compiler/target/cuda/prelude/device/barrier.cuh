// Barriers of whole warps of a block. Waiting threads see what all that came wrote before.
namespace prelude {

/// All threads of the block.
LINMU_FUNCTION void barrier() { asm volatile("bar.sync 0;" ::: "memory"); }
/// Barrier `id` (1 to 15) of `threads` threads, a multiple of 32.
LINMU_FUNCTION void barrier(u32 id, u32 threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// Counts towards barrier `id` without waiting.
LINMU_FUNCTION void barrier_arrive(u32 id, u32 threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// A barrier of all threads; whether the condition holds for any.
LINMU_FUNCTION bool barrier_any(bool condition) {
  u32 result;
  asm volatile(
      "{\n .reg .pred p, q;\n setp.ne.u32 p, %1, 0;\n bar.red.or.pred q, 0, p;\n selp.u32 %0, 1, 0, q;\n}"
      : "=r"(result)
      : "r"(static_cast<u32>(condition))
      : "memory");
  return result != 0;
}

/// What this thread wrote or has seen through ordinary accesses is there for the asynchronous proxy (sm_90).
LINMU_FUNCTION void fence_proxy_async() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.proxy.async;" ::: "memory");
#else
  asm volatile("trap;");
#endif
}

} // namespace prelude
