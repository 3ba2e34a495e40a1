// What the programs here need of the driver besides launches: memory, streams, events and graphs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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

  /// Milliseconds on the device that `work` takes on `stream`.
  template <typename Work> float time(void *stream, Work &&work) {
    void *begin = createEvent(), *end = createEvent();
    record(begin, stream);
    work();
    record(end, stream);
    return elapsed(begin, end);
  }

private:
  void *createEvent();
  void record(void *event, void *stream);
  float elapsed(void *begin, void *end);
};

} // namespace linmu::test
