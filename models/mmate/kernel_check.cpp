#include "models/mmate/kernel_check.h"
#include "compiler/api/compiler_api.h"
#include "runtime/core/error.h"
#include <cmath>
#include <cstdint>

namespace linmu::models {

static HostTensor toHost(const torch::Tensor &tensor) {
  HostTensor host;
  host.dtype = tensor.scalar_type() == torch::kInt32  ? DType::i32
               : tensor.scalar_type() == torch::kBool ? DType::i1
                                                      : DType::f32;
  host.shape = tensor.sizes().vec();
  torch::Tensor exact = tensor.to(torch::kFloat64).contiguous();
  host.elements.assign(exact.data_ptr<double>(), exact.data_ptr<double>() + exact.numel());
  return host;
}

/// Tensors [B, N, H, D] and [B, H, K, V]: the error of each vector relative to its head.
static double worstError(const torch::Tensor &actual, const HostTensor &expected, std::int64_t headAxis) {
  torch::Tensor exact =
      torch::from_blob(const_cast<double *>(expected.elements.data()), expected.shape, torch::kFloat64);
  torch::Tensor difference = (actual.to(torch::kFloat64) - exact).square().mean(-1, /*keepdim=*/true).sqrt();
  std::vector<std::int64_t> others;
  for (std::int64_t axis = 0; axis < exact.dim(); ++axis)
    if (axis != headAxis)
      others.push_back(axis);
  torch::Tensor scale = exact.square().mean(others, /*keepdim=*/true).sqrt().clamp_min(1e-30);
  return (difference / scale).max().item<double>();
}

std::vector<KernelCheck> checkKernels(const MMateKernels &kernels, const std::function<void()> &body) {
  std::vector<KernelCheck> checks;
  kernels.observe([&](const KernelCall &call) {
    compiler::Options options;
    options.filename = call.file;
    options.function = call.function;
    options.aliases = call.aliases;
    std::vector<HostTensor> inputs;
    for (const torch::Tensor &input : call.inputs)
      inputs.push_back(toHost(input));
    auto reference = compiler::interpret(mmatePatterns().find(call.file)->second, options, inputs, 2);
    if (!reference.ok)
      throw Error(ErrorCode::internal,
                  "the interpreter refused a call of '" + call.function + "': " + reference.diagnostics);
    double error = 0;
    for (std::size_t i = 0; i < call.results.size(); ++i)
      error = std::max(error, worstError(call.results[i], reference.tensors[i], i == 0 ? 2 : 1));
    auto known = std::find_if(checks.begin(), checks.end(),
                              [&](const KernelCheck &check) { return check.kernel == call.function; });
    if (known == checks.end())
      checks.push_back({call.function, error});
    else
      known->error = std::max(known->error, error);
  });
  try {
    body();
  } catch (...) {
    kernels.observe({});
    throw;
  }
  kernels.observe({});
  return checks;
}

} // namespace linmu::models
