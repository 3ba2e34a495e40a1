// What the kernels of prelude_kernels.cuh are given, and how far results on a GPU may differ from the
// portable ones.
#pragma once
#include "compiler/target/cuda/emulation/Emulation.h"
#include <map>
#include <string>
#include <vector>

namespace linmu::prelude_test {

using Words = std::vector<std::uint32_t>;

struct Case {
  const char *name;
  emulation::Launch launch;
  std::vector<Words> inputs;         ///< operands that are read, first
  std::size_t outWords;              ///< of the operand that is written, behind them
  std::vector<std::int32_t> scalars; ///< last
  /// What is wrong with word `index`, where the portable version has `expected`; empty if nothing is.
  std::string (*compare)(const Case &test, std::size_t index, std::uint32_t got, std::uint32_t expected);
  const char *title = "";
};

/// For kernels of one architecture (90 for sm_90a).
std::vector<Case> allCases(unsigned architecture);

/// By their names.
extern const std::map<std::string, const emulation::Kernel *> portableKernels;

/// Emulates, and puts what was written into `result`.
emulation::Verdict runPortable(const Case &test, Words &result);

} // namespace linmu::prelude_test
