// A recipe as a run: teacher, student, data and checkpoints put together.
#pragma once
#include "distill/data/sample_encoder.h"
#include "distill/trainer.h"
#include "models/generate/language_model.h"
#include <memory>

namespace linmu::distill {

/// What is there in Recipe::out: checkpoints/, log.jsonl (a line a step), teacher_decodings.jsonl, and the
/// student as a folder, student/, after the last stage; stage-NAME/ after each where the recipe says so.
class Distillation {
public:
  enum class Start {
    fresh, ///< Error(invalidArgument) where there are checkpoints
    resume ///< from the newest checkpoint; fresh where there is none
  };
  /// Opens the teacher and the data, and makes the student. Throws naming what does not fit.
  Distillation(Recipe recipe, Start start);
  ~Distillation();

  /// As Trainer::run. Where it finishes, the student is exported.
  Trainer::End run(TrainerEvents events);

  std::int64_t steps() const { return trainer_->steps(); }
  std::int64_t stepsDone() const { return trainer_->stepsDone(); }
  const Trainer &trainer() const { return *trainer_; }
  const Recipe &recipe() const { return recipe_; }
  DecoderModel &student() { return *student_; }
  const models::LanguageModel &teacher() const { return teacher_; }
  std::filesystem::path studentFolder() const { return recipe_.out / "student"; }

  /// How many samples were skipped as damaged, and which; empty if there was none.
  std::string dataSummary() const;

private:
  std::unique_ptr<BatchSource> openData(const DataRecipe &data, bool evaluation) const;
  std::unique_ptr<DecoderModel> modelOf(models::Decoder decoder) const;
  void makeStudent();
  void truncateLog() const;
  void exportTo(const std::filesystem::path &folder, std::size_t stages) const;

  Recipe recipe_;
  std::optional<models::VisionLanguageModel> vision_; ///< the teacher, if it is one
  std::optional<models::LanguageModel> text_;         ///< the teacher otherwise
  models::LanguageModel &teacher_;                    ///< of one or the other
  std::unique_ptr<SampleEncoder> encoder_;            ///< of `vision_`
  std::unique_ptr<BatchSource> data_, validation_;
  std::unique_ptr<DecoderModel> teacher_model_, student_;
  std::unique_ptr<Decodings> decodings_;
  std::unique_ptr<CheckpointStore> store_;
  std::unique_ptr<Trainer> trainer_;
};

} // namespace linmu::distill
