#include "compiler/target/cuda/emulation/EmulatedExecutor.h"
#include "compiler/target/cuda/emulation/HostCompiler.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include "runtime/core/content_check.h"
#include "runtime/core/error.h"
#include "runtime/core/launch_frame.h"
#include <algorithm>
#include <map>
#include <mutex>
#include <unistd.h>

namespace linmu::emulation {

namespace {

/// The dimensions of an operand of a launch.
std::size_t rankOf(const Package &package, const Binding &binding) {
  switch (binding.kind) {
  case Binding::input:
    return package.signature.inputs[binding.index].shape.size();
  case Binding::result:
    return package.signature.results[binding.index].shape.size();
  case Binding::temporary:
    return package.temporaries[binding.index].shape.size();
  case Binding::expression:
    break;
  }
  return 0;
}

DType typeOf(const Package &package, const Binding &binding) {
  return binding.kind == Binding::input    ? package.signature.inputs[binding.index].dtype
         : binding.kind == Binding::result ? package.signature.results[binding.index].dtype
                                           : package.temporaries[binding.index].dtype;
}

/// From a tensor's first element to its last one.
std::size_t elementsBetween(std::span<const std::int64_t> sizes, std::span<const std::int64_t> strides) {
  std::int64_t elements = 1;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] == 0)
      return 0;
    elements += (sizes[axis] - 1) * strides[axis];
  }
  return static_cast<std::size_t>(elements);
}

std::string hostCompiler(const ExecutorOptions &options) {
  if (!options.compiler.empty())
    return options.compiler;
  return access(LINMU_HOST_COMPILER, X_OK) == 0 ? LINMU_HOST_COMPILER : "c++";
}

[[noreturn]] void refuse(const std::string &kernel, Verdict verdict) {
  verdict.message = kernel + ": " + verdict.message;
  throw Error(verdict.outcome == Outcome::error ? ErrorCode::internal : ErrorCode::unsupported,
              toString(verdict));
}

/// Kernels of a package by their names, each compiled for the host when it is first launched.
class HostKernels {
public:
  HostKernels(const Package &package, std::string compiler)
      : sources_(package.sources), compiler_(std::move(compiler)) {}

  const Kernel &at(const std::string &name) {
    std::shared_ptr<const HostKernel> &kernel = kernels_[name];
    if (!kernel) {
      auto source = std::find_if(sources_.begin(), sources_.end(),
                                 [&](const KernelSource &each) { return each.kernel == name; });
      HostCompilation compilation = compileForHost(source->text, name, compiler_);
      if (!compilation.kernel)
        refuse(name, compilation.verdict);
      kernel = compilation.kernel;
    }
    return **kernel;
  }

private:
  const std::vector<KernelSource> &sources_; // one of each kernel that is launched
  std::string compiler_;
  std::map<std::string, std::shared_ptr<const HostKernel>> kernels_;
};

/// Runs the launches of one call.
class Call {
public:
  Call(const Package &package, HostKernels &kernels, const ExecutorOptions &options)
      : package_(package), kernels_(kernels), options_(options) {}

  void run(std::size_t variant, const Symbols &symbols, std::span<const TensorView> inputs,
           std::span<const TensorView> results) {
    frame_.fill(package_, symbols, inputs, results);
    frame_.useOwnMemory(package_, symbols);
    for (const TensorView &input : inputs)
      written_.push_back(static_cast<const std::byte *>(input.data));
    for (const linmu::Launch &launch : package_.variants[variant].launches)
      if (Verdict verdict = run(launch); verdict.outcome != Outcome::clean)
        refuse(launch.kernel, verdict);
  }

private:
  Verdict run(const linmu::Launch &launch) {
    std::int64_t blocks = frame_.blocksOf(launch);
    if (blocks == 0)
      return {};
    std::span<std::int64_t> given = frame_.words(package_, launch);
    std::vector<std::int64_t> words(given.begin(), given.end());
    std::vector<Argument> arguments(1);
    std::vector<const std::byte *> touched;
    std::size_t at = 0;
    for (const Binding &binding : launch.operands) {
      if (binding.kind == Binding::expression) {
        ++at;
        continue;
      }
      std::size_t rank = rankOf(package_, binding), size = sizeOf(typeOf(package_, binding));
      auto *data = reinterpret_cast<std::byte *>(words[at]);
      std::span<const std::int64_t> sizes(&words[at + 1], rank), strides(&words[at + 1 + rank], rank);
      Operand operand{{data, elementsBetween(sizes, strides) * size}};
      operand.initialised = std::find(written_.begin(), written_.end(), data) != written_.end();
      operand.written = binding.kind != Binding::input;
      operand.elementBytes = static_cast<std::uint32_t>(size);
      words[at] = static_cast<std::int64_t>(arguments.size());
      arguments.emplace_back(operand);
      touched.push_back(data);
      at += 1 + 2 * rank;
    }
    Scalar scalar;
    const auto *bytes = reinterpret_cast<const std::byte *>(words.data());
    scalar.bytes.assign(bytes, bytes + words.size() * sizeof(std::int64_t));
    arguments.front() = scalar;

    emulation::Launch emulated;
    emulated.grid = {static_cast<std::uint32_t>(blocks), 1, 1};
    emulated.threads = static_cast<std::uint32_t>(launch.threads);
    emulated.sharedBytes = static_cast<std::size_t>(launch.shared_bytes);
    emulated.architecture = options_.architecture;
    emulated.seed = options_.seed;
    if (launch.kernel == options_.without_ordering_in)
      emulated.withoutOrderingAt = options_.without_ordering_at;
    Verdict verdict = emulate(kernels_.at(launch.kernel), emulated, arguments);
    // What one launch has written, later ones may read.
    written_.insert(written_.end(), touched.begin(), touched.end());
    return verdict;
  }

  const Package &package_;
  HostKernels &kernels_;
  const ExecutorOptions &options_;
  LaunchFrame frame_;
  std::vector<const std::byte *> written_;
};

class EmulatedExecutor final : public Executor {
public:
  EmulatedExecutor(const Package &package, const ExecutorOptions *options)
      : package_(package), options_(options), kernels_(package, hostCompiler(options ? *options : usual_)) {}

  Device::Kind deviceKind() const override { return Device::cpu; }
  bool readsTables() const override { return false; } // as on a GPU

  void run(std::size_t variant, const Symbols &symbols, std::span<const TensorView> inputs,
           std::span<const TensorView> results, const LaunchOptions &) const override {
    checkContents(package_.signature, symbols, inputs);
    std::lock_guard lock(mutex_); // a kernel compiled for the host belongs to one machine at a time
    Call(package_, kernels_, options_ ? *options_ : usual_).run(variant, symbols, inputs, results);
  }

private:
  const Package &package_;
  const ExecutorOptions usual_;
  const ExecutorOptions *options_;
  mutable std::mutex mutex_;
  mutable HostKernels kernels_;
};

} // namespace

std::unique_ptr<const Executor> openEmulated(const Package &package, const ExecutorOptions *options) {
  if (package.target != "cuda" || package.prelude != cuda::devicePrelude())
    throw Error(ErrorCode::invalidArgument,
                "pattern '" + package.signature.name +
                    "': emulation requires CUDA sources behind their prelude, got code "
                    "for '" +
                    package.target + "'");
  return std::make_unique<const EmulatedExecutor>(package, options);
}

} // namespace linmu::emulation
