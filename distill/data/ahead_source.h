// Batches that are made while earlier ones are trained on.
#pragma once
#include "distill/data/sample.h"
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace linmu::distill {

/// The batches of another source in its order, taken from it by a thread of this one.
class AheadSource final : public BatchSource {
public:
  /// `prepare` is given each batch on that thread. At most `ahead` >= 1 batches wait.
  AheadSource(std::unique_ptr<BatchSource> source, std::size_t ahead,
              std::function<Batch(Batch)> prepare = {});
  ~AheadSource() override;

  /// Throws what the source threw where it would have; then seek() goes on.
  std::optional<Batch> next() override;
  /// Of what next() has given out, however far the thread is.
  nlohmann::json position() const override { return position_; }
  void seek(const nlohmann::json &position) override;

  /// The source at position(), until next() is called again.
  BatchSource &paused();

private:
  struct Made {
    std::optional<Batch> batch;
    nlohmann::json position; ///< of the source after it
    std::exception_ptr failure;
    bool last() const { return failure || !batch; }
  };
  Made make();
  void work();
  void stop();

  std::unique_ptr<BatchSource> source_; ///< of the thread while there is one
  const std::size_t ahead_;
  std::function<Batch(Batch)> prepare_;
  nlohmann::json position_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Made> made_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace linmu::distill
