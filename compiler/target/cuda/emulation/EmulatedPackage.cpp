#include "compiler/target/cuda/emulation/EmulatedPackage.h"
#include "compiler/target/cuda/emulation/HostCompiler.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include "runtime/core/launch_frame.h"
#include "runtime/core/memory_check.h"
#include "runtime/core/operand_check.h"
#include <algorithm>
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

std::string hostCompiler(const PackageOptions &options) {
  if (!options.compiler.empty())
    return options.compiler;
  return access(LINMU_HOST_COMPILER, X_OK) == 0 ? LINMU_HOST_COMPILER : "c++";
}

/// Runs the launches of one call.
class Call {
public:
  Call(const Package &package, const PackageOptions &options) : package_(package), options_(options) {}

  Verdict run(std::span<const TensorView> inputs, std::span<const TensorView> results) {
    Symbols symbols = checkOperands(package_.signature, inputs, results);
    checkMemory(package_.signature, inputs, results);
    frame_.fill(package_, symbols, inputs, results);
    frame_.useOwnMemory(package_, symbols);
    for (const TensorView &input : inputs)
      written_.push_back(static_cast<const std::byte *>(input.data));
    auto variant =
        std::find_if(package_.variants.begin(), package_.variants.end(), [&](const Variant &candidate) {
          return candidate.condition == Variant::always || frame_.valueOf(candidate.condition) != 0;
        });
    for (const linmu::Launch &launch : variant->launches)
      if (Verdict verdict = run(launch); verdict.outcome != Outcome::clean) {
        verdict.message = launch.kernel + ": " + verdict.message;
        return verdict;
      }
    return {};
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
      std::int64_t elements = 1;
      for (std::size_t axis = 0; axis < rank; ++axis)
        elements = words[at + 1 + axis] == 0
                       ? 0
                       : elements + (words[at + 1 + axis] - 1) * words[at + 1 + rank + axis];
      Operand operand{{data, static_cast<std::size_t>(std::max<std::int64_t>(elements, 0)) * size}};
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
    std::string_view text = std::string_view(package_.source).substr(cuda::devicePrelude().size());
    Verdict verdict = emulate(text, launch.kernel, hostCompiler(options_), emulated, arguments);
    // What one launch has written, later ones may read.
    written_.insert(written_.end(), touched.begin(), touched.end());
    return verdict;
  }

  const Package &package_;
  const PackageOptions &options_;
  LaunchFrame frame_;
  std::vector<const std::byte *> written_;
};

} // namespace

Verdict runPackage(const Package &package, std::span<const TensorView> inputs,
                   std::span<const TensorView> results, const PackageOptions &options) {
  return Call(package, options).run(inputs, results);
}

} // namespace linmu::emulation
