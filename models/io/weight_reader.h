// The tensors of a checkpoint under Hugging Face's names, each read once as f32.
#pragma once
#include "models/io/decoder_config.h"
#include "models/io/gguf_file.h"
#include "models/io/packed_rows.h"
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <torch/torch.h>
#include <vector>

namespace linmu::models {

/// What weights are in memory.
enum class WeightForm {
  f32,
  packed ///< as their file packs them, where that is Q4_0, Q4_1 or Q8_0
};

class WeightReader {
public:
  /// A file, or a folder as `openSafetensorsModel` takes it. Types F32, F16, BF16 and F64. Buffers that
  /// follow from the configuration, such as `rotary_emb.inv_freq`, are left out.
  static WeightReader fromSafetensors(const std::filesystem::path &path);

  /// Names are translated (`blk.0.attn_q.weight` becomes `model.layers.0.self_attn.q_proj.weight`). Rows of
  /// the query and key projections of the llama architecture, which such files store for a rotary embedding
  /// of neighbouring pairs, are put back into the order of one that rotates halves.
  static WeightReader fromGguf(std::shared_ptr<const GgufFile> file, const DecoderConfig &config,
                               WeightForm form = WeightForm::f32);

  /// Whatever tensor is asked for is what `make` gives for its name and shape; none is left over.
  using Maker = std::function<torch::Tensor(const std::string &name, const std::vector<std::int64_t> &shape)>;
  static WeightReader fromFunction(std::string origin, Maker make);

  bool has(const std::string &name) const { return entries_.contains(name); }
  /// Whether takePacked() has anything to give.
  bool hasPacked() const;

  /// The tensor as a new contiguous f32 tensor. Throws Error(corruptFile) naming the tensor if it is missing
  /// or has another shape than the one given.
  torch::Tensor take(const std::string &name, std::vector<std::int64_t> shape);

  /// The tensor's rows where they may stay packed, otherwise nothing, and then it is not taken. Throws as
  /// `take`.
  std::optional<PackedRows> takePacked(const std::string &name, std::vector<std::int64_t> shape);

  /// Throws Error(corruptFile) naming the first tensors that nobody took.
  void requireAllTaken() const;

private:
  struct Entry {
    std::vector<std::int64_t> shape;
    std::function<torch::Tensor()> load;
    std::function<PackedRows()> packed; ///< empty where weights cannot or may not stay packed
  };
  const Entry &at(const std::string &name, const std::vector<std::int64_t> &shape) const;
  std::string origin_;
  Maker make_; ///< in place of entries
  std::map<std::string, Entry> entries_;
  std::set<std::string> taken_;
};

} // namespace linmu::models
