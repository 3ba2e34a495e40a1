// What the programs here need of the driver besides launches: memory, streams and graphs.
#pragma once
#include <cstddef>

namespace linmu::test {

/// Throws std::runtime_error naming the function and its status for whatever the driver refuses.
class Gpu {
public:
  /// Makes the primary context of device `ordinal` current on this thread.
  explicit Gpu(int ordinal);
  static int count();

  void *allocate(std::size_t bytes);
  void free(void *memory);
  void upload(void *device, const void *host, std::size_t bytes);
  void download(void *host, const void *device, std::size_t bytes);

  void *createStream();
  void synchronize(void *stream);
  void synchronize(); ///< the whole device

  void beginCapture(void *stream);
  /// The captured graph, ready to be launched.
  void *endCapture(void *stream);
  void launchGraph(void *graph, void *stream);
};

} // namespace linmu::test
