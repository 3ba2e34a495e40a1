// A model as a folder in Hugging Face's layout, which `linmu generate` and its like open.
#pragma once
#include "models/decoder/decoder.h"
#include "models/io/decoder_config.h"
#include "models/vlm/vision_language_model.h"
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace linmu::distill {

/// What the model is, for its config.json and README.md.
struct ModelFacts {
  bool distilled = true;  ///< else trained without a teacher
  std::string teacher;    ///< where it came from: the teacher, or the model that it was before
  nlohmann::json recipe;  ///< the stages that it has been through
  std::string stages;     ///< "1, 2, 3"
  std::int64_t steps = 0; ///< of them all
  std::vector<std::int64_t> stop_tokens;

  /// Of config.json, under which the rest is.
  const char *key() const { return distilled ? "linmu_distillation" : "linmu_training"; }
};

/// Writes config.json, model.safetensors (f32), the tokenizer of `origin` (a folder or a GGUF file) and a
/// README.md; behind the encoder and projector of `vision`, where there is one, the folder is that of a
/// vision-language model, and `origin` its folder. A decoder with attention has the config.json of `origin`,
/// which is a folder then. The folder appears complete or not at all; one that is there is replaced. Throws
/// Error(io) if the file system refuses.
void exportModel(const std::filesystem::path &folder, const models::Decoder &model,
                 const std::filesystem::path &origin, const ModelFacts &facts,
                 const models::VisionLanguageModel *vision = nullptr);

/// Hugging Face's keys for `config`, such that readConfigJson() gives it back. Throws Error(unsupported) for
/// divisors of rotary frequencies, which only GGUF files have.
nlohmann::ordered_json configJson(const models::DecoderConfig &config);

} // namespace linmu::distill
