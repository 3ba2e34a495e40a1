// Kernel text as a function of this process: the portable prelude and the machine's own C++ compiler.
#pragma once
#include "compiler/target/cuda/emulation/Emulation.h"
#include <memory>
#include <string>

namespace linmu::emulation {

/// A kernel in a shared library, which lives as long as this.
class HostKernel {
public:
  HostKernel(void *library, const Kernel *kernel) : library(library), kernel(kernel) {}
  ~HostKernel();
  HostKernel(const HostKernel &) = delete;
  HostKernel &operator=(const HostKernel &) = delete;
  const Kernel &operator*() const { return *kernel; }

private:
  void *library;
  const Kernel *kernel;
};

struct HostCompilation {
  std::shared_ptr<const HostKernel> kernel; ///< null where the verdict is not clean
  Verdict verdict;                          ///< incomplete, with the compiler's first error and its line
};

/// Compiles what stands behind devicePrelude() in a kernel's text. `name` is the kernel's; `compiler` is a
/// clang++, or a g++ 12 or newer. Text that uses anything but the prelude and plain C++ on local variables
/// does not compile.
HostCompilation compileForHost(std::string_view text, const std::string &name, const std::string &compiler);

/// Compiles and runs.
Verdict emulate(std::string_view text, const std::string &name, const std::string &compiler,
                const Launch &launch, std::span<const Argument> arguments);

} // namespace linmu::emulation
