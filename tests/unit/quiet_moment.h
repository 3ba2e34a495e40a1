/// Times for tests that share the machine with other work.
#pragma once

#include <algorithm>
#include <chrono>

namespace linmu {

template <typename Work> double secondsOf(Work &&work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The least time in seconds that `work` takes in `rounds` calls, and, since another process may have the
/// core for seconds, in as many more as it needs to come below `limit`, for at most 20 s.
template <typename Work> double leastSeconds(double limit, int rounds, Work &&work) {
  double best = 1e9;
  double waited = 0;
  for (int round = 0; round < rounds || (best >= limit && waited < 20); ++round) {
    double seconds = secondsOf(work);
    best = std::min(best, seconds);
    waited += seconds;
  }
  return best;
}

} // namespace linmu
