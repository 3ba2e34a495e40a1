// A recipe as a run: teacher, student, data and checkpoints put together; of a recipe that trains, without a
// teacher, a student that is the model itself.
#pragma once
#include "distill/data/sample_encoder.h"
#include "distill/run_log.h"
#include "distill/run_places.h"
#include "distill/run_report.h"
#include "distill/trainer.h"
#include "models/generate/language_model.h"
#include <memory>

namespace linmu::distill {

/// What is there in Recipe::out: checkpoints/, what RunLog writes, teacher_decodings.jsonl, report.html, and
/// the result as a folder, student/ or, of a training, model/, after the last stage; stage-NAME/ after each
/// where the recipe says so. Of a training from random weights, initial/ has these.
class Distillation {
public:
  enum class Start {
    fresh, ///< Error(invalidArgument) where there are checkpoints
    resume ///< from the newest checkpoint; fresh where there is none
  };
  /// Opens the teacher, or the model, and the data, and makes the student. Throws naming what does not fit.
  Distillation(Recipe recipe, Start start);
  /// One of several `ranks`, which must outlive this, with files that all of them see; the first alone
  /// writes. Micro-batches are shared out over them, so that the run is the same for any number but for
  /// rounding.
  Distillation(Recipe recipe, Start start, Collective &ranks);
  ~Distillation();

  /// As Trainer::run; then this rank leaves the others. Where it finishes, the student is exported and
  /// reportFile() written.
  Trainer::End run(TrainerEvents events);

  std::int64_t steps() const { return trainer_->steps(); }
  std::int64_t stepsDone() const { return trainer_->stepsDone(); }
  const Trainer &trainer() const { return *trainer_; }
  const Recipe &recipe() const { return recipe_; }
  DecoderModel &student() { return *student_; }
  /// Of a training the model that it started from, with the weights that the student has now.
  const models::LanguageModel &teacher() const { return teacher_; }
  bool distills() const { return recipe_.kind == RecipeKind::distill; }
  std::filesystem::path resultFolder() const { return recipe_.out / (distills() ? "student" : "model"); }

  /// A page with the stages, the curves and some answers.
  std::filesystem::path reportFile() const { return recipe_.out / "report.html"; }

  /// How many samples were skipped as damaged, and which; empty if there was none.
  std::string dataSummary();

private:
  std::unique_ptr<BatchSource> openData(const DataRecipe &data, bool evaluation) const;
  std::unique_ptr<BatchSource> shared(std::unique_ptr<BatchSource> source) const;
  std::optional<RunPlace> newestOfFirst() const;
  bool writes() const { return ranks_.rank() == 0; }
  std::unique_ptr<DecoderModel> modelOf(models::Decoder decoder) const;
  void checkStart() const;
  RunPlaces places(bool fresh) const;
  std::filesystem::path stageFolder(const Stage &stage) const {
    return recipe_.out / ("stage-" + stage.name);
  }
  std::filesystem::path decodingsFile() const { return recipe_.out / "teacher_decodings.jsonl"; }
  void makeStudent(BatchSource &data);
  void writeReport(const RunSpeed &speed);
  void exportTo(const std::filesystem::path &folder, std::size_t stages) const;

  Collective &ranks_;
  Recipe recipe_;
  std::optional<models::VisionLanguageModel> vision_; ///< the teacher, or the model, if it is one
  std::optional<models::LanguageModel> text_;         ///< otherwise
  models::LanguageModel &teacher_;                    ///< of one or the other
  std::unique_ptr<SampleEncoder> encoder_;            ///< of `vision_`
  std::unique_ptr<BatchSource> data_, validation_;
  std::unique_ptr<DecoderModel> teacher_model_, student_; ///< no teacher in a training
  std::unique_ptr<Decodings> decodings_;
  std::unique_ptr<CheckpointStore> store_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<RunLog> log_;
};

} // namespace linmu::distill
