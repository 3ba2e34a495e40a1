// The tensors of a decoder under the names that files have them under.
#pragma once
#include "distill/parameters.h"
#include "models/decoder/decoder.h"
#include <functional>

namespace linmu::distill {

/// Shows each tensor once, a head that is tied to the embedding as the embedding, in one order. A layer whose
/// mixer is neither attention nor M-MATE shows what is beside it. Throws where a weight is packed.
void eachParameter(models::Decoder decoder, const std::function<void(Parameter)> &visit);

/// Whether every layer has M-MATE.
bool isLinear(const models::Decoder &decoder);

} // namespace linmu::distill
