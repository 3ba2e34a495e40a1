// A page about a run once it is over.
#pragma once
#include "distill/answered_sample.h"
#include "distill/recipe.h"
#include "models/report/html_report.h"
#include <filesystem>
#include <string>
#include <vector>

namespace linmu::distill {

/// How fast this process went.
struct RunSpeed {
  std::int64_t steps = 0, tokens = 0;
  double seconds = 0;
  double peak_memory = 0; ///< bytes
  std::int64_t ranks = 1;
};

/// Stages with their losses before and after, curves and samples. `log` are the lines of log.jsonl.
report::HtmlReport runReport(const Recipe &recipe, const std::vector<nlohmann::json> &log,
                             const std::vector<AnsweredSample> &samples, const RunSpeed &speed);

} // namespace linmu::distill
