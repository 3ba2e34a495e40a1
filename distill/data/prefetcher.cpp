#include "distill/data/prefetcher.h"
#include <algorithm>

namespace linmu::distill {

Prefetcher::Prefetcher(std::function<Sample(std::int64_t)> load, int workers) : load_(std::move(load)) {
  for (int i = 0; i < workers; ++i)
    threads_.emplace_back([this] { work(); });
}

Prefetcher::~Prefetcher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_all();
  for (std::thread &thread : threads_)
    thread.join();
}

void Prefetcher::push(std::int64_t number) {
  auto slot = std::make_shared<Slot>();
  slot->loaded.number = number;
  {
    std::lock_guard lock(mutex_);
    slots_.push_back(std::move(slot));
  }
  asked_.notify_one();
}

Loaded Prefetcher::pop() {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Slot> slot = slots_.front();
  finished_.wait(lock, [&] { return slot->done; });
  slots_.pop_front();
  return std::move(slot->loaded);
}

void Prefetcher::clear() {
  std::lock_guard lock(mutex_);
  slots_.clear();
}

void Prefetcher::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto next = slots_.end();
    asked_.wait(lock, [&] {
      next = std::ranges::find(slots_, false, [](const auto &slot) { return slot->started; });
      return stopping_ || next != slots_.end();
    });
    if (stopping_)
      return;
    std::shared_ptr<Slot> slot = *next; // kept where clear() forgets it
    slot->started = true;
    lock.unlock();
    try {
      slot->loaded.sample = load_(slot->loaded.number);
    } catch (...) {
      slot->loaded.failure = std::current_exception();
    }
    lock.lock();
    slot->done = true;
    finished_.notify_all();
  }
}

} // namespace linmu::distill
