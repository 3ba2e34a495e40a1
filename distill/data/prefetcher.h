// Work done ahead by threads, handed out in the order in which it was asked for.
#pragma once
#include "distill/data/sample.h"
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace linmu::distill {

/// A sample, or what kept it from being loaded.
struct Loaded {
  std::int64_t number = 0;
  std::optional<Sample> sample;
  std::exception_ptr failure;
};

class Prefetcher {
public:
  /// `load` is called by `workers` >= 1 threads at once.
  Prefetcher(std::function<Sample(std::int64_t number)> load, int workers);
  /// Waits for what threads are working on.
  ~Prefetcher();
  Prefetcher(const Prefetcher &) = delete;
  Prefetcher &operator=(const Prefetcher &) = delete;

  /// Asks for a sample.
  void push(std::int64_t number);
  /// How many are asked for and not taken.
  std::size_t pending() const { return slots_.size(); }
  /// The sample that was asked for first and not taken yet, once it is there. There must be one.
  Loaded pop();
  /// Forgets everything that was asked for.
  void clear();

private:
  struct Slot {
    Loaded loaded;
    bool started = false, done = false;
  };
  void work();

  std::function<Sample(std::int64_t)> load_;
  mutable std::mutex mutex_;
  std::condition_variable asked_, finished_;
  std::deque<std::shared_ptr<Slot>> slots_; ///< in the order in which they were asked for
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace linmu::distill
