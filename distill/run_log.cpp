#include "distill/run_log.h"
#include "models/io/json_integer.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include "runtime/io/atomic_file.h"
#include <chrono>
#include <fmt/format.h>
#include <fstream>

namespace linmu::distill {

static std::filesystem::path logOf(const std::filesystem::path &out) { return out / "log.jsonl"; }
static std::filesystem::path eventsOf(const std::filesystem::path &out) {
  return out / "events.out.tfevents.linmu";
}

std::vector<std::filesystem::path> RunLog::filesOf(const std::filesystem::path &out) {
  return {logOf(out), eventsOf(out)};
}

static double secondsSince1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Whether it is a line of the log, of a step from 0 to `last`.
static bool isOfStep(const nlohmann::json &line, std::int64_t last) {
  return line.is_object() && line.contains("step") && models::integerIn(line["step"], 0, last);
}

std::vector<nlohmann::json> RunLog::linesOf(const std::filesystem::path &out) {
  std::vector<nlohmann::json> lines;
  std::ifstream stream(logOf(out));
  for (std::string line; std::getline(stream, line);) {
    nlohmann::json object = models::parseJson(line);
    if (isOfStep(object, INT64_MAX))
      lines.push_back(std::move(object));
  }
  return lines;
}

/// Keeps the lines of steps from 0 to `step`, if any, not as they parse: what stays keeps its bytes.
static void truncateLog(const std::filesystem::path &out, std::int64_t step) {
  std::ifstream stream(logOf(out));
  std::string kept;
  for (std::string line; std::getline(stream, line);) {
    if (isOfStep(models::parseJson(line), step))
      kept += line + "\n";
  }
  AtomicFile file(logOf(out));
  file.write(kept.data(), kept.size());
  file.commit();
}

RunLog::RunLog(const Recipe &recipe, std::optional<std::int64_t> step)
    : recipe_(recipe), events_(eventsOf(recipe.out), step.value_or(-1)) {
  truncateLog(recipe.out, step.value_or(-1));
}

void RunLog::append(const nlohmann::ordered_json &line) const {
  std::ofstream stream(logOf(recipe_.out), std::ios::app);
  if (!(stream << line.dump() << "\n" << std::flush))
    throw Error(ErrorCode::io, fmt::format("cannot write {}", logOf(recipe_.out).string()));
}

void RunLog::addStep(const StepReport &report) {
  const LossTerms &terms = report.terms, &weights = recipe_.stages[report.stage].objective.weights;
  nlohmann::ordered_json line = {{"step", report.whole_step},
                                 {"stage", recipe_.stages[report.stage].name},
                                 {"loss", report.loss},
                                 {"hidden", terms.hidden},
                                 {"token", terms.token},
                                 {"sequence", terms.sequence},
                                 {"supervised", terms.supervised},
                                 {"learning_rate", report.learning_rate},
                                 {"gradient_norm", report.gradient_norm},
                                 {"tokens", report.tokens}};
  if (!report.skipped.empty())
    line["skipped"] = report.skipped;
  append(line);

  std::vector<EventScalar> scalars = {{"loss/total", report.loss}};
  auto add = [&](const char *tag, double LossTerms::*term) {
    if (weights.*term != 0)
      scalars.push_back({tag, terms.*term});
  };
  add("loss/hidden", &LossTerms::hidden);
  add("loss/token", &LossTerms::token);
  add("loss/sequence", &LossTerms::sequence);
  add("loss/supervised", &LossTerms::supervised);
  scalars.push_back({"step/learning_rate", report.learning_rate});
  scalars.push_back({"step/gradient_norm", report.gradient_norm});
  scalars.push_back({"step/stage", double(report.stage + 1)});
  if (report.seconds > 0)
    scalars.push_back({"speed/tokens_per_second", double(report.tokens) / report.seconds});
  scalars.push_back({"speed/data_seconds", report.data_seconds});
  scalars.push_back({"speed/ranks_seconds", report.ranks_seconds});
  scalars.push_back({"speed/peak_memory_bytes", report.peak_memory});
  events_.add(report.whole_step, secondsSince1970(), scalars);
}

void RunLog::addValidation(std::int64_t step, double divergence, double likelihood) {
  nlohmann::ordered_json line = {{"step", step}, {"divergence", divergence}, {"likelihood", likelihood}};
  std::vector<EventScalar> scalars = {{"validation/divergence", divergence},
                                      {"validation/likelihood", likelihood}};
  if (recipe_.kind == RecipeKind::train) {
    line.erase("divergence");
    scalars.erase(scalars.begin());
  }
  append(line);
  events_.add(step, secondsSince1970(), scalars);
}

} // namespace linmu::distill
