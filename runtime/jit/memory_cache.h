// The kernels that a process keeps, by text and by canonical key, up to a number of bytes.
#pragma once
#include "runtime/core/kernel.h"
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace linmu::jit {

/// Keys to kernels. Once they take more than the limit, those that were asked for longest ago are forgotten,
/// but none that somebody holds: whoever has a slot in hand, to fill it or to wait for it, has the one slot
/// of its key. A kernel that is forgotten lives on in its users' hands.
///
/// The cache's own lock is held for look-ups only. A slot's mutex is held while its content is made.
class MemoryCache {
public:
  struct Slot {
    std::mutex mutex;
    std::optional<Kernel> content;
  };

  /// The slot of `key`, which is now the one asked for last; an empty one where there was none. `limit` is
  /// the number of bytes that the cache may keep from now on.
  std::shared_ptr<Slot> slot(const std::string &key, std::int64_t limit);

  /// Counts the kernel in the slot of `key`, which the caller holds.
  void filled(const std::string &key, const Kernel &kernel, std::int64_t limit);

  /// What its entries take: each its key and, where it has a kernel, that kernel's code and description. One
  /// kernel in two entries counts in both.
  std::int64_t bytes() const { return bytes_; }

private:
  struct Entry {
    std::string key;
    std::shared_ptr<Slot> slot;
    std::int64_t bytes;
  };
  using Entries = std::list<Entry>;

  void trim(std::int64_t limit);

  std::mutex mutex_;
  Entries entries_;                                                // those asked for last stand first
  std::unordered_map<std::string_view, Entries::iterator> places_; // the keys lie in the entries
  std::atomic<std::int64_t> bytes_{0};
};

} // namespace linmu::jit
