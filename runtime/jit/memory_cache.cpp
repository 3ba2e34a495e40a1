#include "runtime/jit/memory_cache.h"

namespace linmu::jit {

namespace {

// Of an entry and a slot, with what the heap adds.
constexpr std::int64_t bytes_of_entry = 512;

// Each image lies in the package and, in whole pages, where it runs; the rest is a few operands and launches.
std::int64_t bytesOf(const Kernel &kernel) {
  constexpr std::int64_t page = 4096;
  std::int64_t bytes = page;
  for (const PackageImage &image : kernel.package().images) {
    auto code = std::int64_t(image.code.size());
    bytes += code + (code + page - 1) / page * page;
  }
  return bytes;
}

} // namespace

std::shared_ptr<MemoryCache::Slot> MemoryCache::slot(const std::string &key, std::int64_t limit) {
  std::lock_guard lock(mutex_);
  if (auto found = places_.find(key); found != places_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
  } else {
    std::int64_t bytes = std::int64_t(key.size()) + bytes_of_entry;
    entries_.push_front({key, std::make_shared<Slot>(), bytes});
    places_[entries_.front().key] = entries_.begin();
    bytes_ += bytes;
  }
  std::shared_ptr<Slot> slot = entries_.front().slot;
  trim(limit);
  return slot;
}

void MemoryCache::filled(const std::string &key, const Kernel &kernel, std::int64_t limit) {
  std::lock_guard lock(mutex_);
  std::int64_t bytes = bytesOf(kernel);
  places_.at(key)->bytes += bytes;
  bytes_ += bytes;
  trim(limit);
}

void MemoryCache::trim(std::int64_t limit) {
  for (auto entry = entries_.end(); bytes_ > limit && entry != entries_.begin();) {
    --entry;
    // Others get at a slot under this lock only, so that a single owner stays one.
    if (entry->slot.use_count() > 1)
      continue;
    bytes_ -= entry->bytes;
    places_.erase(entry->key);
    entry = entries_.erase(entry);
  }
}

} // namespace linmu::jit
