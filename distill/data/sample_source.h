// Batches of sets of samples, loaded ahead by threads, in an order that does not depend on these.
#pragma once
#include "distill/data/batch.h"
#include "distill/data/order.h"
#include "distill/data/prefetcher.h"
#include "distill/data/sample_cache.h"
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace linmu::distill {

struct SourceOptions {
  std::int64_t batch = 8; ///< samples
  std::uint64_t seed = 0;
  bool evaluation = false;  ///< once and in order
  std::int64_t padding = 0; ///< the id that batches are padded with (SampleEncoder::padding())
  int workers = 2;          ///< threads that load
  int ahead = 64;           ///< samples that are loaded before they are needed
  /// Of memory in which samples stay once they are loaded, as many as fit.
  std::int64_t memory = std::int64_t(1) << 31;
  std::int64_t rank = 0, ranks = 1; ///< of all samples every `ranks`-th
  /// Told of each damaged sample once: "skipped clips.jsonl:7: ...". The error stream where there is none.
  std::function<void(const std::string &line)> report{};
};

/// Samples come in order and gather by geometry; a batch leaves when it is full. What is left of a pass goes
/// on into the next; at the end of an evaluation it leaves as it is. Damaged samples are skipped and counted.
class SampleSource final : public BatchSource {
public:
  /// Throws Error(invalidArgument) for options out of range and as Order does.
  SampleSource(std::vector<WeightedSet> sets, SourceOptions options);

  /// Throws Error(corruptFile) if a whole pass has no sample that is not damaged, and what is a defect and
  /// not damage as it came.
  std::optional<Batch> next() override;
  /// From the next batch on.
  void setForm(const BatchForm &form) { form_ = form; }
  nlohmann::json position() const override;
  void seek(const nlohmann::json &position) override;

  /// Samples of one pass of this rank.
  std::int64_t length() const { return order_.length(); }
  /// Passes that have been begun and samples that were taken of the last one.
  std::int64_t pass() const { return pass_; }
  std::int64_t place() const { return place_; }

  /// Damaged samples so far, counted each time that they came.
  std::int64_t skipped() const { return skipped_; }
  /// "3 of 120 samples were skipped as damaged: a.jsonl:7, ...", at most ten by name; empty if there was
  /// none.
  std::string summary() const;

private:
  struct Pending {
    std::int64_t number;
    Sample sample;
  };
  using Groups = std::map<std::string, std::vector<Pending>>; ///< by geometry

  void fill();
  void skip(std::int64_t number, const std::exception_ptr &failure);
  std::optional<Batch> leave(Groups::iterator group);

  SourceOptions options_;
  BatchForm form_;
  Order order_;
  SampleCache cache_;
  Prefetcher prefetcher_;
  std::int64_t pass_ = 0, place_ = 0;             ///< of the next sample to take
  std::int64_t asked_pass_ = 0, asked_place_ = 0; ///< of the next one to ask for
  Groups groups_;
  std::int64_t taken_ = 0, skipped_ = 0, damaged_in_a_row_ = 0;
  std::set<std::int64_t> damaged_; ///< by number, told already
  std::vector<std::string> damaged_names_;
};

} // namespace linmu::distill
