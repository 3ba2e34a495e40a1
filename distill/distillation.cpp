#include "distill/distillation.h"
#include "distill/data/ahead_source.h"
#include "distill/data/batch.h"
#include "distill/data/sample_source.h"
#include "distill/data/set_spec.h"
#include "distill/data/vocabulary.h"
#include "distill/export.h"
#include "distill/parallel/share.h"
#include "distill/run_places.h"
#include "distill/text_source.h"
#include "distill/vision_model.h"
#include "models/vlm/model_folder.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <sstream>

namespace linmu::distill {

/// The folder of random weights is written where the recipe has a preset and nothing was trained yet.
static Recipe withInitialModel(Recipe recipe, Collective &ranks) {
  if (recipe.preset.empty())
    return recipe;
  recipe.model = recipe.out / "initial";
  const bool there =
      CheckpointStore::reader(recipe.out / "checkpoints")->newest() && std::filesystem::exists(recipe.model);
  if (!there && ranks.rank() == 0)
    models::writeNewModel(recipe.model, models::VlmConfig::preset(recipe.preset),
                          models::presetPreprocessor(recipe.preset), wordTokenizerJson(), recipe.seed);
  ranks.barrier();
  return recipe;
}

static Collective &alone() {
  static Alone alone;
  return alone;
}

void Distillation::checkStart() const {
  const std::string model = recipe_.model.string();
  if (recipe_.batch < ranks_.ranks())
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("batch: {} samples of a micro-batch are shared out over {} ranks: expected one for each "
                    "at least",
                    recipe_.batch, ranks_.ranks()));
  if (distills() && teacher_.decoder.config().mmate)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: a teacher must have attention, this is a LinMU model", model));
  if (!distills() && !std::filesystem::is_directory(recipe_.model))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: training starts from the folder of a model, this is a file", model));
  if (!distills() && recipe_.mixer && teacher_.decoder.config().mmate)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: a mixer takes the place of attention, this is a LinMU model", model),
                "leave out the key mixer");
  if (recipe_.device.is_cuda() && !torch::cuda::is_available())
    throw Error(ErrorCode::unsupported, "device \"cuda\": torch finds no GPU here",
                "\"device\": \"cpu\" runs anywhere");
  // On an H200 cuDNN's attention gives gradients that are not finite in bf16, where those of the other
  // kernels of torch 2.11 are, from the same weights and data; flash attention is faster here besides.
  if (recipe_.device.is_cuda())
    at::globalContext().setSDPUseCuDNN(false);
}

Distillation::Distillation(Recipe recipe, Start start) : Distillation(std::move(recipe), start, alone()) {}

Distillation::Distillation(Recipe recipe, Start start, Collective &ranks)
    : ranks_(ranks), recipe_(withInitialModel(std::move(recipe), ranks)),
      teacher_(models::isVisionLanguageModel(recipe_.model)
                   ? vision_.emplace(models::VisionLanguageModel::open(recipe_.model)).language
                   : text_.emplace(models::LanguageModel::open(recipe_.model, models::WeightForm::f32))) {
  checkStart();
  if (recipe_.deterministic)
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0); // cuBLAS gives the same bits with it
  at::globalContext().setDeterministicAlgorithms(recipe_.deterministic, /*warn_only=*/false);
  // Kernels write every element of what they are given; filling it before would be a launch each time.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  if (vision_) {
    vision_->moveTo(recipe_.device);
    encoder_ = std::make_unique<SampleEncoder>(*vision_);
  } else {
    teacher_.decoder.moveTo(recipe_.device);
  }
  auto data = openData(recipe_.data, /*evaluation=*/false);
  if (recipe_.validation)
    validation_ = shared(openData(*recipe_.validation, /*evaluation=*/true));
  store_ = writes() ? std::make_unique<CheckpointStore>(recipe_.out / "checkpoints", recipe_.checkpoint_keep)
                    : CheckpointStore::reader(recipe_.out / "checkpoints");
  const std::optional<RunPlace> newest = newestOfFirst();
  if (newest && start == Start::fresh)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{} holds the checkpoints of a run, the newest of step {}",
                            (recipe_.out / "checkpoints").string(), newest->step),
                "go on with --resume, or choose another folder for `out`");
  if (writes())
    requireWritable(places(/*fresh=*/!newest));
  makeStudent(*data);
  data_ = shared(std::move(data));
  bool decodes = std::ranges::any_of(
      recipe_.stages, [](const Stage &stage) { return stage.objective.weights.sequence != 0; });
  if (decodes)
    decodings_ = std::make_unique<Decodings>(*teacher_model_, teacher_.stop_tokens, recipe_.decode_tokens,
                                             decodingsFile(), writes());
  trainer_ = std::make_unique<Trainer>(recipe_, teacher_model_.get(), *student_, *data_, validation_.get(),
                                       decodings_.get(), *store_, ranks_);
  if (newest)
    trainer_->resume(*newest);
  if (writes())
    log_ = std::make_unique<RunLog>(recipe_, newest ? std::optional(trainer_->stepsDone()) : std::nullopt);
}

Distillation::~Distillation() = default;

RunPlaces Distillation::places(bool fresh) const {
  RunPlaces places{RunLog::filesOf(recipe_.out), {resultFolder()}, fresh};
  places.files.push_back(reportFile());
  places.files.push_back(decodingsFile());
  if (recipe_.export_stages)
    for (const Stage &stage : recipe_.stages)
      places.results.push_back(stageFolder(stage));
  return places;
}

/// Where the others may see it later, as on a network's file system, the first rank's word counts.
std::optional<RunPlace> Distillation::newestOfFirst() const {
  std::string text;
  if (writes())
    if (const auto newest = store_->newest())
      text = fmt::format("{} {}", newest->step, newest->part);
  text = ranks_.gather(text).front();
  RunPlace place;
  if (text.empty() || !(std::istringstream(text) >> place.step >> place.part))
    return {};
  return place;
}

std::unique_ptr<BatchSource> Distillation::openData(const DataRecipe &data, bool evaluation) const {
  if (data.kind == "text")
    return std::make_unique<TextSource>(
        data.path, teacher_, TextSourceOptions{recipe_.batch, data.max_tokens, recipe_.seed, evaluation});
  if (!encoder_)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("data of the kind \"vision\" require a vision-language model, {} is none",
                            recipe_.model.string()));
  SourceOptions options;
  options.batch = recipe_.batch;
  options.seed = recipe_.seed;
  options.evaluation = evaluation;
  options.padding = encoder_->padding();
  options.workers = int(data.workers);
  options.memory = data.memory_mib << 20;
  options.ahead = int(std::clamp<std::int64_t>(2 * recipe_.batch, 64, 1024));
  if (!writes()) // each rank meets the same damaged samples
    options.report = [](const std::string &) {};
  return std::make_unique<SampleSource>(openSets(data.sets, data.folder, *encoder_), std::move(options));
}

/// This rank's rows of what `source` gives. Every rank goes through all of the data, so that positions, and
/// with them checkpoints, are the same for any number of ranks.
std::unique_ptr<BatchSource> Distillation::shared(std::unique_ptr<BatchSource> source) const {
  std::function<Batch(Batch)> share;
  if (auto *samples = dynamic_cast<SampleSource *>(source.get()))
    samples->setForm({ranks_.rank(), ranks_.ranks(), /*packed=*/true, recipe_.device.is_cuda()});
  else if (ranks_.ranks() == 1)
    return source;
  else
    share = [rank = ranks_.rank(), ranks = ranks_.ranks()](const Batch &batch) {
      return shareOf(batch, rank, ranks);
    };
  // One step is trained on, one waits, and one is being made.
  return std::make_unique<AheadSource>(std::move(source), std::size_t(recipe_.accumulate), std::move(share));
}

std::unique_ptr<DecoderModel> Distillation::modelOf(models::Decoder decoder) const {
  if (vision_)
    return std::make_unique<VisionModel>(*vision_, std::move(decoder), recipe_.precision);
  return std::make_unique<DecoderModel>(std::move(decoder), recipe_.precision);
}

std::string Distillation::dataSummary() {
  auto *ahead = dynamic_cast<AheadSource *>(data_.get());
  auto *samples = ahead ? dynamic_cast<SampleSource *>(&ahead->paused()) : nullptr;
  return samples ? samples->summary() : "";
}

/// `data` begin with the batch that scan norms are calibrated on.
void Distillation::makeStudent(BatchSource &data) {
  if (!distills()) {
    student_ = modelOf(recipe_.mixer ? DecoderModel::studentOf(teacher_.decoder, *recipe_.mixer, recipe_.seed)
                                     : teacher_.decoder);
    return;
  }
  teacher_model_ = modelOf(teacher_.decoder);
  std::optional<DecoderModel::Calibration> calibration;
  if (recipe_.calibrate) {
    nlohmann::json start = data.position();
    Batch first = data.next().value();
    data.seek(start);
    torch::NoGradGuard guard;
    calibration = {teacher_model_->embed(first), first.layout};
  }
  student_ = modelOf(DecoderModel::studentOf(teacher_.decoder, *recipe_.mixer, recipe_.seed, calibration));
}

void Distillation::exportTo(const std::filesystem::path &folder, std::size_t stages) const {
  ModelFacts facts;
  facts.distilled = distills();
  facts.teacher = distills()               ? recipe_.text["teacher"].get<std::string>()
                  : recipe_.preset.empty() ? recipe_.text["model"].get<std::string>()
                                           : fmt::format("random weights, preset {}", recipe_.preset);
  facts.recipe = recipe_.text;
  facts.stop_tokens = teacher_.stop_tokens;
  for (std::size_t i = 0; i < stages; ++i) {
    facts.stages += (i == 0 ? "" : ", ") + recipe_.stages[i].name;
    facts.steps += recipe_.stages[i].steps;
  }
  exportModel(folder, student_->merged(), recipe_.model, facts, vision_ ? &*vision_ : nullptr);
}

Trainer::End Distillation::run(TrainerEvents events) {
  TrainerEvents mine = events;
  RunSpeed speed;
  speed.ranks = ranks_.ranks();
  mine.onStep = [&](const StepReport &report) {
    if (log_)
      log_->addStep(report);
    ++speed.steps;
    speed.tokens += report.tokens;
    speed.seconds += report.seconds;
    speed.peak_memory = report.peak_memory;
    if (events.onStep)
      events.onStep(report);
  };
  mine.onValidation = [&](std::int64_t step, double divergence, double likelihood) {
    if (log_)
      log_->addValidation(step, divergence, likelihood);
    if (events.onValidation)
      events.onValidation(step, divergence, likelihood);
  };
  mine.onStageEnd = [&](std::size_t stage) {
    if (recipe_.export_stages && writes())
      exportTo(stageFolder(recipe_.stages[stage]), stage + 1);
    if (events.onStageEnd)
      events.onStageEnd(stage);
  };
  Trainer::End end = trainer_->run(mine);
  // Here no rank needs another any more.
  ranks_.barrier();
  ranks_.leave();
  if (end == Trainer::End::finished && writes()) {
    exportTo(resultFolder(), recipe_.stages.size());
    writeReport(speed);
  }
  return end;
}

/// With answers to held-out questions or, where there are none, to some of the training's.
void Distillation::writeReport(const RunSpeed &speed) {
  constexpr std::int64_t most_samples = 12, most_tokens = 32;
  BatchSource &source = validation_ ? *validation_ : *data_;
  const std::int64_t most_batches = validation_ ? recipe_.validation_batches : 2;
  nlohmann::json start = source.position();
  std::vector<Batch> batches;
  while (std::int64_t(batches.size()) < most_batches)
    if (auto batch = source.next())
      batches.push_back(std::move(*batch));
    else
      break;
  source.seek(start);
  const models::Decoder merged = student_->merged();
  const Answerer student{*student_, merged};
  std::optional<Answerer> teacher;
  if (teacher_model_)
    teacher.emplace(*teacher_model_, teacher_model_->decoder());
  const auto samples = answerSamples(batches, most_samples, teacher_, teacher ? &*teacher : nullptr, student,
                                     std::min(recipe_.decode_tokens, most_tokens));
  runReport(recipe_, RunLog::linesOf(recipe_.out), samples, speed).write(reportFile());
}

} // namespace linmu::distill
