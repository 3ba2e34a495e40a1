// What an emulated launch comes to.
#pragma once
#include "compiler/target/cuda/emulation/Machine.h"
#include <string>

namespace linmu::emulation {

enum class Outcome {
  clean,      ///< every access, wait and barrier was in order
  error,      ///< the kernel is wrong, at a line
  incomplete, ///< it does something that is not modelled: nothing is said of the rest
};

struct Verdict {
  Outcome outcome = Outcome::clean;
  std::string message; ///< one sentence; empty where clean
  std::string file;    ///< and `line`: where; empty where it belongs to no line
  int line = 0;
};

/// "kernel:12: error: ..."
std::string toString(const Verdict &verdict);

} // namespace linmu::emulation
