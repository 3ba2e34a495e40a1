// Compiled patterns under autograd: against torch's autograd of the recurrence as a plain loop in f64.
#include "models/kernels/differentiable_kernel.h"
#include "runtime/io/input_text.h"
#include "tests/unit/expect_error.h"
#include <functional>

namespace linmu::models {
namespace {

using test::expectError;
using torch::Tensor;
using Tensors = std::vector<Tensor>;
using torch::autograd::grad;

DifferentiableKernel published(const std::string &name) {
  CompileOptions options;
  options.filename = std::string(LINMU_SOURCE_DIR) + "/tests/recurrences/" + name + ".mlir";
  return DifferentiableKernel(readInputText(options.filename), options);
}

Tensors leaves(const Tensors &tensors, torch::ScalarType type) {
  Tensors result;
  for (const Tensor &tensor : tensors)
    result.push_back(tensor.detach().to(type).clone().requires_grad_());
  return result;
}

/// Of the worst token and head, or entry of a param, relative to the root mean square of the gradient.
double worstError(const Tensor &actual, const Tensor &expected) {
  Tensor difference = (actual.to(torch::kFloat64) - expected).square();
  if (difference.dim() > 1)
    difference = difference.mean(-1);
  return (difference.sqrt().max() / expected.square().mean().sqrt()).item<double>();
}

using Loop = std::function<Tensors(const Tensors &)>;

/// The gradients of a random function of the results, by the kernel and by the loop.
void agree(const DifferentiableKernel &kernel, const Loop &loop, const Tensors &inputs, double tolerance) {
  Tensors given = leaves(inputs, torch::kFloat32), exact = leaves(inputs, torch::kFloat64);
  Tensors results = kernel(given), expected = loop(exact), cotangents, wide;
  ASSERT_EQ(results.size(), expected.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_LT(worstError(results[i].detach(), expected[i].detach()), 2e-5);
    cotangents.push_back(torch::randn_like(results[i]));
    wide.push_back(cotangents.back().to(torch::kFloat64));
  }
  Tensors actual = grad(results, given, cotangents), wanted = grad(expected, exact, wide);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(actual[i].sizes(), inputs[i].sizes()) << kernel.kernel().signature().inputs[i].name;
    EXPECT_LT(worstError(actual[i], wanted[i]), tolerance) << kernel.kernel().signature().inputs[i].name;
  }
}

/// RetNet: S_n = gamma S + k_n v_n^T, o_n = q_n S_n, gamma = 1 - 2^exponent.
Tensors retnet(const Tensors &in) {
  const Tensor &q = in[0], &k = in[1], &v = in[2];
  Tensor gamma = (1 - torch::exp2(in[3])).view({1, -1, 1, 1}), state = in[4];
  Tensors outputs;
  for (std::int64_t n = 0; n < q.size(1); ++n) {
    state = gamma * state + k.select(1, n).unsqueeze(3) * v.select(1, n).unsqueeze(2);
    outputs.push_back(torch::einsum("bhk,bhkv->bhv", {q.select(1, n), state}));
  }
  return {torch::stack(outputs, 1), state};
}

Tensors retnetInputs(std::int64_t batch, std::int64_t tokens, std::int64_t state_batch) {
  torch::manual_seed(3);
  return {torch::randn({batch, tokens, 4, 16}), torch::randn({batch, tokens, 4, 16}),
          torch::randn({batch, tokens, 4, 32}), torch::tensor({-5.0f, -4.0f, -3.0f, -2.0f}),
          torch::randn({state_batch, 4, 16, 32})};
}

/// Gated DeltaNet: S_t = alpha_t S (I - beta_t k_t k_t^T) + beta_t v_t k_t^T, o_t = S_t q_t, four heads on
/// two keys.
Tensors gatedDeltaNet(const Tensors &in) {
  auto unit = [](const Tensor &x) { return (x / x.square().sum(-1, true).sqrt()).repeat_interleave(2, 2); };
  Tensor q = unit(in[0]), k = unit(in[1]), v = in[2], state = in[7];
  Tensor alpha = torch::exp(-torch::exp(in[5]) * torch::softplus(in[3] + in[6]));
  Tensor beta = torch::sigmoid(in[4]);
  Tensors outputs;
  for (std::int64_t n = 0; n < q.size(1); ++n) {
    auto at = [&](const Tensor &x) { return x.select(1, n); };
    Tensor key = at(k).unsqueeze(2), b = at(beta).unsqueeze(2).unsqueeze(3);
    Tensor read = torch::einsum("bhvk,bhk->bhv", {state, at(k)}).unsqueeze(3);
    state = at(alpha).unsqueeze(2).unsqueeze(3) * (state - b * read * key) + b * at(v).unsqueeze(3) * key;
    outputs.push_back(torch::einsum("bhvk,bhk->bhv", {state, at(q)}));
  }
  return {torch::stack(outputs, 1), state};
}

Tensors gatedDeltaNetInputs(std::int64_t tokens) {
  torch::manual_seed(4);
  return {torch::randn({2, tokens, 2, 32}),
          torch::randn({2, tokens, 2, 32}),
          torch::randn({2, tokens, 4, 16}),
          torch::randn({2, tokens, 4}),
          torch::randn({2, tokens, 4}),
          torch::randn({4}) - 2,
          torch::randn({4}),
          torch::randn({2, 4, 16, 32})};
}

// f32 against f64: the bounds that gradients are judged by, without feedback and with it.
constexpr double tolerance = 5e-5, with_feedback = 2e-4;

TEST(DifferentiableKernel, GradientsAreThoseOfTheLoopForEveryInput) {
  DifferentiableKernel kernel = published("retnet");
  for (std::int64_t tokens : {1, 17, 130})
    agree(kernel, retnet, retnetInputs(2, tokens, 2), tolerance);
}

TEST(DifferentiableKernel, GradientsThroughFeedbackAndHeadsThatShareKeysAreThoseOfTheLoop) {
  DifferentiableKernel kernel = published("gated_deltanet");
  for (std::int64_t tokens : {1, 70})
    agree(kernel, gatedDeltaNet, gatedDeltaNetInputs(tokens), with_feedback);
}

TEST(DifferentiableKernel, AnInputThatServesEverySequenceGetsTheSumOverTheBatch) {
  Loop shared = [](Tensors in) {
    in[4] = in[4].expand({3, 4, 16, 32});
    return retnet(in);
  };
  agree(published("retnet"), shared, retnetInputs(3, 20, 1), tolerance);
}

TEST(DifferentiableKernel, ResultsThatNothingUsesAndInputsThatWantNoGradientAreLeftOut) {
  DifferentiableKernel kernel = published("retnet");
  Tensors inputs = retnetInputs(1, 40, 1), given = inputs, exact;
  for (const Tensor &input : inputs)
    exact.push_back(input.to(torch::kFloat64));
  given[1] = leaves({inputs[1]}, torch::kFloat32)[0];
  exact[1] = leaves({inputs[1]}, torch::kFloat64)[0];
  // The cotangent of a sum is one number, repeated.
  Tensor actual = grad({kernel(given)[0].sum()}, {given[1]})[0];
  EXPECT_LT(worstError(actual, grad({retnet(exact)[0].sum()}, {exact[1]})[0]), tolerance);
  actual = grad({kernel(given)[1].sum()}, {given[1]})[0];
  EXPECT_LT(worstError(actual, grad({retnet(exact)[1].sum()}, {exact[1]})[0]), tolerance);
}

TEST(DifferentiableKernel, NothingIsRecordedWhereNoInputWantsAGradientOrGradientsAreOff) {
  DifferentiableKernel kernel = published("retnet");
  Tensors inputs = retnetInputs(1, 5, 1);
  EXPECT_FALSE(kernel(inputs)[0].requires_grad());
  inputs[0].requires_grad_();
  EXPECT_TRUE(kernel(inputs)[0].requires_grad());
  torch::NoGradGuard guard;
  EXPECT_FALSE(kernel(inputs)[0].requires_grad());
}

TEST(DifferentiableKernel, ASecondDerivativeIsOneError) {
  DifferentiableKernel kernel = published("retnet");
  Tensors given = leaves(retnetInputs(1, 5, 1), torch::kFloat32);
  Tensor first = grad({kernel(given)[0].square().sum()}, {given[0]}, {}, true, /*create_graph=*/true)[0];
  expectError(ErrorCode::unsupported,
              {"pattern 'retnet_gradient' is a gradient, which has no gradient: derivatives of the second "
               "order are not "
               "supported",
               "detach()"},
              [&] { grad({first.sum()}, {given[1]}); });
}

TEST(DifferentiableKernel, APatternWithoutADerivedGradientIsRefusedAtItsLineOnceBackwardAsksForIt) {
  DifferentiableKernel kernel = published("slstm");
  Tensors inputs;
  torch::manual_seed(5);
  for (const OperandSpec &spec : kernel.kernel().signature().inputs) {
    std::vector<std::int64_t> shape;
    for (const Extent &extent : spec.shape)
      shape.push_back(extent.kind == Extent::constant ? extent.value : extent.kind == Extent::tokens ? 7 : 1);
    inputs.push_back(torch::rand(shape).requires_grad_());
  }
  Tensor result = kernel(inputs)[0];
  expectError(ErrorCode::invalidPattern,
              {"slstm.mlir:", "has no gradient yet, since its states are not affine in themselves"},
              [&] { result.sum().backward(); });
}

} // namespace
} // namespace linmu::models
