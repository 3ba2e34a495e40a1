// The steps that a tokenizer.json lists: normalizers, pre-tokenizers, decoders.
#pragma once
#include "models/text/normalizer.h"
#include "models/text/pre_tokenizer.h"
#include "models/text/token_decoder.h"
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace linmu::models {

/// Each appends the steps of `step`, a sequence's one after the other; null is none. They throw
/// Error(unsupported) naming `origin` and the type that is not known, and nlohmann's exceptions for fields
/// that are missing or of another type.
void appendNormalizers(const nlohmann::json &step, const std::string &origin, std::vector<Normalizer> &steps);
void appendPreTokenizers(const nlohmann::json &step, const std::string &origin,
                         std::vector<PreTokenizer> &steps);
void appendDecoders(const nlohmann::json &step, const std::string &origin, std::vector<TokenDecoder> &steps);

} // namespace linmu::models
