// Samples that stay in memory once they are loaded.
#pragma once
#include "distill/data/sample.h"
#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace linmu::distill {

/// Keeps samples as they come until they fill `bytes`; what comes after is loaded each time. For any number
/// of threads at once.
class SampleCache {
public:
  using Load = std::function<Sample(std::int64_t number)>;

  SampleCache(Load load, std::int64_t bytes) : load_(std::move(load)), left_(bytes) {}

  /// As `load`, whose failures are not kept. Samples share the memory of their patches.
  Sample load(std::int64_t number);

private:
  Load load_;
  std::mutex mutex_;
  std::int64_t left_; ///< bytes
  std::unordered_map<std::int64_t, Sample> known_;
};

} // namespace linmu::distill
