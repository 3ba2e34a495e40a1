// The compiled patterns of M-MATE for one shape of heads. Each function is one kernel of patterns/*.mlir,
// under autograd: where gradients are on, they flow through flex(), convolution() and windows(). Tokens and
// what comes of them ([B,N,heads,D]) are f32, bf16 or f16, all of one call alike; all else is f32.
#pragma once
#include "models/kernels/differentiable_kernel.h"
#include "models/mmate/mmate_config.h"
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <torch/torch.h>

namespace linmu::models {

/// The text of each file of patterns/ by its name.
const std::map<std::string, std::string_view, std::less<>> &mmatePatterns();

/// One launch, as an observer sees it after it has run.
struct KernelCall {
  std::string file, function; ///< of patterns/
  std::map<std::string, std::string> aliases;
  const std::vector<torch::Tensor> &inputs, &results;
  double seconds; ///< that it took, compilation aside
};

class MMateKernels {
public:
  using Observer = std::function<void(const KernelCall &)>;

  /// Shows every launch to `observer`, which may check it against the definition of its pattern, or add up
  /// times.
  void observe(Observer observer) const { observer_ = std::move(observer); }

  /// H query heads, G key/value heads, D features. Compiles on first use of each kernel, or takes it from
  /// the cache.
  MMateKernels(std::int64_t heads, std::int64_t key_value_heads, std::int64_t head_dim);

  /// Masks and segment ids, [1, N] each, shared by the batch.
  struct Masks {
    torch::Tensor segment;                       ///< int32
    torch::Tensor source, moving, target, gated; ///< bool
  };

  /// The token index of layer order `order` (0..3), [1, N] int32, from a media table [M, 4] int32.
  static torch::Tensor tokenOrder(int order, const torch::Tensor &media, std::int64_t tokens);

  /// What both directions of Flex-MA read.
  struct FlexInputs {
    torch::Tensor c, b, x;                      ///< [B,N,H,D]; [B,N,G,D] twice
    torch::Tensor order;                        ///< [1,N]
    torch::Tensor forward_dt, reverse_dt;       ///< [B,N,H]
    torch::Tensor forward_a_log, reverse_a_log; ///< [H]
    torch::Tensor gate;                         ///< [B,N,H], the logit of the forward direction's share
    torch::Tensor state;                        ///< [B,H,D,D] before the first token of the forward direction
  };
  /// The factor of the fused heads: `weight` [H,D], each head divided by its root mean square where `rms`.
  struct FlexScale {
    torch::Tensor weight;
    bool rms = false;
    double epsilon = 1e-6;
  };
  /// Both directions, fused and scaled: y [B,N,H,D] and the forward direction's next state.
  std::pair<torch::Tensor, torch::Tensor> flex(const FlexInputs &inputs, const Masks &masks,
                                               const FlexScale &scale) const;

  /// x [B,N,heads,D] convolved along the order by weights [heads,D] of lags 0..3; tail [B,3,heads,D] in and
  /// out.
  std::pair<torch::Tensor, torch::Tensor> convolution(const torch::Tensor &x, const torch::Tensor &tail,
                                                      const std::vector<torch::Tensor> &weights,
                                                      const torch::Tensor &order) const;

  /// Queries scaled by 1 / sqrt(D); tokens of no item get zero. Windows and whether pairs that wrapped are
  /// joined are the configuration's.
  torch::Tensor windows(const torch::Tensor &query, const torch::Tensor &key, const torch::Tensor &value,
                        const torch::Tensor &media, bool video, bool shifted,
                        const MMateConfig &config) const;

private:
  std::vector<torch::Tensor> run(const std::string &file, const std::string &function,
                                 std::int64_t keyValueHeads, const std::vector<torch::Tensor> &inputs,
                                 const std::map<std::string, std::string> &sizes = {}) const;

  std::int64_t heads_, key_value_heads_, head_dim_;
  mutable std::map<std::string, DifferentiableKernel> kernels_;
  mutable Observer observer_;
};

} // namespace linmu::models
