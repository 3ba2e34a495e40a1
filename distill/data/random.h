// Random numbers that are the same on every machine, with every library.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace linmu::distill {

/// SplitMix64 (Steele, Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195).
class Random {
public:
  /// The stream that these numbers name, in this order.
  explicit Random(std::initializer_list<std::uint64_t> key) {
    for (std::uint64_t part : key) {
      state_ ^= part;
      state_ = next();
    }
  }

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

  /// 0 to count - 1. The bias of at most count / 2^64 does not matter here.
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(count));
  }
  /// first to last.
  std::int64_t between(std::int64_t first, std::int64_t last) { return first + below(last - first + 1); }

  template <typename T> const T &pick(const std::vector<T> &from) {
    return from[std::size_t(below(std::int64_t(from.size())))];
  }

  template <typename T> void shuffle(std::vector<T> &values) {
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[std::size_t(below(std::int64_t(i)))]);
  }

private:
  std::uint64_t state_ = 0;
};

} // namespace linmu::distill
