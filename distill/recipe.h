// A recipe: everything that a distillation, or a training without a teacher, depends on, in one JSON file
// (docs/distill.md).
#pragma once
#include "distill/decoder_model.h"
#include "distill/json_reader.h"
#include "distill/objective.h"
#include "distill/optimizer.h"
#include "distill/schedule.h"
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace linmu::distill {

struct Stage {
  std::string name; ///< "1", "2", "3" or "all", whose defaults it starts from, unless the recipe names it
  std::int64_t steps = 0;
  std::set<Part> train;
  std::optional<models::MMateConfig::Branches> branches; ///< as the model has them where there is none
  ObjectiveOptions objective;
  Schedule schedule;
  OptimizerOptions optimizer;
};

struct DataRecipe {
  std::string kind = "text"; ///< "text", what reads `path`, or "vision", what reads `sets`
  std::filesystem::path path;
  std::int64_t max_tokens = 0;  ///< of text; 0: no limit
  nlohmann::json sets;          ///< of pictures and videos, as distill/data/set_spec.h reads them
  std::filesystem::path folder; ///< that their paths are relative to
  std::int64_t workers = 2;     ///< threads that load them
  std::int64_t memory_mib = 0;  ///< in which they stay once loaded
};

enum class RecipeKind {
  distill,
  train ///< the supervised loss only, no teacher
};

struct Recipe {
  nlohmann::json text; ///< as given
  RecipeKind kind = RecipeKind::distill;
  /// The teacher, or the model that a training starts from; for a training that starts from random weights
  /// `preset` says what model they are of, and they are in out/initial.
  std::filesystem::path model;
  std::string preset;
  std::filesystem::path out;
  std::uint64_t seed = 0;
  std::optional<models::MMateConfig> mixer; ///< in place of attention; none: training leaves it
  bool calibrate = true;                    ///< scan norms by the teacher's channels on the first batch
  DataRecipe data;
  std::optional<DataRecipe> validation;
  std::int64_t validation_batches = 8;
  std::int64_t batch = 8;      ///< samples of a micro-batch, of all ranks together
  std::int64_t accumulate = 1; ///< micro-batches of a step
  Precision precision = Precision::f32;
  bool deterministic = true;
  torch::Device device = torch::kCPU;
  std::int64_t checkpoint_every = 200, checkpoint_keep = 2;
  bool export_stages = false;
  std::int64_t adapter_rank = 8;
  double adapter_alpha = 16;
  std::int64_t decode_tokens = 64;
  std::vector<Stage> stages;

  /// Paths are taken from the recipe's folder. The keys of `instead`, an object, stand in place of the
  /// file's. Throws Error(corruptFile) with line and column for what is no JSON, Error(invalidArgument)
  /// naming the path of the first key that is unknown or does not fit.
  static Recipe read(const std::filesystem::path &path, const nlohmann::json &instead = {});
  static Recipe parse(const nlohmann::json &text, const std::string &origin,
                      const std::filesystem::path &folder);

  /// The path of the first key whose value is another one in `other`, apart from those that a resumed run may
  /// change: `out`, `checkpoints`, `device`, and how data are loaded.
  std::optional<std::string> firstDifference(const nlohmann::json &other) const;
};

} // namespace linmu::distill
