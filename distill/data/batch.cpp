#include "distill/data/batch.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <fmt/format.h>

namespace linmu::distill {

std::string geometryOf(const Sample &sample) {
  std::string text;
  for (const models::MediaItem &item : sample.media)
    text += fmt::format("{}x{}x{} at {};", item.t, item.h, item.w, item.first_token);
  return text;
}

Batch batchOf(std::span<const Sample> samples, std::int64_t padding) {
  if (samples.empty())
    throw Error(ErrorCode::invalidArgument, "a batch requires at least one sample");
  const std::string geometry = geometryOf(samples.front());
  std::size_t longest = 0;
  for (const Sample &sample : samples) {
    longest = std::max(longest, sample.ids.size());
    if (geometryOf(sample) != geometry)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("a batch requires media at the same places, got '{}' in {} and '{}' in {}",
                              geometry, samples.front().name, geometryOf(sample), sample.name));
  }
  const std::int64_t rows = std::int64_t(samples.size()), tokens = std::int64_t(longest);
  Batch batch;
  batch.ids = torch::full({rows, tokens}, padding, torch::kInt64);
  batch.labels = torch::full({rows, tokens}, noLabel, torch::kInt64);
  for (std::int64_t row = 0; row < rows; ++row) {
    const Sample &sample = samples[std::size_t(row)];
    std::ranges::copy(sample.ids, batch.ids.data_ptr<std::int64_t>() + row * tokens);
    std::ranges::copy(sample.labels, batch.labels.data_ptr<std::int64_t>() + row * tokens);
    batch.targets += std::int64_t(sample.labels.size()) - std::ranges::count(sample.labels, noLabel);
    batch.names.push_back(sample.name);
  }
  for (std::size_t item = 0; item < samples.front().patches.size(); ++item) {
    std::vector<torch::Tensor> rows_of_item;
    for (const Sample &sample : samples)
      rows_of_item.push_back(sample.patches[item]);
    batch.patches.push_back(torch::stack(rows_of_item));
  }
  batch.layout = {tokens, samples.front().media};
  return batch;
}

} // namespace linmu::distill
