// Threads of execution that hand over to each other by themselves, each on a stack of its own.
#pragma once
#include <cstddef>
#include <memory>

namespace linmu::emulation {

class Fibers {
public:
  /// `count` fibers with this much stack each; a guard page below it turns an overflow into a crash. Pages
  /// that are not reached take no memory. Kernels compiled without optimisation have frames of some 100 KiB.
  explicit Fibers(std::size_t count, std::size_t stackBytes = std::size_t(2) << 20);
  ~Fibers();
  Fibers(const Fibers &) = delete;
  Fibers &operator=(const Fibers &) = delete;

  /// `body(context)` runs when fiber `index` is switched to next. It must never return; what ran there before
  /// is forgotten.
  void prepare(std::size_t index, void (*body)(void *), void *context);
  /// From the caller of run() to a fiber; returns when a fiber calls leave().
  void run(std::size_t index);
  /// Between fibers.
  void switchTo(std::size_t from, std::size_t to);
  /// From a fiber back to the caller of run().
  void leave(std::size_t from);

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace linmu::emulation
