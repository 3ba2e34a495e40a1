#include "distill/adapters.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace linmu::distill {

Adapter Adapter::of(const torch::Tensor &weight, std::int64_t rank, double alpha, at::Generator &generator) {
  std::int64_t out = weight.size(0), in = weight.size(1);
  if (rank < 1 || rank > std::min(in, out))
    throw Error(ErrorCode::invalidArgument, fmt::format("the rank of an adapter of a [{}, {}] weight must be "
                                                        "1 to {}, got {}",
                                                        out, in, std::min(in, out), rank));
  torch::NoGradGuard guard;
  double bound = 1 / std::sqrt(double(in));
  return {((torch::rand({rank, in}, generator) * 2 - 1) * bound).to(weight.device()),
          torch::zeros({out, rank}, weight.options().requires_grad(false)), alpha / double(rank)};
}

torch::Tensor Adapter::apply(const torch::Tensor &x, const torch::Tensor &weight) const {
  return torch::linear(x, weight) + scale * torch::linear(torch::linear(x, a), b);
}

torch::Tensor Adapter::merged(const torch::Tensor &weight) const {
  torch::NoGradGuard guard;
  return weight + scale * torch::matmul(b, a);
}

} // namespace linmu::distill
