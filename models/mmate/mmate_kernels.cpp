#include "models/mmate/mmate_kernels.h"
#include "models/kernels/tensor_view.h"
#include "runtime/jit/compile.h"
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

Kernel compilePattern(const std::string &file, const std::string &function,
                      std::map<std::string, std::string> aliases) {
  CompileOptions options;
  options.filename = "models/mmate/patterns/" + file;
  options.function = function;
  options.aliases = std::move(aliases);
  return compile(mmatePatterns().find(file)->second, options);
}

} // namespace

MMateKernels::MMateKernels(std::int64_t heads, std::int64_t key_value_heads, std::int64_t head_dim)
    : heads_(heads), key_value_heads_(key_value_heads), head_dim_(head_dim) {}

void MMateKernels::run(const std::string &file, const std::string &function, std::int64_t keyValueHeads,
                       const std::vector<torch::Tensor> &inputs, const std::vector<torch::Tensor> &results,
                       const std::map<std::string, std::string> &sizes) const {
  std::int64_t h = heads_, g = keyValueHeads, d = head_dim_;
  std::string key = fmt::format("{}:{}:{}", file, function, g);
  for (auto &[name, size] : sizes)
    key += ":" + size;
  auto aliases = [&] {
    std::map<std::string, std::string> all{
        {"query", fmt::format("tensor<?x?x{}x{}xf32>", h, d)},
        {"key_value", fmt::format("tensor<?x?x{}x{}xf32>", g, d)},
        {"per_head", fmt::format("tensor<?x?x{}xf32>", h)},
        {"state", fmt::format("tensor<?x{}x{}x{}xf32>", h, d, d)},
        {"head_scalar", fmt::format("tensor<{}xf32>", h)},
        {"head_vector", fmt::format("tensor<{}x{}xf32>", h, d)},
        {"read", fmt::format("tensor<{}xf32>", d)},
        {"matrix", fmt::format("tensor<{}x{}xf32>", d, d)},
        {"tokens", fmt::format("tensor<?x?x{}x{}xf32>", g, d)},
        {"mask", "tensor<?x?xi1>"},
        {"tail", fmt::format("tensor<?x3x{}x{}xf32>", g, d)},
        {"weight", fmt::format("tensor<{}x{}xf32>", g, d)},
    };
    all.insert(sizes.begin(), sizes.end());
    return aliasesOf(file, all);
  };
  auto found = kernels_.find(key);
  if (found == kernels_.end())
    found = kernels_.emplace(key, compilePattern(file, function, aliases())).first;
  auto start = std::chrono::steady_clock::now();
  launch(found->second, inputs, results);
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  if (observer_)
    observer_({file, function, aliases(), inputs, results, time.count()});
}

torch::Tensor MMateKernels::tokenOrder(int order, const torch::Tensor &media, std::int64_t tokens) {
  Kernel kernel = compilePattern("token_order.mlir", fmt::format("order{}", order), {});
  torch::Tensor result = torch::empty({1, tokens}, torch::kInt32);
  launch(kernel, {media, torch::empty({1, tokens, 1})}, {result});
  return result;
}

std::pair<torch::Tensor, torch::Tensor> MMateKernels::flex(const FlexInputs &inputs, const Masks &masks,
                                                           const FlexScale &scale) const {
  const torch::Tensor &c = inputs.c;
  torch::Tensor y = torch::empty({c.size(0), c.size(1), heads_, head_dim_});
  torch::Tensor next = torch::empty({c.size(0), heads_, head_dim_, head_dim_});
  torch::Tensor share = torch::full({heads_}, scale.rms ? 1.0 : 0.0);
  torch::Tensor epsilon = torch::full({heads_}, scale.rms ? scale.epsilon : 1.0);
  run("flex.mlir", "flex", key_value_heads_,
      {c, inputs.b, inputs.x, inputs.order, inputs.forward_dt, inputs.forward_a_log, inputs.state,
       inputs.reverse_dt, inputs.reverse_a_log, masks.segment, masks.source, masks.moving, masks.target,
       inputs.gate, masks.gated, scale.weight, share, epsilon},
      {y, next});
  return {y, next};
}

std::pair<torch::Tensor, torch::Tensor> MMateKernels::convolution(const torch::Tensor &x,
                                                                  const torch::Tensor &tail,
                                                                  const std::vector<torch::Tensor> &weights,
                                                                  const torch::Tensor &order) const {
  torch::Tensor y = torch::empty({x.size(0), x.size(1), x.size(2), x.size(3)});
  torch::Tensor next = torch::empty({x.size(0), 3, x.size(2), x.size(3)});
  std::vector<torch::Tensor> inputs = {x, tail};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  inputs.push_back(order);
  run("convolution.mlir", "convolution", x.size(2), inputs, {y, next});
  return {y, next};
}

torch::Tensor MMateKernels::windows(const torch::Tensor &query, const torch::Tensor &key,
                                    const torch::Tensor &value, const torch::Tensor &media, bool video,
                                    bool shifted, const MMateConfig &config) const {
  torch::Tensor y = torch::empty({query.size(0), query.size(1), heads_, head_dim_});
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
  run("windows.mlir", function, key_value_heads_, {query, key, value, media}, {y}, sizes);
  return y;
}

} // namespace linmu::models
