#include "distill/recipe.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::distill {

using Branches = models::MMateConfig::Branches;
using HiddenInput = ObjectiveOptions::HiddenInput;

namespace {

constexpr double most = 1e6;

/// Algorithm 2 and Section 4.1 of the paper, with semantics' temperature.
Stage defaultsOf(const std::string &kind) {
  Stage stage;
  stage.name = kind;
  stage.train = {Part::flex, Part::fusion};
  stage.branches = Branches::flex;
  stage.objective.weights = {.hidden = 0.5, .token = 0.5, .sequence = 0, .supervised = 0};
  stage.schedule.peak = 5e-4;
  if (kind == "1")
    return stage;
  stage.train.insert(Part::swin);
  stage.branches = Branches::both;
  stage.objective.hidden_input = HiddenInput::student;
  if (kind == "2")
    return stage;
  stage.train.insert(Part::adapters);
  stage.objective.weights = {.hidden = 0, .token = 0.5, .sequence = 0.5, .supervised = 0.5};
  if (kind == "3")
    stage.schedule.peak = 2e-5;
  return stage;
}

std::string listOf(const std::vector<std::string> &names) {
  return fmt::format("\"{}\" or \"{}\"", fmt::join(names.begin(), names.end() - 1, "\", \""), names.back());
}

/// `name` and `steps`, and `train`, of which each must be one of `parts`.
void readSize(JsonReader &reader, Stage &stage, const std::vector<std::string> &parts) {
  stage.name = reader.string("name", stage.name);
  // It is part of a folder's name, and printed.
  if (stage.name.empty() ||
      std::ranges::any_of(stage.name, [](unsigned char c) { return c < ' ' || c == '/'; }))
    reader.refuse("name", "expected a text without '/' and control characters, got " +
                              nlohmann::json(stage.name).dump());
  stage.steps = reader.integer("steps", {}, 0);
  if (!reader.has("train"))
    return;
  stage.train.clear();
  for (const std::string &part : reader.strings("train", {})) {
    if (std::ranges::find(parts, part) == parts.end())
      reader.refuse("train", fmt::format("expected {}, got \"{}\"", listOf(parts), part));
    stage.train.insert(partNamed(part));
  }
}

/// How steps are made, after which nothing is left.
void readSteps(JsonReader &reader, Stage &stage) {
  if (reader.has("branches"))
    stage.branches = reader.choice<Branches>(
        "branches", Branches::both,
        {{"both", Branches::both}, {"flex", Branches::flex}, {"swin", Branches::swin}});
  stage.objective.recompute = reader.boolean("recompute_activations", false);
  stage.schedule.peak = reader.number("learning_rate", stage.schedule.peak, 0, 10);
  stage.schedule.warmup = reader.integer("warmup", std::min<std::int64_t>(100, stage.steps / 10), 0);
  stage.schedule.shape = reader.choice<Schedule::Shape>(
      "schedule", Schedule::Shape::cosine,
      {{"cosine", Schedule::Shape::cosine}, {"constant", Schedule::Shape::constant}});
  stage.schedule.decay = reader.number("decay", 0.2, 0, 1);
  stage.schedule.floor = reader.number("floor", 0.1, 0, 1);
  OptimizerOptions &optimizer = stage.optimizer;
  optimizer.beta1 = reader.number("beta1", 0.9, 0, 0.9999);
  optimizer.beta2 = reader.number("beta2", 0.999, 0, 0.999999);
  optimizer.epsilon = reader.number("epsilon", 1e-8, 0, 1);
  optimizer.weight_decay = reader.number("weight_decay", 0.01, 0, 1);
  optimizer.clip = reader.number("clip", 1, 0, most);
  reader.requireAllTaken();
}

Stage readDistilledStage(JsonReader &reader) {
  std::string kind =
      reader.choice<std::string>("stage", "", {{"1", "1"}, {"2", "2"}, {"3", "3"}, {"all", "all"}});
  if (kind.empty())
    reader.refuse("stage",
                  "expected one of \"1\", \"2\", \"3\", \"all\", whose defaults the stage has, got nothing");
  Stage stage = defaultsOf(kind);
  // The rest is the teacher's, and shared with it.
  readSize(reader, stage, {"flex", "swin", "fusion", "adapters"});

  JsonReader losses = reader.object("losses");
  LossTerms &weights = stage.objective.weights;
  weights.hidden = losses.number("hidden", weights.hidden, 0, most);
  weights.token = losses.number("token", weights.token, 0, most);
  weights.sequence = losses.number("sequence", weights.sequence, 0, most);
  weights.supervised = losses.number("supervised", weights.supervised, 0, most);
  losses.requireAllTaken();
  if (weights == LossTerms{})
    reader.refuse("losses", "expected a weight above 0, got none");
  stage.objective.hidden_input =
      reader.choice<HiddenInput>("hidden_input", stage.objective.hidden_input,
                                 {{"teacher", HiddenInput::teacher}, {"student", HiddenInput::student}});
  stage.objective.temperature = reader.number("temperature", 2, 1e-2, 100);
  stage.objective.patch_strength = reader.number("patch_strength", 0, 0, most);
  readSteps(reader, stage);
  return stage;
}

/// Everything there is, by the supervised loss alone.
Stage readTrainedStage(JsonReader &reader, std::size_t number) {
  Stage stage;
  stage.name = std::to_string(number + 1);
  stage.train = {Part::backbone, Part::vision, Part::flex, Part::swin, Part::fusion};
  stage.objective.weights = {.hidden = 0, .token = 0, .sequence = 0, .supervised = 1};
  stage.schedule.peak = 1e-3;
  readSize(reader, stage, {"backbone", "vision", "flex", "swin", "fusion"});
  readSteps(reader, stage);
  return stage;
}

DataRecipe readData(JsonReader &reader, const std::filesystem::path &folder) {
  DataRecipe data;
  data.kind = reader.choice<std::string>("kind", "text", {{"text", "text"}, {"vision", "vision"}});
  if (data.kind == "vision") {
    data.folder = folder;
    data.workers = reader.integer("workers", 2, 1, 256);
    data.memory_mib = reader.integer("memory_mib", 2048, 0, 1 << 24);
    data.sets = reader.any("sets");
    if (!data.sets.is_array() || data.sets.empty())
      reader.refuse("sets", "expected a list of sets of samples, got " + data.sets.dump());
    return data;
  }
  data.path = folder / reader.path("path");
  data.max_tokens = reader.integer("max_tokens", 0, 0);
  return data;
}

/// The teacher, or the model that is trained.
void readStart(JsonReader &reader, Recipe &recipe, const std::filesystem::path &folder) {
  if (recipe.kind == RecipeKind::distill) {
    recipe.model = folder / reader.path("teacher");
    return;
  }
  if (reader.has("preset") == reader.has("model"))
    reader.refuse("model",
                  "expected the folder of a model, or in its place a preset, whose weights are random");
  if (reader.has("model"))
    recipe.model = folder / reader.path("model");
  else
    recipe.preset = reader.choice<std::string>("preset", "", {{"small", "small"}, {"demo", "demo"}});
}

} // namespace

Recipe Recipe::parse(const nlohmann::json &text, const std::string &origin,
                     const std::filesystem::path &folder) {
  Recipe recipe;
  recipe.text = text;
  JsonReader reader(text, origin);
  recipe.kind = reader.choice<RecipeKind>("kind", RecipeKind::distill,
                                          {{"distill", RecipeKind::distill}, {"train", RecipeKind::train}});
  const bool distills = recipe.kind == RecipeKind::distill;
  readStart(reader, recipe, folder);
  recipe.out = folder / reader.path("out");
  recipe.seed = std::uint64_t(reader.integer("seed", 0, 0));
  if (distills)
    recipe.mixer.emplace();
  if (nlohmann::json mixer = reader.any("mixer"); !mixer.is_null())
    try {
      recipe.mixer = models::MMateConfig::fromJson(mixer.dump());
    } catch (const Error &error) {
      reader.refuse("mixer", error.what());
    }
  recipe.calibrate = distills && reader.boolean("calibrate", true);

  JsonReader data = reader.object("data");
  recipe.data = readData(data, folder);
  data.requireAllTaken();
  if (reader.has("validation")) {
    JsonReader validation = reader.object("validation");
    recipe.validation = readData(validation, folder);
    recipe.validation_batches = validation.integer("batches", 8, 1);
    validation.requireAllTaken();
  }
  recipe.batch = reader.integer("batch", 8, 1, 1 << 20);
  recipe.accumulate = reader.integer("accumulate", 1, 1, 1 << 20);
  recipe.precision = reader.choice<Precision>("precision", Precision::f32,
                                              {{"f32", Precision::f32}, {"bf16", Precision::bf16}});
  recipe.device =
      reader.choice<torch::DeviceType>("device", torch::kCPU, {{"cpu", torch::kCPU}, {"cuda", torch::kCUDA}});
  recipe.deterministic = reader.boolean("deterministic", true);

  JsonReader checkpoints = reader.object("checkpoints");
  recipe.checkpoint_every = checkpoints.integer("every", 200, 1);
  recipe.checkpoint_keep = checkpoints.integer("keep", 2, 1);
  checkpoints.requireAllTaken();
  recipe.export_stages = reader.boolean("export_stages", false);

  if (distills) {
    JsonReader adapters = reader.object("adapters");
    recipe.adapter_rank = adapters.integer("rank", 8, 1, 1 << 16);
    recipe.adapter_alpha = adapters.number("alpha", 16, 0, most);
    adapters.requireAllTaken();
    recipe.decode_tokens = reader.integer("decode_tokens", 64, 1, 1 << 20);
  }
  for (JsonReader &stage : reader.objects("stages"))
    recipe.stages.push_back(distills ? readDistilledStage(stage)
                                     : readTrainedStage(stage, recipe.stages.size()));
  reader.requireAllTaken();
  return recipe;
}

Recipe Recipe::read(const std::filesystem::path &path, const nlohmann::json &instead) {
  nlohmann::json text = models::readJsonObject(path);
  text.update(instead.is_null() ? nlohmann::json::object() : instead);
  return parse(text, path.string(), path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

std::optional<std::string> Recipe::firstDifference(const nlohmann::json &other) const {
  nlohmann::json mine = text, theirs = other;
  for (nlohmann::json *recipe : {&mine, &theirs}) {
    for (const char *key : {"out", "checkpoints", "device"})
      recipe->erase(key);
    for (const char *data : {"data", "validation"})
      if (recipe->contains(data) && (*recipe)[data].is_object())
        for (const char *key : {"workers", "memory_mib"})
          (*recipe)[data].erase(key);
  }
  nlohmann::json difference = nlohmann::json::diff(mine, theirs);
  return difference.empty() ? std::nullopt : std::optional(difference[0]["path"].get<std::string>());
}

} // namespace linmu::distill
