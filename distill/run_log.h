// What a run writes down while it goes on: log.jsonl, and the same for TensorBoard.
#pragma once
#include "distill/event_file.h"
#include "distill/recipe.h"
#include "distill/trainer.h"
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace linmu::distill {

/// OUT/log.jsonl has a line for each step and each validation, of nothing that another run of the same recipe
/// would have otherwise; OUT/events.out.tfevents.linmu has these, tokens a second and peak memory. Each
/// function throws Error(io) naming the file if the file system refuses.
class RunLog {
public:
  /// Goes on behind step `step` of what is there: lines and events of later steps, which a resumed run makes
  /// again, are dropped. Without a `step` nothing is kept.
  RunLog(const Recipe &recipe, std::optional<std::int64_t> step);

  void addStep(const StepReport &report);
  /// As TrainerEvents::onValidation.
  void addValidation(std::int64_t step, double divergence, double likelihood);

  /// Of a run that writes to `out`.
  static std::vector<std::filesystem::path> filesOf(const std::filesystem::path &out);
  /// The lines of log.jsonl in `out`; those that are no JSON objects with a step count as none.
  static std::vector<nlohmann::json> linesOf(const std::filesystem::path &out);

private:
  void append(const nlohmann::ordered_json &line) const;

  const Recipe &recipe_;
  EventFile events_;
};

} // namespace linmu::distill
