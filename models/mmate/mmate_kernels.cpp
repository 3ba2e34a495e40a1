#include "models/mmate/mmate_kernels.h"
#include "models/kernels/tensor_view.h"
#include <chrono>
#include <fmt/format.h>

namespace linmu::models {

namespace {

/// Those of `aliases` that the file defines.
std::map<std::string, std::string> aliasesOf(const std::string &file,
                                             const std::map<std::string, std::string> &aliases) {
  std::string_view text = mmatePatterns().find(file)->second;
  std::map<std::string, std::string> result;
  for (auto &[name, type] : aliases)
    if (text.find((name[0] == '#' ? "" : "!") + name + " = ") != std::string_view::npos)
      result[name] = type;
  return result;
}

DifferentiableKernel compilePattern(const std::string &file, const std::string &function,
                                    std::map<std::string, std::string> aliases, bool cuda = false) {
  CompileOptions options;
  if (cuda)
    options.target = "cuda";
  options.filename = "models/mmate/patterns/" + file;
  options.function = function;
  options.aliases = std::move(aliases);
  return DifferentiableKernel(std::string(mmatePatterns().find(file)->second), options);
}

} // namespace

MMateKernels::MMateKernels(std::int64_t heads, std::int64_t key_value_heads, std::int64_t head_dim)
    : heads_(heads), key_value_heads_(key_value_heads), head_dim_(head_dim) {}

std::vector<torch::Tensor> MMateKernels::run(const std::string &file, const std::string &function,
                                             std::int64_t keyValueHeads,
                                             const std::vector<torch::Tensor> &inputs,
                                             const std::map<std::string, std::string> &sizes) const {
  std::int64_t h = heads_, g = keyValueHeads, d = head_dim_;
  bool cuda = inputs.front().is_cuda();
  const std::string_view type = name(toView(inputs.front(), file).dtype);
  std::string key = fmt::format("{}:{}:{}:{}:{}", file, function, g, type, cuda ? "cuda" : "cpu");
  for (auto &[name, size] : sizes)
    key += ":" + size;
  auto aliases = [&] {
    std::map<std::string, std::string> all{
        {"query", fmt::format("tensor<?x?x{}x{}x{}>", h, d, type)},
        {"key_value", fmt::format("tensor<?x?x{}x{}x{}>", g, d, type)},
        {"per_head", fmt::format("tensor<?x?x{}xf32>", h)},
        {"state", fmt::format("tensor<?x{}x{}x{}xf32>", h, d, d)},
        {"head_scalar", fmt::format("tensor<{}xf32>", h)},
        {"head_vector", fmt::format("tensor<{}x{}xf32>", h, d)},
        {"read", fmt::format("tensor<{}xf32>", d)},
        {"matrix", fmt::format("tensor<{}x{}xf32>", d, d)},
        {"tokens", fmt::format("tensor<?x?x{}x{}x{}>", g, d, type)},
        {"mask", "tensor<?x?xi1>"},
        {"tail", fmt::format("tensor<?x3x{}x{}x{}>", g, d, type)},
        {"weight", fmt::format("tensor<{}x{}xf32>", g, d)},
    };
    all.insert(sizes.begin(), sizes.end());
    return aliasesOf(file, all);
  };
  auto found = kernels_.find(key);
  if (found == kernels_.end())
    found = kernels_.emplace(key, compilePattern(file, function, aliases(), cuda)).first;
  auto start = std::chrono::steady_clock::now();
  std::vector<torch::Tensor> results = found->second(inputs);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  if (observer_)
    observer_({file, function, aliases(), inputs, results, time.count()});
  return results;
}

torch::Tensor MMateKernels::tokenOrder(int order, const torch::Tensor &media, std::int64_t tokens) {
  DifferentiableKernel kernel = compilePattern("token_order.mlir", fmt::format("order{}", order), {});
  return kernel({media, torch::empty({1, tokens, 1})})[0];
}

std::pair<torch::Tensor, torch::Tensor> MMateKernels::flex(const FlexInputs &inputs, const Masks &masks,
                                                           const FlexScale &scale) const {
  const torch::TensorOptions options = inputs.state.options();
  torch::Tensor share = torch::full({heads_}, scale.rms ? 1.0 : 0.0, options);
  torch::Tensor epsilon = torch::full({heads_}, scale.rms ? scale.epsilon : 1.0, options);
  std::vector<torch::Tensor> results =
      run("flex.mlir", "flex", key_value_heads_,
          {inputs.c, inputs.b, inputs.x, inputs.order, inputs.forward_dt, inputs.forward_a_log, inputs.state,
           inputs.reverse_dt, inputs.reverse_a_log, masks.segment, masks.source, masks.moving, masks.target,
           inputs.gate, masks.gated, scale.weight, share, epsilon});
  return {results[0], results[1]};
}

std::pair<torch::Tensor, torch::Tensor> MMateKernels::convolution(const torch::Tensor &x,
                                                                  const torch::Tensor &tail,
                                                                  const std::vector<torch::Tensor> &weights,
                                                                  const torch::Tensor &order) const {
  std::vector<torch::Tensor> inputs = {x, tail.to(x.scalar_type())};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  inputs.push_back(order);
  std::vector<torch::Tensor> results = run("convolution.mlir", "convolution", x.size(2), inputs);
  return {results[0], results[1]};
}

torch::Tensor MMateKernels::windows(const torch::Tensor &query, const torch::Tensor &key,
                                    const torch::Tensor &value, const torch::Tensor &media, bool video,
                                    bool shifted, const MMateConfig &config) const {
  std::string function = video ? "video" : "image";
  std::array<std::int64_t, 3> window{1, config.image_window[0], config.image_window[1]};
  if (video)
    window = config.video_window;
  auto triple = [](std::int64_t t, std::int64_t h, std::int64_t w) {
    return fmt::format("array<i64: {}, {}, {}>", t, h, w);
  };
  std::map<std::string, std::string> sizes{
      {"#" + function, triple(window[0], window[1], window[2])},
      {"#half_" + function, triple(window[0] / 2, window[1] / 2, window[2] / 2)}};
  if (shifted)
    function += config.join_wrapped ? "_shifted_joined" : "_shifted";
  return run("windows.mlir", function, key_value_heads_, {query, key, value, media}, sizes)[0];
}

} // namespace linmu::models
