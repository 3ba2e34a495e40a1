#include "models/io/weight_reader.h"
#include "models/io/dequantize.h"
#include "runtime/core/error.h"
#include "runtime/io/safetensors_file.h"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::models {
namespace {

torch::Tensor loadStored(const StoredTensor &stored) {
  torch::ScalarType type = torch::kFloat32;
  if (stored.type == StoredType::f16)
    type = torch::kFloat16;
  else if (stored.type == StoredType::bf16)
    type = torch::kBFloat16;
  else if (stored.type == StoredType::f64)
    type = torch::kFloat64;
  // An empty tensor for the copy, since the file's bytes may lie at an odd address.
  torch::Tensor loaded = torch::empty(stored.shape, type);
  if (!stored.bytes.empty())
    std::memcpy(loaded.data_ptr(), stored.bytes.data(), stored.bytes.size());
  return loaded.to(torch::kFloat32);
}

torch::Tensor loadGguf(const GgufTensor &tensor) {
  torch::Tensor loaded = torch::empty(tensor.shape, torch::kFloat32);
  dequantize(tensor, {loaded.data_ptr<float>(), static_cast<std::size_t>(loaded.numel())});
  return loaded;
}

/// Which row of `rows` comes where: of each head, from pairs (2i, 2i + 1) to halves (i, i + head_dim / 2).
torch::Tensor pairsToHalves(std::int64_t rows, std::int64_t head_dim) {
  return torch::arange(rows, torch::kInt64).unflatten(0, {-1, head_dim / 2, 2}).transpose(1, 2).flatten(0, 2);
}

/// Empty for a name that the decoder does not have.
std::string translated(std::string_view name) {
  static const std::map<std::string_view, std::string_view> of_model = {
      {"token_embd.weight", "model.embed_tokens.weight"},
      {"output_norm.weight", "model.norm.weight"},
      {"output.weight", "lm_head.weight"}};
  static const std::map<std::string_view, std::string_view> of_layer = {
      {"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},
      {"attn_k", "self_attn.k_proj"},      {"attn_v", "self_attn.v_proj"},
      {"attn_output", "self_attn.o_proj"}, {"ffn_norm", "post_attention_layernorm"},
      {"ffn_gate", "mlp.gate_proj"},       {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"}};
  if (auto found = of_model.find(name); found != of_model.end())
    return std::string(found->second);
  std::size_t layer_end = name.find('.', 4), stem_end = name.rfind('.');
  if (!name.starts_with("blk.") || layer_end == name.npos || stem_end <= layer_end)
    return {};
  auto found = of_layer.find(name.substr(layer_end + 1, stem_end - layer_end - 1));
  if (found == of_layer.end())
    return {};
  return fmt::format("model.layers.{}.{}{}", name.substr(4, layer_end - 4), found->second,
                     name.substr(stem_end));
}

/// Buffers that checkpoints of older versions carry, whatever their prefix: what follows from the
/// configuration.
bool isBuffer(std::string_view name) {
  static constexpr std::string_view endings[] = {"rotary_emb.inv_freq",   "rotary_emb.original_inv_freq",
                                                 "rotary_emb.cos_cached", "rotary_emb.sin_cached",
                                                 "causal_mask",           "attention_mask",
                                                 "masked_bias",           "position_ids"};
  return std::ranges::any_of(endings, [&](std::string_view ending) {
    return name.ends_with(ending) &&
           (name.size() == ending.size() || name[name.size() - ending.size() - 1] == '.');
  });
}

} // namespace

WeightReader WeightReader::fromSafetensors(const std::filesystem::path &path) {
  auto shards = std::make_shared<const std::vector<SafetensorsFile>>(openSafetensorsModel(path));
  WeightReader reader;
  reader.origin_ = path.string();
  for (const SafetensorsFile &shard : *shards)
    for (const auto &[name, stored] : shard.tensors()) {
      if (isBuffer(name))
        continue;
      if (stored.type != StoredType::f32 && stored.type != StoredType::f16 &&
          stored.type != StoredType::bf16 && stored.type != StoredType::f64)
        throw Error(ErrorCode::unsupported,
                    fmt::format("{}: tensor '{}' has the type {}, weights require F32, "
                                "F16, BF16 or F64",
                                shard.path().string(), name, linmu::name(stored.type)));
      // Holding `shards` keeps the mapping alive for as long as the entry.
      reader.entries_.emplace(name,
                              Entry{stored.shape, [shards, &stored] { return loadStored(stored); }, {}});
    }
  return reader;
}

WeightReader WeightReader::fromGguf(std::shared_ptr<const GgufFile> file, const DecoderConfig &config,
                                    WeightForm form) {
  WeightReader reader;
  reader.origin_ = file->path().string();
  bool pairs = file->string("general.architecture") == "llama";
  for (const auto &[name, tensor] : file->tensors()) {
    if (name == "rope_freqs.weight") // readGgufConfig has it
      continue;
    std::string translated_name = translated(name);
    // A tensor without a translation keeps its name, and is then refused as one that nobody took.
    if (translated_name.empty())
      translated_name = name;
    bool rotated = translated_name.find(".q_proj.") != std::string::npos ||
                   translated_name.find(".k_proj.") != std::string::npos;
    // A number of rows that the heads do not divide is refused as a shape that does not fit.
    torch::Tensor order = pairs && rotated && !tensor.shape.empty() && tensor.shape[0] % config.head_dim == 0
                              ? pairsToHalves(tensor.shape[0], config.head_dim).contiguous()
                              : torch::Tensor();
    Entry entry{tensor.shape,
                [&tensor, file, order] {
                  torch::Tensor loaded = loadGguf(tensor);
                  return order.defined() ? loaded.index_select(0, order) : loaded;
                },
                {}};
    if (form == WeightForm::packed && PackedRows::has(tensor.type) && tensor.shape.size() == 2)
      entry.packed = [&tensor, file, order] {
        std::vector<std::int64_t> rows;
        if (order.defined())
          rows.assign(order.data_ptr<std::int64_t>(), order.data_ptr<std::int64_t>() + order.numel());
        return PackedRows(file, tensor, std::move(rows));
      };
    reader.entries_.emplace(translated_name, std::move(entry));
  }
  return reader;
}

WeightReader WeightReader::fromFunction(std::string origin, Maker make) {
  WeightReader reader;
  reader.origin_ = std::move(origin);
  reader.make_ = std::move(make);
  return reader;
}

const WeightReader::Entry &WeightReader::at(const std::string &name,
                                            const std::vector<std::int64_t> &shape) const {
  auto found = entries_.find(name);
  if (found == entries_.end())
    throw Error(ErrorCode::corruptFile, fmt::format("{}: requires the tensor '{}'", origin_, name));
  if (found->second.shape != shape)
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: tensor '{}' must have the shape [{}], got [{}]", origin_, name,
                            fmt::join(shape, ", "), fmt::join(found->second.shape, ", ")));
  return found->second;
}

torch::Tensor WeightReader::take(const std::string &name, std::vector<std::int64_t> shape) {
  if (make_)
    return make_(name, shape);
  const Entry &entry = at(name, shape);
  taken_.insert(name);
  return entry.load();
}

std::optional<PackedRows> WeightReader::takePacked(const std::string &name, std::vector<std::int64_t> shape) {
  if (make_)
    return std::nullopt;
  const Entry &entry = at(name, shape);
  if (!entry.packed)
    return std::nullopt;
  taken_.insert(name);
  return entry.packed();
}

bool WeightReader::hasPacked() const {
  return std::ranges::any_of(entries_, [](const auto &entry) { return bool(entry.second.packed); });
}

void WeightReader::requireAllTaken() const {
  std::vector<std::string> left;
  for (const auto &[name, entry] : entries_)
    if (!taken_.contains(name) && left.size() < 4)
      left.push_back("'" + name + "'");
  if (!left.empty())
    throw Error(ErrorCode::corruptFile,
                fmt::format("{}: holds {} tensors that the model does not have: {}", origin_,
                            entries_.size() - taken_.size(), fmt::join(left, ", ")));
}

} // namespace linmu::models
