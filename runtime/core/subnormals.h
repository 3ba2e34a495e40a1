// How a thread computes with subnormal numbers while it runs a kernel.
#pragma once
#if defined(__x86_64__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace linmu {

/// While it lives, this thread takes numbers below 1.2e-38 as zero and rounds results below it to zero. A
/// state that decays passes through them on its way to zero, and an operation on one takes a core a hundred
/// cycles.
class SubnormalsAsZero {
public:
  SubnormalsAsZero(const SubnormalsAsZero &) = delete;
  SubnormalsAsZero &operator=(const SubnormalsAsZero &) = delete;

#if defined(__x86_64__)
  SubnormalsAsZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | flush_to_zero | denormals_are_zero); }
  ~SubnormalsAsZero() { _mm_setcsr(before_); }

private:
  static constexpr unsigned flush_to_zero = 1u << 15, denormals_are_zero = 1u << 6;
  unsigned before_;
#elif defined(__aarch64__)
  SubnormalsAsZero() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    __asm__ volatile("msr fpcr, %0" : : "r"(before_ | flush_to_zero));
  }
  ~SubnormalsAsZero() { __asm__ volatile("msr fpcr, %0" : : "r"(before_)); }

private:
  static constexpr std::uint64_t flush_to_zero = std::uint64_t(1) << 24;
  std::uint64_t before_;
#endif
};

} // namespace linmu
