// Waiting of torch's threads on a machine that other programs use too.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>

namespace linmu::models {

/// After each operation torch's threads wait for each other by spinning, for milliseconds. That is fastest
/// while each has a processor of its own; where they share processors with other programs, the spinning takes
/// the time that the thread waited for needs, and decoding falls to a thirtieth. While one of these finds the
/// machine busy, they spin for microseconds and then sleep.
///
/// libgomp has no call for that, but a rule: it spins 300,000 times, or 100 times while it manages more
/// threads than there are processors (its manual, GOMP_SPINCOUNT). A busy machine is answered by managing
/// idle threads above that number. Without libgomp, or where the user has set OMP_WAIT_POLICY or
/// GOMP_SPINCOUNT, nothing happens.
class BusyMachine {
public:
  BusyMachine();
  ~BusyMachine();
  BusyMachine(const BusyMachine &) = delete;
  BusyMachine &operator=(const BusyMachine &) = delete;

  /// Between operations, often: looks at how long this process's threads waited for a processor since it last
  /// did, a tenth of a second or more ago.
  void observe();

  bool sleepy() const { return idle_threads_ != nullptr; }

private:
  class IdleThreads;
  using Clock = std::chrono::steady_clock;
  void setSleepy(bool sleepy);

  Clock::time_point observed_at_;
  Clock::time_point busy_at_;                      ///< when it was seen busy last, or was left
  Clock::duration calm_ = std::chrono::seconds(2); ///< that ends a busy time
  std::int64_t waited_;                            ///< ns, of all threads
  int busy_looks_ = 0;                             ///< one after the other, up to the last
  std::unique_ptr<IdleThreads> idle_threads_;      ///< while the machine is busy
};

} // namespace linmu::models
