// Generated examples as files that a person can look at and JsonlSet reads.
#pragma once
#include "distill/data/generators.h"
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace linmu::distill {

/// Writes numbers 0 to count - 1 of a generator into `folder`, which must be new or empty: `data.jsonl` and,
/// in `media`, a PNG or an animated GIF for each. A line also has `kind` and `facts`. All appears at once or,
/// after an error or a signal, nothing. `progress` is told how many are written. Throws
/// Error(invalidArgument) for a name or options that there is none of, Error(io) if the file system refuses.
void writeExamples(const std::string &generator, std::uint64_t seed, Split split, std::int64_t count,
                   const GeneratorOptions &options, const std::filesystem::path &folder,
                   const std::function<void(std::int64_t written)> &progress = {});

} // namespace linmu::distill
