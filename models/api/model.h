// Models that answer, from files: what applications call. No header of torch is needed, its library is in the
// process before liblinmu_models.so is opened.
#pragma once
#include "models/generate/generation.h"
#include "models/media/frames.h"
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace linmu::models {

/// A text; or a picture or video, as the path of a file or as pixels.
struct Content {
  enum class Kind { text, picture, video } kind = Kind::text;
  std::variant<std::string, std::filesystem::path, media::Frames> value;
};

struct Message {
  std::string role; ///< "system", "user" or "assistant"
  std::vector<Content> contents;
};

struct LoadOptions {
  std::string device = "cpu"; ///< or "cuda"
  std::string weights;        ///< "packed" or "f32" for files that pack them; empty: as the file has them
};

/// A language model, or one that sees pictures and videos too. For any number of threads at once.
class __attribute__((visibility("default"))) Model {
public:
  /// Opens a GGUF file or a Hugging Face folder of the Llama or Qwen2 family, or the folder of a
  /// vision-language model. Throws linmu::Error naming the file, or the option, and what does not fit.
  static Model load(const std::filesystem::path &path, const LoadOptions &options = {});

  Model(Model &&) noexcept;
  Model &operator=(Model &&) noexcept;
  ~Model();

  bool sees() const;

  /// The assistant's answer to a conversation. Files of media are resized to what the model reads; pixels
  /// need sides that are multiples of its patches. Control tokens in texts are text. Throws
  /// Error(unsupported) for media and a model of text, Error(invalidArgument) for a role, an option or pixels
  /// that do not fit, and Error naming a file that cannot be read.
  Generation generate(std::span<const Message> messages, const GenerateOptions &options = {},
                      const TextCallback &onText = {}) const;

private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

} // namespace linmu::models
