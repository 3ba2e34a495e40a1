// Work beside each other, for compilations.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <sched.h>
#include <system_error>
#include <thread>
#include <vector>

namespace linmu {

/// How many processors this process may run on: what taskset or a job's limits leave of the machine's.
inline std::size_t processorsToUse() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::size_t(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency()); // more than the set has places for
}

/// Calls `work`, which throws nothing, with each of [0, count), in this order but beside each other, on as
/// many threads as there are processors to use. They end with the call: whoever forks waits for
/// compilations, not for threads.
inline void forEachOnThreads(std::size_t count, const std::function<void(std::size_t)> &work) {
  std::atomic<std::size_t> next = 0;
  auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++)
      work(i);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(count, processorsToUse()); ++i)
    try {
      helpers.emplace_back(run);
    } catch (const std::system_error &) {
      break; // there are no more threads to be had: those that there are do it
    }
  run();
}

} // namespace linmu
