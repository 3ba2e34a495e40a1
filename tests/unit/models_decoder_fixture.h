// Decoders with random weights, read from files as any other.
#pragma once
#include "models/decoder/decoder.h"
#include "runtime/io/safetensors_writer.h"
#include "tests/unit/models_file_fixture.h"

namespace linmu::test {

using Tensors = std::map<std::string, torch::Tensor>;

class DecoderFileTest : public FileTest {
protected:
  /// The tensors of a decoder with biases and an untied head, by the names of its files.
  static Tensors randomTensors(const models::DecoderConfig &config) {
    torch::manual_seed(1);
    Tensors tensors;
    auto add = [&](const std::string &name, std::vector<std::int64_t> shape) {
      tensors[name] = 0.3 * torch::randn(shape);
    };
    std::int64_t width = config.hidden_size, inner = config.intermediate_size;
    std::int64_t query = config.heads * config.head_dim, key = config.key_value_heads * config.head_dim;
    add("model.embed_tokens.weight", {config.vocab_size, width});
    add("model.norm.weight", {width});
    add("lm_head.weight", {config.vocab_size, width});
    for (std::int64_t number = 0; number < config.layers; ++number) {
      std::string layer = "model.layers." + std::to_string(number) + ".";
      for (const char *name : {"input_layernorm", "post_attention_layernorm"})
        add(layer + name + ".weight", {width});
      for (const char *name : {"q", "k", "v"}) {
        std::int64_t rows = *name == 'q' ? query : key;
        add(layer + "self_attn." + name + "_proj.weight", {rows, width});
        add(layer + "self_attn." + name + "_proj.bias", {rows});
      }
      add(layer + "self_attn.o_proj.weight", {width, query});
      add(layer + "mlp.gate_proj.weight", {inner, width});
      add(layer + "mlp.up_proj.weight", {inner, width});
      add(layer + "mlp.down_proj.weight", {width, inner});
    }
    return tensors;
  }

  models::Decoder load(const models::DecoderConfig &config, const Tensors &tensors) const {
    std::vector<TensorToStore> stored;
    for (const auto &[name, tensor] : tensors)
      stored.push_back({name,
                        StoredType::f32,
                        tensor.sizes().vec(),
                        {static_cast<const std::byte *>(tensor.data_ptr()), tensor.nbytes()}});
    writeSafetensors(folder_ / "model.safetensors", stored);
    auto weights = models::WeightReader::fromSafetensors(folder_);
    return models::Decoder::load(config, weights);
  }
  models::Decoder load(const models::DecoderConfig &config) const {
    return load(config, randomTensors(config));
  }
};

} // namespace linmu::test
