// A vision-language model: encoder, projector, decoder, tokenizer.
#pragma once
#include "models/generate/generate.h"
#include "models/vision/preprocessor.h"
#include "models/vision/projector.h"
#include "models/vision/vision_encoder.h"
#include "models/vlm/chat_tokens.h"
#include "models/vlm/vlm_config.h"
#include "runtime/io/stored_type.h"
#include <filesystem>
#include <span>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

struct VisionLanguageModel {
  /// Opens a folder with config.json, model.safetensors, tokenizer.json, tokenizer_config.json and
  /// preprocessor_config.json. Throws linmu::Error naming the file and what does not fit.
  static VisionLanguageModel open(const std::filesystem::path &folder);

  VlmConfig config;
  PreprocessorConfig preprocessor;
  LanguageModel language;
  VisionEncoder encoder;
  Projector projector;
  VisionTokenIds special;

  /// Patches [B, t h w, features] as the decoder reads them, [B, t h w, d], under autograd.
  torch::Tensor visionTokens(const torch::Tensor &patches, const MediaItem &grid) const;

  /// A picture or video as a message holds it; its patches, [t h w, features], come behind `patches`. Throws
  /// as PreprocessorConfig::patchesOf.
  VisionPart see(VisionPart::Kind kind, const media::Frames &frames,
                 std::vector<torch::Tensor> &patches) const;

  /// What enters the decoder's first layer, [B, N, d], under autograd: rows of the embedding for ids [B, N],
  /// and vision tokens of patches[i] [B, t h w, features], pixels (u8) or values (f32) on any device, in the
  /// place of media[i]. Throws Error(invalidArgument) for shapes, ids or places that do not fit.
  torch::Tensor embed(const torch::Tensor &ids, std::span<const torch::Tensor> patches,
                      std::span<const MediaItem> media) const;

  /// Answers a conversation whose media are `patches`, in order, [t h w, features] each. Throws
  /// Error(invalidArgument) for a number of them that is not the conversation's.
  Generation answer(const ChatTokens &conversation, std::span<const torch::Tensor> patches,
                    const GenerateOptions &options, const TextCallback &onText = {}) const;

  /// The same after what `state` has been through, which goes on by the conversation and the answer, as
  /// generateAfter has it.
  Generation answerAfter(DecoderState &state, const ChatTokens &conversation,
                         std::span<const torch::Tensor> patches, const GenerateOptions &options,
                         const TextCallback &onText = {}) const;

  /// As Decoder::moveTo, with encoder and projector.
  void moveTo(torch::Device device);

  /// Every tensor of encoder and projector, in one order.
  void eachVisionTensor(const TensorVisitor &visit);
};

} // namespace linmu::models
