// The tokenizer of a GGUF file as Hugging Face's tokenizer.json.
#pragma once
#include "models/io/gguf_file.h"
#include <nlohmann/json.hpp>

namespace linmu::models {

/// What Tokenizer::fromJson reads as Tokenizer::fromGguf reads `file`, and `tokenizers` reads too. Tokens
/// that are marked as unused become ordinary ones. Throws like Tokenizer::fromGguf.
nlohmann::json tokenizerJson(const GgufFile &file);

} // namespace linmu::models
