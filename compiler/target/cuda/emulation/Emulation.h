// Runs kernels without a GPU, and says whether they are in order.
//
// One fiber a thread, in random order; asynchronous copies land as late as their waits allow, over bytes that
// are no number. Every access is checked: bounds, alignment, values that nothing has written, and order with
// other accesses to the same place (vector clocks, so that a race is found in whatever order threads run).
#pragma once
#include "compiler/target/cuda/emulation/Machine.h"
#include "compiler/target/cuda/emulation/Verdict.h"
#include <array>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace linmu::emulation {

/// An operand in memory, aligned to 16 bytes. Without `initialised` it is filled with bytes that are no
/// number, and a kernel may read only what it has written. One that is given twice is one memory.
struct Operand {
  std::span<std::byte> bytes;
  bool initialised = true;
  /// These count where the kernel has no parameter for it: whether it may write it, and the bytes of its
  /// elements, the least that it accesses at once.
  bool written = true;
  std::uint32_t elementBytes = 2;
};
/// A scalar by its bytes.
struct Scalar {
  std::vector<std::byte> bytes;
};
using Argument = std::variant<Operand, Scalar>;

template <class T> Operand operandOf(std::vector<T> &values, bool initialised = true) {
  return {std::as_writable_bytes(std::span(values)), initialised};
}
template <class T> Scalar scalarOf(T value) {
  const auto *bytes = reinterpret_cast<const std::byte *>(&value);
  return {{bytes, bytes + sizeof(T)}};
}

struct Launch {
  std::array<std::uint32_t, 3> grid = {1, 1, 1}; ///< blocks
  std::uint32_t threads = 32;                    ///< of a block, a multiple of 32, at most 1024
  std::size_t sharedBytes = 0;                   ///< dynamic shared memory of a block
  unsigned architecture = 90;                    ///< of sm_90a
  std::uint64_t seed = 0;                        ///< of the order of blocks and threads
  std::uint64_t mostSteps =
      1'000'000'000; ///< calls of the prelude by one block, behind which it is incomplete
  /// The line of a wait, barrier or fence that has no effect, as if the text were without it (orderingsIn()).
  int withoutOrderingAt = 0;
};

/// Arguments are the kernel's parameters in order; what does not fit them is an error. Behind them may stand
/// operands that the kernel reaches by their numbers, which are their places among the arguments
/// (GlobalPlace::buffer).
Verdict emulate(const Kernel &kernel, const Launch &launch, std::span<const Argument> arguments);

} // namespace linmu::emulation
