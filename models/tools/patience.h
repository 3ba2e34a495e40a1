// Work that is silent for long says what it is.
#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace linmu::tools {

/// While one exists for longer than two seconds, "linmu: WHAT" stands on the error stream, once. For work
/// that prints nothing by itself, or not yet.
class Patience {
public:
  explicit Patience(std::string what);
  ~Patience();
  Patience(const Patience &) = delete;
  Patience &operator=(const Patience &) = delete;

  /// There is something to see: nothing is said from here on.
  void end();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

} // namespace linmu::tools
