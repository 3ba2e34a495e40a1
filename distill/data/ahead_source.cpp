#include "distill/data/ahead_source.h"

namespace linmu::distill {

AheadSource::AheadSource(std::unique_ptr<BatchSource> source, std::size_t ahead,
                         std::function<Batch(Batch)> prepare)
    : source_(std::move(source)), ahead_(ahead), prepare_(std::move(prepare)),
      position_(source_->position()) {}

AheadSource::~AheadSource() { stop(); }

AheadSource::Made AheadSource::make() {
  Made made;
  try {
    made.batch = source_->next();
    made.position = source_->position();
    if (made.batch && prepare_)
      made.batch = prepare_(*std::move(made.batch));
  } catch (...) {
    made.failure = std::current_exception();
  }
  return made;
}

/// Ends after the last batch or a failure.
void AheadSource::work() {
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || made_.size() < ahead_; });
      if (stopping_)
        return;
    }
    Made made = make();
    last = made.last();
    std::lock_guard lock(mutex_);
    made_.push_back(std::move(made));
    changed_.notify_all();
  }
}

void AheadSource::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
  made_.clear();
  stopping_ = false;
}

std::optional<Batch> AheadSource::next() {
  if (!thread_.joinable())
    thread_ = std::thread([this] { work(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !made_.empty(); });
  if (made_.front().failure)
    std::rethrow_exception(made_.front().failure); // again each time, as nothing comes after it
  if (!made_.front().batch)
    return std::nullopt;
  Made made = std::move(made_.front());
  made_.pop_front();
  position_ = std::move(made.position);
  changed_.notify_all();
  return std::move(made.batch);
}

void AheadSource::seek(const nlohmann::json &position) {
  stop();
  source_->seek(position);
  position_ = source_->position();
}

BatchSource &AheadSource::paused() {
  seek(nlohmann::json(position_));
  return *source_;
}

} // namespace linmu::distill
