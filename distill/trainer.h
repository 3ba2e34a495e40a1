// The stages of a distillation, step by step, so that they can stop anywhere and go on as if they had not.
#pragma once
#include "distill/checkpoint.h"
#include "distill/decoder_model.h"
#include "distill/parallel/gradient_buckets.h"
#include "distill/recipe.h"
#include <functional>
#include <memory>

namespace linmu::distill {

/// What one step was.
struct StepReport {
  std::size_t stage = 0;       ///< of Recipe::stages
  std::int64_t step = 0;       ///< of the stage, from 1 once the first is done
  std::int64_t whole_step = 0; ///< of all stages
  LossTerms terms;             ///< means over the step
  double loss = 0;             ///< their weighted sum
  double learning_rate = 0, gradient_norm = 0;
  std::int64_t tokens = 0;                    ///< that the step trained on
  double seconds = 0;                         ///< that it took, without validation and checkpoints
  double data_seconds = 0, ranks_seconds = 0; ///< of these, waiting for batches and for other ranks
  double peak_memory = 0;                     ///< bytes at most so far, as peakMemory() counts
  std::string skipped; ///< the parameter whose gradient was not finite; empty: the step was made
};

struct TrainerEvents {
  std::function<void(const StepReport &)> onStep;
  /// After each validation, of which the first, before step 1, is of the student as it starts: the mean of KL
  /// to the teacher at temperature 1, 0 where there is none, and of -log p of the answers.
  std::function<void(std::int64_t whole_step, double divergence, double likelihood)> onValidation;
  /// After the last step of a stage, while the student still has its branches.
  std::function<void(std::size_t stage)> onStageEnd;
  /// Asked before each micro-batch, or with several ranks before each step; true on any saves and ends run().
  std::function<bool()> stop;
};

/// Steps whose gradients are not finite, one after the other, that end a run.
inline constexpr std::int64_t mostSkippedInARow = 10;

class Trainer {
public:
  /// All must outlive the trainer. `validation` and `decodings` may be null; `decodings` where no stage has a
  /// sequence loss, `teacher` where none has a loss but the supervised one. Of several `ranks`, `data` and
  /// `validation` give this rank's rows of the batches that they give one process, so that a run's steps are
  /// the same for any number; the first alone saves.
  Trainer(const Recipe &recipe, const Model *teacher, DecoderModel &student, BatchSource &data,
          BatchSource *validation, Decodings *decodings, CheckpointStore &store, Collective &ranks);
  ~Trainer();

  /// Goes on from a checkpoint of a run with the same recipe, bit for bit as if nothing had happened. Throws
  /// Error(invalidArgument) naming the first key of the recipe that differs, Error(corruptFile) for files
  /// that do not fit the model.
  void resume(RunPlace place);

  enum class End { finished, stopped };
  /// Runs the stages that are left. A step whose gradient is not finite is skipped. Throws
  /// Error(invalidArgument) naming the parameter after ten of these in a row, with the state before them
  /// saved; Error(io) if a checkpoint cannot be saved.
  End run(const TrainerEvents &events);

  std::int64_t steps() const; ///< of all stages
  std::int64_t stepsDone() const { return step_; }
  std::size_t stage() const {
    return stage_;
  } ///< the one that is under way; Recipe::stages.size() at the end
  std::int64_t stageStepsDone() const { return stage_step_; }

private:
  void setParts(std::size_t stage);
  void enterStage();
  void shareParameters();
  LossTerms sumOfRanks(const LossTerms &terms);
  Counts sumOfRanks(const Counts &counts);
  bool makeStep(const TrainerEvents &events);
  [[noreturn]] void giveUp(const std::string &parameter);
  struct Score {
    double divergence = 0, likelihood = 0;
  };
  Score score();
  bool validate(const TrainerEvents &events);
  void save(bool improved);
  Checkpoint checkpoint() const;
  NamedTensors savedTensors() const;

  const Recipe &recipe_;
  const Model *teacher_;
  DecoderModel &student_;
  BatchSource &data_;
  BatchSource *validation_;
  Decodings *decodings_;
  CheckpointStore &store_;
  Collective &ranks_;

  std::size_t stage_ = 0;
  std::int64_t stage_step_ = 0; ///< steps of the stage that are done
  std::int64_t step_ = 0;       ///< steps of all stages
  std::int64_t part_ = 0;       ///< micro-batches of the next step that are done
  LossTerms part_terms_;
  nlohmann::json step_position_; ///< of the data, before the next step
  std::int64_t skipped_in_a_row_ = 0;
  std::optional<double> best_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<GradientBuckets> buckets_; ///< of several ranks
  bool has_adapters_ = false;
  bool resumed_ = false;
};

} // namespace linmu::distill
