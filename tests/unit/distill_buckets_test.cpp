// Buckets of gradients, which leave while backward goes on; without a network.
#include "distill/parallel/gradient_buckets.h"
#include <functional>
#include <gtest/gtest.h>
#include <utility>

namespace linmu::distill {
namespace {

using torch::Tensor;

/// The first of two ranks, of which the other has the same gradients but for what `others` says.
class Twin final : public Collective {
public:
  std::int64_t rank() const override { return 0; }
  std::int64_t ranks() const override { return 2; }
  void allReduce(const Tensor &tensor) override {
    tensor.mul_(2);
    sums_.push_back(tensor.numel());
    if (onSum)
      onSum();
  }
  void broadcast(const Tensor &) override {}
  void finish() override { ++finished; }
  std::vector<std::string> gather(const std::string &mine) override {
    return {mine, others.empty() ? mine : others};
  }
  void check() const override {}
  void leave() override {}

  std::vector<std::int64_t> takeSums() { return std::exchange(sums_, {}); }
  std::function<void()> onSum;
  std::string others;
  int finished = 0;

private:
  std::vector<std::int64_t> sums_; ///< elements of what was summed
};

class Buckets : public testing::Test {
protected:
  Buckets() {
    for (int i = 0; i < 4; ++i)
      parameters.push_back({"layer" + std::to_string(i),
                            torch::full({8}, 1.0 + i, torch::dtype(torch::kFloat32).requires_grad(true)),
                            Part::flex});
  }
  /// Of the product of all from the first layer on; backward comes to the last one first.
  Tensor loss() const {
    Tensor x = torch::ones({8});
    for (const Parameter &parameter : parameters)
      x = x * parameter.tensor;
    return x.sum();
  }
  double gradient(int i) const { return parameters[std::size_t(i)].tensor.grad()[3].item<double>(); }
  void drop() {
    for (Parameter &parameter : parameters)
      parameter.tensor.mutable_grad() = Tensor();
  }

  std::vector<Parameter> parameters; ///< 1, 2, 3, 4, so that gradients are 24, 12, 8, 6
  Twin twin;
};

TEST_F(Buckets, LeaveWhileBackwardGoesOnOnceTheStepIsKnown) {
  GradientBuckets buckets(parameters, twin, /*bytes=*/64); // two layers each
  ASSERT_EQ(buckets.buckets(), 2u);
  std::vector<bool> first_is_there;
  twin.onSum = [&] { first_is_there.push_back(parameters[0].tensor.grad().defined()); };
  for (int step = 0; step < 3; ++step) {
    buckets.begin();
    loss().backward();
    EXPECT_EQ(twin.takeSums().size(), step == 0 ? 0u : 2u) << "before the end of backward, step " << step;
    if (step > 0) {
      EXPECT_FALSE(first_is_there.front()) << "the last layers leave before the first has a gradient";
    }
    first_is_there.clear();
    buckets.finish();
    EXPECT_EQ(twin.takeSums().size(), step == 0 ? 2u : 0u);
    EXPECT_EQ((std::vector<double>{gradient(0), gradient(1), gradient(2), gradient(3)}),
              (std::vector<double>{48, 24, 16, 12}));
    first_is_there.clear();
    drop();
  }
  EXPECT_EQ(twin.finished, 3);
}

TEST_F(Buckets, WhatWasAddedBeforeTheLastMicroBatchIsInTheSum) {
  GradientBuckets buckets(parameters, twin, 64);
  for (int step = 0; step < 2; ++step) {
    loss().backward();
    EXPECT_TRUE(twin.takeSums().empty());
    buckets.begin();
    loss().backward();
    buckets.finish();
    EXPECT_EQ(gradient(0), 96);
    EXPECT_EQ(twin.takeSums().size(), 2u);
    drop();
  }
}

TEST_F(Buckets, MoreBackwardPassesThanBeforeStillGiveTheSum) {
  GradientBuckets buckets(parameters, twin, 64);
  // What the most so far did not have goes by itself: four gradients beside two buckets.
  for (const auto &[passes, sums] :
       std::vector<std::pair<int, std::size_t>>{{1, 2}, {3, 6}, {2, 2}, {3, 2}}) {
    buckets.begin();
    for (int pass = 0; pass < passes; ++pass)
      loss().backward();
    buckets.finish();
    EXPECT_EQ(gradient(0), 48 * passes) << passes;
    EXPECT_EQ(gradient(3), 12 * passes) << passes;
    EXPECT_EQ(twin.takeSums().size(), sums) << passes;
    drop();
  }
}

TEST_F(Buckets, AGradientThatNoRankHasStaysUndefined) {
  GradientBuckets buckets(parameters, twin, 64);
  for (bool other_has_it : {false, true, false}) {
    buckets.begin();
    (parameters[0].tensor * parameters[3].tensor).sum().backward();
    // In the order of buckets: layers 3, 2, 1, 0.
    twin.others = other_has_it ? std::string("\1\1\0\1", 4) : "";
    buckets.finish();
    EXPECT_EQ(gradient(0), 8);
    EXPECT_EQ(gradient(3), 2);
    EXPECT_EQ(parameters[2].tensor.grad().defined(), other_has_it);
    EXPECT_FALSE(parameters[1].tensor.grad().defined());
    drop();
  }
}

TEST_F(Buckets, LeaveNoHooksBehind) {
  {
    GradientBuckets buckets(parameters, twin, 64);
  }
  loss().backward();
  EXPECT_EQ(gradient(0), 24);
  parameters[1].tensor.requires_grad_(false);
  EXPECT_EQ(GradientBuckets(parameters, twin, 32).buckets(), 3u);
}

} // namespace
} // namespace linmu::distill
