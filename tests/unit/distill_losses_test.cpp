// Losses and their gradients against the equations in fp64, adapters, the optimiser and its schedule.
#include "distill/adapters.h"
#include "distill/head_loss.h"
#include "distill/hidden_loss.h"
#include "distill/optimizer.h"
#include "distill/recompute.h"
#include "distill/schedule.h"
#include "tests/unit/expect_error.h"
#include <ATen/CPUGeneratorImpl.h>
#include <cmath>
#include <gtest/gtest.h>

namespace linmu::distill {
namespace {

using torch::Tensor;

/// The largest difference relative to the root mean square of what is expected.
double worst(const Tensor &actual, const Tensor &expected) {
  return ((actual.to(torch::kFloat64) - expected).abs().max() / expected.square().mean().sqrt())
      .item<double>();
}

Tensor exact(const Tensor &tensor) { return tensor.detach().to(torch::kFloat64).requires_grad_(); }

// f32 sums over a vocabulary of hundreds of entries.
constexpr double lossTolerance = 1e-5, gradientTolerance = 1e-4;

struct HeadCase {
  Tensor hidden = torch::randn({11, 16}).requires_grad_(), head = torch::randn({300, 16}).requires_grad_();
  Tensor teacher_hidden = torch::randn({11, 24}), teacher_head = torch::randn({300, 24});
  Tensor targets = torch::randint(300, {11}, torch::kInt64);
  HeadCase() { targets[4] = noLabel; }
  HeadLossInputs inputs() const { return {hidden, head, teacher_hidden, teacher_head, targets, 2.5}; }
};

TEST(HeadLoss, SumsAndGradientsAreThoseOfTheEquations) {
  torch::manual_seed(1);
  HeadCase given;
  HeadLoss loss = headLoss(given.inputs(), /*elements=*/900); // three rows at a time
  (0.3 * loss.token + 0.7 * loss.likelihood).backward();

  Tensor hidden = exact(given.hidden), head = exact(given.head);
  Tensor logits = torch::matmul(hidden, head.t());
  Tensor teacher =
      torch::matmul(given.teacher_hidden.to(torch::kFloat64), given.teacher_head.to(torch::kFloat64).t());
  double tau = 2.5;
  Tensor p = torch::softmax(teacher / tau, 1), q = torch::softmax(logits / tau, 1);
  Tensor token = tau * tau * (p * (p.log() - q.log())).sum();
  Tensor likelihood = torch::zeros({}, torch::kFloat64);
  for (std::int64_t row = 0; row < 11; ++row)
    if (row != 4)
      likelihood = likelihood - torch::softmax(logits[row], 0)[given.targets[row].item<std::int64_t>()].log();
  (0.3 * token + 0.7 * likelihood).backward();

  EXPECT_LT(worst(loss.token, token), lossTolerance);
  EXPECT_LT(worst(loss.likelihood, likelihood), lossTolerance);
  EXPECT_LT(worst(given.hidden.grad(), hidden.grad()), gradientTolerance);
  EXPECT_LT(worst(given.head.grad(), head.grad()), gradientTolerance);
}

TEST(HeadLoss, OneTermAloneHasTheGradientOfThatTerm) {
  torch::manual_seed(2);
  HeadCase given;
  HeadLossInputs inputs = given.inputs();
  inputs.head = given.head.detach();
  inputs.targets = Tensor();
  HeadLoss loss = headLoss(inputs);
  EXPECT_FALSE(loss.likelihood.defined());
  loss.token.backward();
  EXPECT_FALSE(given.head.grad().defined());
  Tensor all = given.hidden.grad().clone();
  // Another number of rows at a time is the same to rounding.
  given.hidden.mutable_grad() = Tensor();
  headLoss(inputs, /*elements=*/1).token.backward();
  EXPECT_LT(worst(given.hidden.grad(), all.to(torch::kFloat64)), 1e-5);
  EXPECT_GT(all.abs().max().item<double>(), 1e-3);
}

TEST(HiddenLoss, IsTheWeightedMeanOfSquares) {
  torch::manual_seed(3);
  Tensor student = torch::randn({2, 5, 7}).requires_grad_(), teacher = torch::randn({2, 5, 7});
  Tensor weights = torch::rand({2, 5});
  hiddenLoss(student, teacher, weights).backward();
  Tensor one = exact(student);
  Tensor sum = torch::zeros({}, torch::kFloat64);
  for (int b = 0; b < 2; ++b)
    for (int t = 0; t < 5; ++t)
      sum = sum + weights[b][t].to(torch::kFloat64) *
                      (one[b][t] - teacher[b][t].to(torch::kFloat64)).square().sum() / 7;
  sum.backward();
  EXPECT_LT(worst(hiddenLoss(student, teacher, weights), sum), lossTolerance);
  EXPECT_LT(worst(student.grad(), one.grad()), gradientTolerance);
}

TEST(HiddenLoss, TokensCountUpToTheLastLabelOfTheirRow) {
  Batch batch;
  batch.labels = torch::full({2, 5}, noLabel, torch::kInt64);
  batch.labels[0][2] = 7;
  batch.labels[1][1] = 7;
  batch.labels[1][4] = 7;
  EXPECT_TRUE(torch::equal(countedTokens(batch),
                           torch::tensor({{1.f, 1.f, 1.f, 0.f, 0.f}, {1.f, 1.f, 1.f, 1.f, 1.f}})));
}

/// The definition, patch by patch.
std::vector<double> weightsByLoop(const Tensor &embeddings, const models::MediaItem &item, double strength) {
  auto at = [&](std::int64_t t, std::int64_t y, std::int64_t x) {
    return embeddings[0][item.first_token + (t * item.h + y) * item.w + x].to(torch::kFloat64);
  };
  std::vector<double> unlike;
  double sum = 0;
  for (std::int64_t t = 0; t < item.t; ++t)
    for (std::int64_t y = 0; y < item.h; ++y)
      for (std::int64_t x = 0; x < item.w; ++x) {
        double similar = 0;
        int count = 0;
        for (auto [dy, dx] : {std::pair{-1, 0}, {1, 0}, {0, -1}, {0, 1}})
          if (y + dy >= 0 && y + dy < item.h && x + dx >= 0 && x + dx < item.w) {
            Tensor a = at(t, y, x), b = at(t, y + dy, x + dx);
            similar += (torch::dot(a, b) / (a.norm() * b.norm())).item<double>();
            ++count;
          }
        unlike.push_back(1 - similar / count);
        sum += unlike.back();
      }
  for (double &value : unlike)
    value = (1 + strength * value / (sum / double(unlike.size()))) / (1 + strength);
  return unlike;
}

TEST(PatchWeights, AreByHowUnlikeItsNeighboursAPatchIs) {
  torch::manual_seed(4);
  models::SequenceLayout layout{3 + 12 + 2 + 12, {{3, 1, 3, 4}, {17, 2, 2, 3}}};
  Tensor embeddings = torch::randn({1, layout.tokens, 6}) + 1;
  Tensor weights = patchWeights(embeddings, layout, 3);
  double text = 0;
  for (std::int64_t t : {0, 1, 2, 15, 16})
    text += std::abs(weights[0][t].item<double>() - 1);
  EXPECT_EQ(text, 0);
  for (const models::MediaItem &item : layout.media) {
    auto expected = weightsByLoop(embeddings, item, 3);
    double mean = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      double actual = weights[0][item.first_token + std::int64_t(i)].item<double>();
      EXPECT_NEAR(actual, expected[i], 1e-5);
      mean += actual / double(expected.size());
    }
    EXPECT_NEAR(mean, 1, 1e-5);
  }
  Tensor same = torch::ones({1, layout.tokens, 6});
  EXPECT_LT((patchWeights(same, layout, 3) - 1).abs().max().item<double>(), 1e-5);
}

TEST(Adapters, AppliedEqualsMergedAndBeginsAsNothing) {
  torch::manual_seed(5);
  at::Generator generator = at::detail::createCPUGenerator(7);
  Tensor weight = torch::randn({40, 24}) / 5, x = torch::randn({3, 9, 24});
  Adapter adapter = Adapter::of(weight, 8, 16, generator);
  EXPECT_EQ(adapter.scale, 2);
  EXPECT_TRUE(torch::equal(adapter.apply(x, weight), torch::linear(x, weight)));
  EXPECT_TRUE(torch::equal(adapter.merged(weight), weight));
  adapter.b.normal_(0, 0.1);
  Tensor exact_sum = torch::linear(
      x.to(torch::kFloat64), weight.to(torch::kFloat64) + 2 * torch::matmul(adapter.b.to(torch::kFloat64),
                                                                            adapter.a.to(torch::kFloat64)));
  EXPECT_LT(worst(adapter.apply(x, weight), exact_sum), 1e-6);
  EXPECT_LT(worst(torch::linear(x, adapter.merged(weight)), exact_sum), 1e-6);
  EXPECT_GT(worst(torch::linear(x, weight), exact_sum), 1e-2);
  test::expectError(ErrorCode::invalidArgument,
                    {"the rank of an adapter of a [40, 24] weight must be 1 to 24, got 25"},
                    [&] { Adapter::of(weight, 25, 16, generator); });
}

TEST(Recompute, GivesTheSameGradientsToInputAndParameters) {
  torch::manual_seed(6);
  Tensor weight = torch::randn({5, 5}).requires_grad_(), x = torch::randn({4, 5}).requires_grad_();
  int runs = 0;
  Body body = [&](const Tensor &input) {
    ++runs;
    Tensor hidden = torch::tanh(torch::matmul(input, weight));
    return torch::autograd::variable_list{hidden.square(), hidden.sum(1)};
  };
  auto gradients = [&](bool again) {
    weight.mutable_grad() = x.mutable_grad() = Tensor();
    auto results = again ? recompute(body, x) : body(x);
    (results[0].sum() + (results[1] * torch::arange(4)).sum()).backward();
    return std::pair(weight.grad(), x.grad());
  };
  auto [weight_direct, x_direct] = gradients(false);
  runs = 0;
  auto [weight_again, x_again] = gradients(true);
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(torch::equal(weight_again, weight_direct));
  EXPECT_TRUE(torch::equal(x_again, x_direct));
}

TEST(Schedule, WarmsUpAndFallsToItsFloor) {
  Schedule cosine{.shape = Schedule::Shape::cosine, .peak = 1, .warmup = 3, .floor = 0.1};
  EXPECT_DOUBLE_EQ(cosine.at(0, 103), 0.25);
  EXPECT_DOUBLE_EQ(cosine.at(2, 103), 0.75);
  EXPECT_DOUBLE_EQ(cosine.at(3, 103), 1);
  EXPECT_DOUBLE_EQ(cosine.at(53, 103), 0.55);
  EXPECT_LT(cosine.at(102, 103), 0.101);
  Schedule constant{.shape = Schedule::Shape::constant, .peak = 1, .warmup = 0, .decay = 0.2, .floor = 0};
  EXPECT_DOUBLE_EQ(constant.at(0, 100), 1);
  EXPECT_DOUBLE_EQ(constant.at(80, 100), 1);
  EXPECT_DOUBLE_EQ(constant.at(90, 100), 0.5);
}

/// Two parameters, of which the second is frozen.
Parameters twoParameters() {
  Parameters parameters;
  parameters.add("layer.weight", torch::ones({3, 2}), Part::flex);
  parameters.add("layer.bias", torch::ones({3}), Part::flex);
  parameters.add("frozen.weight", torch::ones({3, 2}), Part::backbone);
  parameters.train({Part::flex});
  return parameters;
}

void backwardOn(const Parameters &parameters, double factor) {
  Tensor loss = torch::zeros({});
  for (const Parameter &parameter : parameters.all())
    loss = loss + (parameter.tensor * factor).sum();
  loss.backward();
}

TEST(Optimizer, WhatIsFrozenHasNeitherGradientNorState) {
  Parameters parameters = twoParameters();
  Optimizer optimizer(parameters.all(), {});
  backwardOn(parameters, 2);
  EXPECT_FALSE(parameters.all()[2].tensor.grad().defined());
  EXPECT_NEAR(optimizer.step(0.1).norm, 6, 1e-6);
  std::set<std::string> names;
  for (const auto &[name, tensor] : optimizer.state())
    names.insert(name);
  EXPECT_EQ(names,
            (std::set<std::string>{"layer.bias.exp_avg", "layer.bias.exp_avg_sq", "layer.bias.step",
                                   "layer.weight.exp_avg", "layer.weight.exp_avg_sq", "layer.weight.step"}));
  EXPECT_TRUE(torch::equal(parameters.all()[2].tensor, torch::ones({3, 2})));
}

TEST(Optimizer, StepsAsAdamWOnClippedGradientsAndDecaysMatricesOnly) {
  Parameters parameters = twoParameters();
  Optimizer optimizer(parameters.all(), {.weight_decay = 0.1, .clip = 3});
  backwardOn(parameters, 2); // norm 6, so that each entry becomes 1
  optimizer.step(0.5);
  // The first step of Adam is lr * sign(g), but for epsilon; decay multiplies by 1 - lr * 0.1 before.
  EXPECT_NEAR(parameters.all()[0].tensor[0][0].item<double>(), 0.95 - 0.5, 1e-6);
  EXPECT_NEAR(parameters.all()[1].tensor[0].item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(optimizer.state().at("layer.bias.exp_avg")[0].item<double>(), 0.1, 1e-7);
}

TEST(Optimizer, AGradientThatIsNotFiniteIsNamedAndChangesNothing) {
  Parameters parameters = twoParameters();
  Optimizer optimizer(parameters.all(), {});
  backwardOn(parameters, 1);
  optimizer.step(0.1);
  NamedTensors before;
  for (const auto &[name, tensor] : optimizer.state())
    before.emplace(name, tensor.clone());
  Tensor bias = parameters.all()[1].tensor.clone();
  backwardOn(parameters, 1);
  parameters.all()[1].tensor.mutable_grad()[2] = std::nan("");
  EXPECT_EQ(optimizer.step(0.1).not_finite, "layer.bias");
  EXPECT_TRUE(torch::equal(parameters.all()[1].tensor, bias));
  for (const auto &[name, tensor] : optimizer.state())
    EXPECT_TRUE(torch::equal(tensor, before.at(name))) << name;
  EXPECT_FALSE(parameters.all()[0].tensor.grad().defined());
}

TEST(Optimizer, ItsStateGoesOnInAnotherBitForBit) {
  Parameters one = twoParameters(), two = twoParameters();
  Optimizer first(one.all(), {});
  backwardOn(one, 2);
  first.step(0.1);
  Optimizer second(two.all(), {});
  second.restore(first.state(), "here");
  for (std::size_t i = 0; i < 2; ++i) {
    torch::NoGradGuard guard;
    Tensor(two.all()[i].tensor).copy_(one.all()[i].tensor);
  }
  for (const Parameters *parameters : {&one, &two})
    backwardOn(*parameters, 3);
  first.step(0.1);
  second.step(0.1);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(torch::equal(one.all()[i].tensor, two.all()[i].tensor));
  test::expectError(ErrorCode::corruptFile,
                    {"here: holds the tensor 'other.step', which the model does not have"},
                    [&] { second.restore({{"other.step", torch::zeros({}, torch::kInt64)}}, "here"); });
}

} // namespace
} // namespace linmu::distill
