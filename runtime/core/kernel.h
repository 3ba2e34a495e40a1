// An opened package that can be launched.
#pragma once
#include "runtime/core/package.h"
#include "runtime/core/tensor_view.h"
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace linmu {

/// Memory on a CUDA device for the temporaries of launches.
class DeviceAllocator {
public:
  virtual ~DeviceAllocator() = default;
  /// `bytes` bytes, aligned to 64, for work on `stream` of CUDA device `device`. Throws if there are not that
  /// many.
  virtual void *allocate(std::int64_t bytes, std::int32_t device, void *stream) = 0;
  /// Takes back memory that work on `stream` may still use: what is given out again is used after that work.
  virtual void release(void *memory, std::int32_t device, void *stream) noexcept = 0;
};

struct LaunchOptions {
  int threads = 0; ///< of the CPU, 0 to 4096; 0: Settings::threads, whose default is the number of cores

  /// For CUDA: the CUstream (cudaStream_t) on which the call runs, of the operands' device; null is the
  /// legacy default stream. It may be capturing a graph.
  void *stream = nullptr;
  /// For CUDA: memory on that device for temporaries, aligned to 64 bytes, of Kernel::workspaceBytes(), that
  /// nothing else uses until the call has run.
  void *workspace = nullptr;
  std::int64_t workspace_bytes = 0;
  /// For CUDA, where no workspace is given: whom to ask for it; null: the driver's stream-ordered memory,
  /// which cannot be had while the stream captures a graph.
  DeviceAllocator *allocator = nullptr;
};

class Executor;

/// Cheap to copy; safe to launch from several threads at once.
class Kernel {
public:
  /// Makes what runs a valid package, which outlives it.
  using OpenExecutor = std::function<std::unique_ptr<const Executor>(const Package &)>;

  /// For the CPU: maps the image and checks that this machine has the features it needs (Error::unsupported
  /// otherwise). For CUDA: needs no GPU yet; the code goes to a device with the first launch there, and stays
  /// until the process ends, since graphs that were captured may use it for as long. A package that has only
  /// a source is refused: runtime/jit compiles it.
  static Kernel open(Package package);
  /// The same, run by something else than a CPU or the driver of CUDA.
  static Kernel open(Package package, const OpenExecutor &open_executor);

  const Signature &signature() const;
  const Package &package() const;
  Device::Kind deviceKind() const; ///< where operands must lie

  /// Runs the pattern; on CUDA, enqueues it: the call neither waits for the device nor allocates on it except
  /// for temporaries, as `options` say, and may be captured into a graph. `inputs` and `results` are in the
  /// order of the signature; results are written in place and share no memory with inputs or each other,
  /// except that one with `in_place_of` may lie exactly where that input does. N = 0 is valid and copies
  /// initial states to final ones. Throws Error(invalidArgument) naming the operand, the expected and the
  /// actual shape, dtype, stride, memory, device or entry before anything is written. Entries of token orders
  /// and media tables on a CUDA device cannot be looked at without waiting for it: checkTable() checks them
  /// where they are made, and Settings::check_tables at every launch.
  void operator()(std::span<const TensorView> inputs, std::span<const TensorView> results,
                  const LaunchOptions &options = {}) const;

  /// What a call with `tokens` tokens in each of `batch` sequences, of a batch or of a table, would run, e.g.
  /// "chunked(chunk=16)".
  const std::string &algorithm(std::int64_t tokens, std::int64_t batch = 1) const;

  /// What a call on CUDA needs of LaunchOptions::workspace; 0 where it has no temporaries.
  std::int64_t workspaceBytes(std::int64_t tokens, std::int64_t batch = 1,
                              std::int64_t media_items = 1) const;

  /// Checks the entries of a token order or a media table for calls with `tokens` tokens, before it goes to a
  /// device. `operand` is an input's name, `table` a view of host memory. Throws Error(invalidArgument) like
  /// a launch on the CPU.
  void checkTable(const std::string &operand, const TensorView &table, std::int64_t tokens) const;

private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

} // namespace linmu
