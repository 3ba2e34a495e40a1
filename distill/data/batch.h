// Samples side by side.
#pragma once
#include "distill/data/sample.h"
#include <cstdint>
#include <span>
#include <string>

namespace linmu::distill {

/// What samples of one batch have in common: the grids of their media and the tokens where these begin.
std::string geometryOf(const Sample &sample);

struct RowRange {
  std::int64_t first, count;
};
/// Of B rows those from rank * B / ranks to (rank + 1) * B / ranks: together all of them, each once. No rows
/// where there are fewer rows than ranks.
constexpr RowRange rowsOfRank(std::int64_t rows, std::int64_t rank, std::int64_t ranks) {
  const std::int64_t first = rank * rows / ranks;
  return {first, (rank + 1) * rows / ranks - first};
}

/// Which rows of a batch one process has (rowsOfRank), and where they lie.
struct BatchForm {
  std::int64_t rank = 0, ranks = 1;
  bool packed = false, pinned = false; ///< as packed() makes it
};

/// Rows of the samples in order, padded on the right with `padding` to the longest of all samples, also of
/// those that are other ranks' rows. Throws Error(invalidArgument) for no sample or for geometries that
/// differ.
Batch batchOf(std::span<const Sample> samples, std::int64_t padding, const BatchForm &form = {});

/// Of each label at which a loss is taken, [2, M] int64: the row of [B (N - 1)] that predicts it, the token
/// before the label, and the label.
torch::Tensor predictionsOf(const torch::Tensor &labels);

/// With everything that a model reads in one piece of memory, so that one copy takes it to a device; `pinned`
/// memory, which needs one, without waiting.
Batch packed(Batch batch, bool pinned = false);

/// With ids, predictions and patches on `device`; labels stay on the CPU, where they are counted.
Batch onDevice(const Batch &batch, torch::Device device);

} // namespace linmu::distill
