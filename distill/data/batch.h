// Samples side by side.
#pragma once
#include "distill/data/sample.h"
#include <cstdint>
#include <span>
#include <string>

namespace linmu::distill {

/// What samples of one batch have in common: the grids of their media and the tokens where these begin.
std::string geometryOf(const Sample &sample);

/// Rows of the samples in order, padded on the right with `padding`. Throws Error(invalidArgument) for no
/// sample or for geometries that differ.
Batch batchOf(std::span<const Sample> samples, std::int64_t padding);

} // namespace linmu::distill
