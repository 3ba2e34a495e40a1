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

namespace {

/// Pieces one behind the other in one piece of memory.
class PackedPieces {
public:
  void add(std::int64_t bytes) {
    // Of what is computed on a GPU; more than any element needs.
    constexpr std::int64_t alignment = 64;
    offsets_.push_back(size_);
    size_ += (bytes + alignment - 1) / alignment * alignment;
  }
  void allocate(bool pinned) {
    bytes_ = torch::empty({size_}, torch::dtype(torch::kUInt8).pinned_memory(pinned));
  }
  const torch::Tensor &bytes() const { return bytes_; }
  /// Piece `number` as a tensor of these sizes.
  torch::Tensor piece(std::size_t number, torch::IntArrayRef sizes, torch::ScalarType type) const {
    const std::int64_t size = c10::multiply_integers(sizes) * std::int64_t(c10::elementSize(type));
    return bytes_.narrow(0, offsets_.at(number), size).view(type).view(sizes);
  }

private:
  std::vector<std::int64_t> offsets_;
  std::int64_t size_ = 0;
  torch::Tensor bytes_;
};

} // namespace

/// The rows of one item of `samples`, in the memory of `all`.
static void copyPatches(std::span<const Sample> samples, std::size_t item, const torch::Tensor &all) {
  // Not torch::stack, whose threads would wait beside those of whoever trains.
  auto *place = static_cast<std::byte *>(all.data_ptr());
  for (const Sample &sample : samples) {
    const torch::Tensor &patches = sample.patches[item];
    std::memcpy(place, patches.data_ptr(), patches.nbytes());
    place += patches.nbytes();
  }
}

static std::vector<std::int64_t> sizesOf(const torch::Tensor &patches, std::int64_t rows) {
  std::vector<std::int64_t> sizes = patches.sizes().vec();
  sizes.insert(sizes.begin(), rows);
  return sizes;
}

/// The ids and labels of `samples`, each row `tokens` long.
static Batch textOf(std::span<const Sample> samples, std::int64_t tokens, std::int64_t padding) {
  const auto rows = std::int64_t(samples.size());
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
  return batch;
}

Batch batchOf(std::span<const Sample> samples, std::int64_t padding, const BatchForm &form) {
  if (samples.empty())
    throw Error(ErrorCode::invalidArgument, "a batch requires at least one sample");
  const Sample &like = samples.front();
  const std::string geometry = geometryOf(like);
  std::size_t longest = 0;
  for (const Sample &sample : samples) {
    longest = std::max(longest, sample.ids.size());
    if (geometryOf(sample) != geometry)
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("a batch requires media at the same places, got '{}' in {} and '{}' in {}",
                              geometry, like.name, geometryOf(sample), sample.name));
  }
  const auto [first, rows] = rowsOfRank(std::int64_t(samples.size()), form.rank, form.ranks);
  const auto own = samples.subspan(std::size_t(first), std::size_t(rows));
  Batch batch = textOf(own, std::int64_t(longest), padding);
  batch.layout = {std::int64_t(longest), like.media};
  if (!form.packed || rows == 0) {
    for (std::size_t item = 0; item < like.patches.size(); ++item) {
      const torch::Tensor &patches = like.patches[item];
      copyPatches(own, item,
                  batch.patches.emplace_back(torch::empty(sizesOf(patches, rows), patches.options())));
    }
    return batch;
  }
  batch.predictions = predictionsOf(batch.labels);
  PackedPieces pieces;
  pieces.add(std::int64_t(batch.ids.nbytes()));
  pieces.add(std::int64_t(batch.predictions.nbytes()));
  for (const torch::Tensor &patches : like.patches)
    pieces.add(rows * std::int64_t(patches.nbytes()));
  pieces.allocate(form.pinned);
  std::size_t number = 0;
  for (torch::Tensor *part : {&batch.ids, &batch.predictions}) {
    const torch::Tensor place = pieces.piece(number++, part->sizes(), part->scalar_type());
    std::memcpy(place.data_ptr(), part->data_ptr(), part->nbytes());
    *part = place;
  }
  for (std::size_t item = 0; item < like.patches.size(); ++item) {
    const torch::Tensor &patches = like.patches[item];
    copyPatches(
        own, item,
        batch.patches.emplace_back(pieces.piece(number++, sizesOf(patches, rows), patches.scalar_type())));
  }
  batch.packed = pieces.bytes();
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
  PackedPieces pieces;
  for (const torch::Tensor *part : partsOf(batch))
    pieces.add(std::int64_t(part->nbytes()));
  pieces.allocate(pinned);
  std::size_t number = 0;
  for (torch::Tensor *part : partsOf(batch)) {
    const torch::Tensor dense = part->contiguous();
    *part = pieces.piece(number++, dense.sizes(), dense.scalar_type());
    std::memcpy(part->data_ptr(), dense.data_ptr(), dense.nbytes());
  }
  batch.packed = pieces.bytes();
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
