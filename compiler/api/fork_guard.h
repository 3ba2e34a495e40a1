// What makes a fork during a compilation safe.
#pragma once

namespace linmu::compiler {

/// A stretch of work that no fork falls into. A child has only the thread that forked: whatever lock another
/// thread held at that moment is held in the child for ever. So fork() waits, in a handler of pthread_atfork,
/// until every stretch that other threads have opened has ended, and those that come meanwhile begin once the
/// child exists. Then nobody holds a lock of LLVM, of MLIR, of a C++ static under construction or of the
/// caches of runtime/jit, and the child compiles like its parent.
///
/// Every function of compiler_api.h opens a guard. A caller with locks of its own around such a call opens
/// one before it takes the first of them: guards nest, at no cost, and a guard is the outermost of all locks.
/// Within a guard a thread waits for nothing that a forking thread may hold, Python's global lock above all.
/// posix_spawn(), system() and vfork() do not wait: their child runs no code of this process.
class __attribute__((visibility("default"))) ForkGuard {
public:
  ForkGuard();
  ~ForkGuard();
  ForkGuard(const ForkGuard &) = delete;
  ForkGuard &operator=(const ForkGuard &) = delete;
};

} // namespace linmu::compiler
