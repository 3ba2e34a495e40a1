// Making and writing folders of vision-language models.
#pragma once
#include "models/vlm/vision_language_model.h"
#include "runtime/io/stored_type.h"
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <torch/torch.h>

namespace linmu::models {

/// The files of a folder beside its weights.
struct ModelFiles {
  nlohmann::json config, preprocessor;
  std::string tokenizer;        ///< tokenizer.json
  std::string tokenizer_config; ///< tokenizer_config.json
};

/// Of an open model's folder.
ModelFiles readModelFiles(const std::filesystem::path &folder);

/// ChatML without a system message, and what ends a turn: tokenizer_config.json of new models.
std::string chatTokenizerConfig();

/// Writes `folder` (made if it does not exist) with the files and model.safetensors of `type`: F32 or BF16,
/// rounded to nearest. Weights go last, so that a folder with weights is whole. Throws Error(io) as
/// AtomicFile does.
void writeModelFolder(const std::filesystem::path &folder, const ModelFiles &files,
                      const std::map<std::string, torch::Tensor> &tensors, StoredType type = StoredType::f32);

/// Every weight of a model with attention under the name that files have it under. Throws Error(unsupported)
/// for another mixer.
std::map<std::string, torch::Tensor> tensorsOf(VisionLanguageModel &model);

/// Random weights: biases 0, norms 1, other weights normal with deviation 1 / sqrt(columns), 0.02 for the
/// embedding, and where a layer adds to the residual stream, divided by sqrt(2 layers). A function of config
/// and seed.
std::map<std::string, torch::Tensor> randomTensors(const VlmConfig &config, std::uint64_t seed);

/// A new model: random weights, the tokenizer given as the text of a tokenizer.json, ChatML. The vocabulary
/// is the tokenizer's, rounded up to a multiple of 8. Throws Error(invalidArgument) where the preprocessor's
/// patches are not the encoder's, and as writeModelFolder does.
void writeNewModel(const std::filesystem::path &folder, VlmConfig config,
                   const PreprocessorConfig &preprocessor, const std::string &tokenizer_json,
                   std::uint64_t seed, StoredType type = StoredType::f32);

} // namespace linmu::models
