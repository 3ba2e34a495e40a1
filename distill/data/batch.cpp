#include "distill/data/batch.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cstring>
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
    // Not torch::stack, whose threads would wait beside those of whoever trains.
    const torch::Tensor &first = samples.front().patches[item];
    std::vector<std::int64_t> sizes = first.sizes().vec();
    sizes.insert(sizes.begin(), rows);
    torch::Tensor &all = batch.patches.emplace_back(torch::empty(sizes, first.options()));
    for (std::int64_t row = 0; row < rows; ++row) {
      const torch::Tensor &patches = samples[std::size_t(row)].patches[item];
      std::memcpy(static_cast<std::byte *>(all.data_ptr()) + row * std::int64_t(first.nbytes()),
                  patches.data_ptr(), patches.nbytes());
    }
  }
  batch.layout = {tokens, samples.front().media};
  return batch;
}

torch::Tensor predictionsOf(const torch::Tensor &labels) {
  const std::int64_t rows = labels.size(0), tokens = labels.size(1);
  const torch::Tensor flat = labels.contiguous();
  const auto *label = flat.data_ptr<std::int64_t>();
  std::vector<std::int64_t> places, targets;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t token = 1; token < tokens; ++token)
      if (label[row * tokens + token] != noLabel) {
        places.push_back(row * (tokens - 1) + token - 1);
        targets.push_back(label[row * tokens + token]);
      }
  const auto count = std::int64_t(places.size());
  torch::Tensor both = torch::empty({2, count}, torch::kInt64);
  std::ranges::copy(places, both.data_ptr<std::int64_t>());
  std::ranges::copy(targets, both.data_ptr<std::int64_t>() + count);
  return both;
}

/// Everything of a batch that a model reads.
static std::vector<torch::Tensor *> partsOf(Batch &batch) {
  std::vector<torch::Tensor *> parts{&batch.ids, &batch.predictions};
  for (torch::Tensor &item : batch.patches)
    parts.push_back(&item);
  return parts;
}

/// `like` at `offset` bytes of `bytes`.
static torch::Tensor viewAt(const torch::Tensor &bytes, std::int64_t offset, const torch::Tensor &like) {
  return bytes.narrow(0, offset, std::int64_t(like.nbytes())).view(like.scalar_type()).view(like.sizes());
}

Batch packed(Batch batch, bool pinned) {
  if (!batch.predictions.defined())
    batch.predictions = predictionsOf(batch.labels);
  // Of what is computed on a GPU; more than any element needs.
  constexpr std::int64_t alignment = 64;
  std::vector<std::int64_t> offsets;
  std::int64_t size = 0;
  for (const torch::Tensor *part : partsOf(batch)) {
    offsets.push_back(size);
    size += (std::int64_t(part->nbytes()) + alignment - 1) / alignment * alignment;
  }
  batch.packed = torch::empty({size}, torch::dtype(torch::kUInt8).pinned_memory(pinned));
  std::size_t number = 0;
  for (torch::Tensor *part : partsOf(batch)) {
    const torch::Tensor dense = part->contiguous();
    const std::int64_t offset = offsets[number++];
    std::memcpy(batch.packed.data_ptr<std::uint8_t>() + offset, dense.data_ptr(), dense.nbytes());
    *part = viewAt(batch.packed, offset, dense);
  }
  return batch;
}

Batch onDevice(const Batch &batch, torch::Device device) {
  Batch moved = batch;
  if (device.is_cpu()) {
    if (!moved.predictions.defined())
      moved.predictions = predictionsOf(moved.labels);
    return moved;
  }
  if (!moved.packed.defined())
    moved = packed(std::move(moved));
  const torch::Tensor host = moved.packed;
  moved.packed = host.to(device, /*non_blocking=*/host.is_pinned());
  for (torch::Tensor *part : partsOf(moved))
    *part = viewAt(moved.packed, part->storage_offset() * part->element_size(), *part);
  return moved;
}

} // namespace linmu::distill
