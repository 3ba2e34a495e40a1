// Sets of samples as recipes and command lines name them.
#pragma once
#include "distill/data/example.h"
#include "distill/data/order.h"
#include "distill/data/sample_encoder.h"
#include "distill/data/sample_set.h"
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace linmu::distill {

/// One of
///   {"jsonl": "clips/data.jsonl"}
///   {"easy-vqa": "FOLDER", "split": "held-out"}
///   {"generator": "moving-shapes", "split": "train", "seed": 1, "count": 10000, "side": 64, "frames": 32}
/// `split` is "train" (the default) or "held-out"; `side` and `frames` are by default those that the model
/// reads. Paths are relative to `folder`. Throws Error(invalidArgument) naming a key that is missing, unknown
/// or of another type, and what the sets themselves throw. `encoder` must outlive the set.
std::shared_ptr<const SampleSet> openSet(const nlohmann::json &spec, const std::filesystem::path &folder,
                                         const SampleEncoder &encoder);

/// A list of such objects, each perhaps with `repeat`: how many times its samples come in one pass.
std::vector<WeightedSet> openSets(const nlohmann::json &list, const std::filesystem::path &folder,
                                  const SampleEncoder &encoder);

/// "train" or "held-out". Throws Error(invalidArgument) for another name.
Split splitNamed(std::string_view name);

} // namespace linmu::distill
