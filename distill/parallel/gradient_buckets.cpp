#include "distill/parallel/gradient_buckets.h"
#include <algorithm>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

namespace linmu::distill {

using torch::Tensor;

class GradientBuckets::Hook final : public torch::autograd::PostAccumulateGradHook {
public:
  Hook(GradientBuckets &buckets, std::size_t entry) : buckets_(buckets), entry_(entry) {}
  void operator()(const torch::autograd::Variable &) override { buckets_.onAdded(entry_); }

private:
  GradientBuckets &buckets_;
  std::size_t entry_;
};

GradientBuckets::GradientBuckets(const std::vector<Parameter> &parameters, Collective &collective,
                                 std::int64_t bytes)
    : collective_(collective) {
  std::vector<std::size_t> together;
  std::int64_t size = 0;
  for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
    const Tensor &tensor = parameter->tensor;
    if (!tensor.requires_grad())
      continue;
    const auto more = std::int64_t(tensor.nbytes());
    if (!together.empty() &&
        (size + more > bytes || entries_[together.front()].parameter.scalar_type() != tensor.scalar_type())) {
      addBucket(std::exchange(together, {}));
      size = 0;
    }
    together.push_back(entries_.size());
    entries_.push_back({tensor, {}});
    size += more;
  }
  if (!together.empty())
    addBucket(std::move(together));
  for (std::size_t i = 0; i < entries_.size(); ++i)
    torch::autograd::impl::set_post_acc_grad_hooks(entries_[i].parameter, std::make_unique<Hook>(*this, i));
}

GradientBuckets::~GradientBuckets() {
  for (Entry &entry : entries_)
    torch::autograd::impl::set_post_acc_grad_hooks(entry.parameter, nullptr);
}

void GradientBuckets::addBucket(std::vector<std::size_t> entries) {
  std::int64_t count = 0;
  for (std::size_t i : entries)
    count += entries_[i].parameter.numel();
  const Tensor &first = entries_[entries.front()].parameter;
  Bucket bucket{torch::empty({count}, first.options().requires_grad(false)), std::move(entries)};
  count = 0;
  for (std::size_t i : bucket.entries) {
    Entry &entry = entries_[i];
    entry.slice = bucket.memory.narrow(0, count, entry.parameter.numel()).view(entry.parameter.sizes());
    entry.bucket = buckets_.size();
    count += entry.parameter.numel();
  }
  buckets_.push_back(std::move(bucket));
}

void GradientBuckets::begin() {
  std::lock_guard lock(mutex_);
  active_ = true;
  next_ = 0;
  for (Entry &entry : entries_)
    entry.added = 0, entry.left = entry.present = false;
}

bool GradientBuckets::complete(const Bucket &bucket) const {
  return std::ranges::all_of(bucket.entries, [&](std::size_t i) {
    return entries_[i].expected > 0 && entries_[i].added >= entries_[i].expected;
  });
}

void GradientBuckets::onAdded(std::size_t entry) {
  std::lock_guard lock(mutex_);
  if (!active_)
    return;
  ++entries_[entry].added;
  // The same order on each rank, whatever comes first on this one.
  while (next_ < buckets_.size() && complete(buckets_[next_]))
    send(buckets_[next_++]);
}

/// Takes the gradients away, so that what comes later is seen.
void GradientBuckets::send(Bucket &bucket) {
  torch::NoGradGuard guard;
  std::vector<Tensor> slices, gradients;
  for (std::size_t i : bucket.entries) {
    Entry &entry = entries_[i];
    Tensor &gradient = entry.parameter.mutable_grad();
    entry.left = true;
    entry.present = gradient.defined();
    if (!entry.present) {
      entry.slice.zero_();
      continue;
    }
    slices.push_back(entry.slice);
    gradients.push_back(std::exchange(gradient, Tensor()));
  }
  if (!slices.empty())
    at::_foreach_copy_(slices, gradients);
  collective_.allReduce(bucket.memory);
}

void GradientBuckets::finish() {
  std::lock_guard lock(mutex_);
  torch::NoGradGuard guard;
  while (next_ < buckets_.size())
    send(buckets_[next_++]);
  active_ = false;
  // Of each parameter, what some rank has.
  constexpr char is_present = 1, is_late = 2;
  std::string mine;
  for (const Entry &entry : entries_)
    mine += char((entry.present ? is_present : 0) | (entry.parameter.grad().defined() ? is_late : 0));
  std::string all(mine.size(), 0);
  for (const std::string &text : collective_.gather(mine))
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = char(all[i] | text.at(i));
  std::vector<Tensor> late(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (all[i] & is_late) {
      const Tensor gradient = entries_[i].parameter.grad();
      late[i] = gradient.defined() ? gradient.contiguous() : torch::zeros_like(entries_[i].slice);
      collective_.allReduce(late[i]);
    }
  collective_.finish();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry &entry = entries_[i];
    entry.expected = std::max(entry.expected, entry.added);
    entry.parameter.mutable_grad() = all[i] ? entry.slice : Tensor();
    if (late[i].defined())
      entry.slice.add_(late[i]);
  }
}

} // namespace linmu::distill
