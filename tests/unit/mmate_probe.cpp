// What tests/python compare of M-MATE with its definition, as files.
//   mmate_probe config CONFIG.json                  prints every key of the configuration
//   mmate_probe reuse IN.safetensors OUT.safetensors HEADS KEY_VALUE_HEADS HIDDEN SEED
//       attention's `query`, `key`, `value`, `output` and, where given, `*_bias` to the block's weights
//   mmate_probe forward CONFIG.json IN.safetensors OUT.safetensors HEADS KEY_VALUE_HEADS THETA LAYER
//   PIECES...
//       weights by the names of tests/python/mmate_oracle.py, `hidden` [B, N, d], `positions` [N] and `media`
//       [M, 4] (i64) to `y` [B, N, d], passed in pieces of those lengths; `state_bytes` [pieces] after each
//   mmate_probe gradient CONFIG.json IN.safetensors OUT.safetensors HEADS KEY_VALUE_HEADS THETA LAYER BRANCH
//       of `block` or `flex`: its `y`, and the gradient of the sum of y times `cotangent` [B, N, d] with
//       respect to `hidden` and to each weight that it depends on, as d_NAME
#include "models/mmate/convert.h"
#include "models/mmate/mmate.h"
#include "runtime/core/error.h"
#include "runtime/io/safetensors_file.h"
#include "runtime/io/safetensors_writer.h"
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>

namespace {

using namespace linmu;
using namespace linmu::models;
using torch::Tensor;

/// The file's tensors of f32 and i64.
class Inputs {
public:
  explicit Inputs(const std::string &path) : file_(SafetensorsFile::open(path)) {}

  bool has(const std::string &name) const { return file_.tensors().contains(name); }
  Tensor operator[](const std::string &name) const {
    const StoredTensor &stored = file_.at(name);
    Tensor tensor =
        torch::empty(stored.shape, stored.type == StoredType::i64 ? torch::kInt64 : torch::kFloat32);
    if (!stored.bytes.empty())
      std::memcpy(tensor.data_ptr(), stored.bytes.data(), stored.bytes.size());
    return tensor;
  }
  Tensor optional(const std::string &name) const { return has(name) ? (*this)[name] : Tensor(); }

private:
  SafetensorsFile file_;
};

/// The same tensors as leaves of autograd, each one once.
class Leaves {
public:
  explicit Leaves(const Inputs &in) : in_(in) {}

  Tensor operator[](const std::string &name) const {
    auto [place, added] = leaves_.try_emplace(name);
    if (added)
      place->second = in_[name].requires_grad_();
    return place->second;
  }
  const std::map<std::string, Tensor> &all() const { return leaves_; }

private:
  const Inputs &in_;
  mutable std::map<std::string, Tensor> leaves_;
};

class Outputs {
public:
  void add(const std::string &name, const Tensor &tensor) {
    if (tensor.defined())
      tensors_.emplace_back(name, tensor.contiguous());
  }
  void write(const std::string &path) const {
    std::vector<TensorToStore> stored;
    for (const auto &[name, tensor] : tensors_)
      stored.push_back({name,
                        tensor.scalar_type() == torch::kInt64 ? StoredType::i64 : StoredType::f32,
                        tensor.sizes().vec(),
                        {static_cast<const std::byte *>(tensor.data_ptr()), tensor.nbytes()}});
    writeSafetensors(path, stored);
  }

private:
  std::vector<std::pair<std::string, Tensor>> tensors_;
};

MMateConfig readConfig(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return MMateConfig::fromJson(text.str());
}

/// The named matrices of the paper, stacked as the block holds them.
template <typename Source>
MMateWeights readWeights(const Source &in, std::int64_t heads, std::int64_t groups, double theta) {
  MMateWeights weights;
  auto stack = [&](const std::string &prefix, std::initializer_list<const char *> names) {
    std::vector<Tensor> parts;
    for (const char *name : names)
      parts.push_back(in[prefix + name]);
    return torch::cat(parts).contiguous();
  };
  auto flex = {"C", "B", "X", "dt_forward", "dt_reverse", "gate"};
  weights.flex = stack("W_", flex);
  weights.flex_bias = stack("b_", flex);
  weights.swin = stack("W_", {"Q", "K", "V"});
  weights.swin_bias = stack("b_", {"Q", "K", "V"});
  weights.heads = heads;
  weights.key_value_heads = groups;
  weights.head_dim = in["W_C"].size(0) / heads;
  weights.forward_a_log = in["a_log_forward"];
  weights.reverse_a_log = in["a_log_reverse"];
  const char *convolutions[] = {"conv_C", "conv_B", "conv_X"};
  for (int part = 0; part < 3; ++part)
    for (const Tensor &lag : in[convolutions[part]].unbind(0))
      weights.convolution[part].push_back(lag.contiguous());
  weights.scan_norm = in["scan_norm"];
  weights.flex_output = in["W_O_flex"];
  weights.flex_output_bias = in["b_O_flex"];
  weights.swin_output = in["W_O_swin"];
  weights.swin_output_bias = in["b_O_swin"];
  weights.lambda = in["W_lambda"];
  weights.lambda_bias = in["b_lambda"];
  weights.output_norm = in["output_norm"];
  weights.output_norm_bias = in["b_output_norm"];
  weights.rotary = std::make_shared<Rotary>(weights.head_dim, theta);
  return weights;
}

/// The items of tokens [begin, begin + length), counted from `begin`.
SequenceLayout layoutOf(const Tensor &media, std::int64_t begin, std::int64_t length) {
  SequenceLayout layout{length, {}};
  for (std::int64_t row = 0; row < media.size(0); ++row) {
    auto at = [&](int column) { return media[row][column].item<std::int64_t>(); };
    if (at(0) >= begin && at(0) < begin + length)
      layout.media.push_back({at(0) - begin, at(1), at(2), at(3)});
  }
  return layout;
}

void forward(char **arguments, int pieces) {
  Inputs in(arguments[1]);
  std::int64_t heads = std::stoll(arguments[3]), groups = std::stoll(arguments[4]);
  MMateWeights weights = readWeights(in, heads, groups, std::stod(arguments[5]));
  auto shared = std::make_shared<MMateShared>(heads, groups, weights.head_dim);
  MMate block(std::move(weights), readConfig(arguments[0]), std::stoll(arguments[6]), shared);
  Tensor hidden = in["hidden"], positions = in["positions"], media = in["media"];
  std::unique_ptr<MixerState> state = block.initialState(hidden.size(0));
  std::vector<Tensor> parts;
  Tensor state_bytes = torch::empty({pieces}, torch::kInt64);
  std::int64_t begin = 0;
  for (int i = 0; i < pieces; ++i) {
    std::int64_t length = std::stoll(arguments[7 + i]);
    SequenceLayout layout = layoutOf(media, begin, length);
    parts.push_back(
        block.forward({hidden.narrow(1, begin, length), positions.narrow(0, begin, length), layout}, *state));
    state_bytes[i] = state->bytes();
    begin += length;
  }
  Outputs out;
  out.add("y", torch::cat(parts, 1));
  out.add("state_bytes", state_bytes);
  out.write(arguments[2]);
}

void gradient(char **arguments) {
  Inputs in(arguments[1]);
  Leaves leaves(in);
  std::int64_t heads = std::stoll(arguments[3]), groups = std::stoll(arguments[4]);
  MMateWeights weights = readWeights(leaves, heads, groups, std::stod(arguments[5]));
  auto shared = std::make_shared<MMateShared>(heads, groups, weights.head_dim);
  MMate block(std::move(weights), readConfig(arguments[0]), std::stoll(arguments[6]), shared);
  Tensor hidden = leaves["hidden"];
  MixerInput input{hidden, in["positions"], layoutOf(in["media"], 0, hidden.size(1))};
  bool whole = std::string(arguments[7]) == "block";
  Tensor y = whole ? block.forwardWithGradients(input) : block.flexWithGradients(input);
  y.backward(in["cotangent"]);
  Outputs out;
  out.add("y", y.detach());
  for (const auto &[name, leaf] : leaves.all())
    out.add("d_" + name, leaf.grad());
  out.write(arguments[2]);
}

void reuse(char **arguments) {
  Inputs in(arguments[0]);
  AttentionWeights attention;
  attention.query = in["query"];
  attention.key = in["key"];
  attention.value = in["value"];
  attention.output = in["output"];
  attention.query_bias = in.optional("query_bias");
  attention.key_bias = in.optional("key_bias");
  attention.value_bias = in.optional("value_bias");
  attention.output_bias = in.optional("output_bias");
  attention.heads = std::stoll(arguments[2]);
  attention.key_value_heads = std::stoll(arguments[3]);
  attention.head_dim = attention.query.outputs() / attention.heads;
  attention.rotary = std::make_shared<Rotary>(attention.head_dim, 1e4);
  MMateWeights weights = reuseWeights(attention, std::stoll(arguments[4]), std::stoull(arguments[5]));
  Outputs out;
  out.add("flex", weights.flex);
  out.add("flex_bias", weights.flex_bias);
  out.add("swin", weights.swin);
  out.add("swin_bias", weights.swin_bias);
  out.add("forward_a_log", weights.forward_a_log);
  out.add("reverse_a_log", weights.reverse_a_log);
  const char *convolutions[] = {"conv_C", "conv_B", "conv_X"};
  for (int part = 0; part < 3; ++part)
    out.add(convolutions[part], torch::stack(weights.convolution[part]));
  out.add("scan_norm", weights.scan_norm);
  out.add("flex_output", weights.flex_output);
  out.add("flex_output_bias", weights.flex_output_bias);
  out.add("swin_output", weights.swin_output);
  out.add("swin_output_bias", weights.swin_output_bias);
  out.add("lambda", weights.lambda);
  out.add("lambda_bias", weights.lambda_bias);
  out.write(arguments[1]);
}

} // namespace

int main(int argc, char **argv) {
  try {
    std::string command = argc > 2 ? argv[1] : "";
    if (command == "config")
      fmt::print("{}\n", readConfig(argv[2]).toJson());
    else if (command == "reuse" && argc == 8)
      reuse(argv + 2);
    else if (command == "forward" && argc > 9)
      forward(argv + 2, argc - 9);
    else if (command == "gradient" && argc == 10)
      gradient(argv + 2);
    else
      throw Error(ErrorCode::invalidArgument, "expected a command of mmate_probe with its arguments");
  } catch (const linmu::Error &error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
