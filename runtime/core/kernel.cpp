#include "runtime/core/kernel.h"
#include "runtime/core/content_check.h"
#include "runtime/core/cuda/cuda_executor.h"
#include "runtime/core/device_check.h"
#include "runtime/core/error.h"
#include "runtime/core/executor.h"
#include "runtime/core/launch_frame.h"
#include "runtime/core/memory_check.h"
#include "runtime/core/package_validate.h"
#include <algorithm>

namespace linmu {

namespace {

// As LINMU_THREADS allows.
constexpr int most_threads = 4096;

std::unique_ptr<const Executor> executorOf(const Package &package) {
  return package.target == "cuda" ? cuda::openOnCuda(package) : openOnCpu(package);
}

} // namespace

struct Kernel::Impl {
  Impl(Package opened, const OpenExecutor &open) : package(std::move(opened)), executor(open(package)) {}

  std::size_t variantFor(const Symbols &symbols) const {
    std::size_t index = 0;
    while (package.variants[index].condition != Variant::always &&
           package.expressions[package.variants[index].condition].evaluate(symbols) == 0)
      ++index;
    return index;
  }

  void requireCount(const char *what, std::int64_t number) const {
    if (number < 0)
      throw Error(ErrorCode::invalidArgument, "pattern '" + package.signature.name +
                                                  "': expected 0 or more " + what + ", got " +
                                                  std::to_string(number));
  }

  Package package;
  std::unique_ptr<const Executor> executor;
};

Kernel Kernel::open(Package package) { return open(std::move(package), &executorOf); }

Kernel Kernel::open(Package package, const OpenExecutor &open_executor) {
  validate(package, "package of pattern '" + package.signature.name + "'");
  Kernel kernel;
  kernel.impl_ = std::make_shared<const Impl>(std::move(package), open_executor);
  return kernel;
}

const Signature &Kernel::signature() const { return impl_->package.signature; }

const Package &Kernel::package() const { return impl_->package; }

Device::Kind Kernel::deviceKind() const { return impl_->executor->deviceKind(); }

void Kernel::operator()(std::span<const TensorView> inputs, std::span<const TensorView> results,
                        const LaunchOptions &options) const {
  const Signature &signature = impl_->package.signature;
  if (options.threads < 0 || options.threads > most_threads)
    throw Error(ErrorCode::invalidArgument, "pattern '" + signature.name + "': expected 0 to " +
                                                std::to_string(most_threads) + " threads, got " +
                                                std::to_string(options.threads));
  Symbols symbols = checkOperands(signature, inputs, results);
  checkDevices(signature, deviceKind(), inputs, results);
  checkMemory(signature, inputs, results);
  symbols.longest_sequence =
      impl_->executor->readsTables() ? longestSequence(signature, symbols, inputs) : symbols.tokens;
  impl_->executor->run(impl_->variantFor(symbols), symbols, inputs, results, options);
}

const std::string &Kernel::algorithm(std::int64_t tokens, std::int64_t batch) const {
  impl_->requireCount("tokens", tokens);
  impl_->requireCount("sequences in a batch", batch);
  Symbols symbols{.batch = batch, .tokens = tokens};
  const std::vector<OperandSpec> &inputs = signature().inputs;
  if (std::any_of(inputs.begin(), inputs.end(),
                  [](const OperandSpec &input) { return input.content == OperandSpec::sequenceTable; }))
    symbols = {.tokens = tokens * batch, .sequences = batch, .longest_sequence = tokens};
  return impl_->package.variants[impl_->variantFor(symbols)].algorithm;
}

std::int64_t Kernel::workspaceBytes(std::int64_t tokens, std::int64_t batch, std::int64_t media_items) const {
  impl_->requireCount("tokens", tokens);
  impl_->requireCount("sequences in a batch", batch);
  impl_->requireCount("media items", media_items);
  Symbols symbols{.batch = batch, .tokens = tokens, .media_items = media_items};
  if (!usesTemporaries(impl_->package.variants[impl_->variantFor(symbols)]))
    return 0;
  LaunchFrame frame;
  frame.fill(impl_->package, symbols, {}, {});
  return frame.temporaryBytes();
}

void Kernel::checkTable(const std::string &operand, const TensorView &table, std::int64_t tokens) const {
  const Signature &signature = impl_->package.signature;
  impl_->requireCount("tokens", tokens);
  auto spec = std::find_if(signature.inputs.begin(), signature.inputs.end(), [&](const OperandSpec &input) {
    return input.name == operand && input.content != OperandSpec::values;
  });
  if (spec == signature.inputs.end())
    throw Error(ErrorCode::invalidArgument,
                "pattern '" + signature.name + "' has no token order or media table '" + operand + "'");
  Signature alone{signature.name, {*spec}, {}};
  checkDevices(alone, Device::cpu, {&table, 1}, {});
  Symbols symbols = checkOperands(alone, {&table, 1}, {});
  if (spec->content == OperandSpec::tokenOrder && symbols.tokens != tokens)
    throw Error(ErrorCode::invalidArgument, "operand '" + operand + "' of pattern '" + signature.name +
                                                "': expected an order of " + std::to_string(tokens) +
                                                " tokens, got one of " + std::to_string(symbols.tokens));
  checkContent(alone, *spec, table, tokens);
}

} // namespace linmu
