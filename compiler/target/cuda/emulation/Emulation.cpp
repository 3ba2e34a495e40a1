#include "compiler/target/cuda/emulation/Emulation.h"
#include "compiler/target/cuda/emulation/Block.h"
#include <algorithm>
#include <memory>
#include <optional>
#include <random>

using namespace linmu::emulation;

std::string linmu::emulation::toString(const Verdict &verdict) {
  if (verdict.outcome == Outcome::clean)
    return "clean";
  std::string place = verdict.line != 0 ? verdict.file + ":" + std::to_string(verdict.line) + ": " : "";
  return place + (verdict.outcome == Outcome::error ? "error: " : "incomplete: ") + verdict.message;
}

namespace {
/// The memories of a launch, and what the kernel gets for its arguments.
struct Bound {
  std::vector<std::unique_ptr<Memory>> memories;
  std::vector<Memory *> byBuffer;
  std::vector<GlobalPlace> places;
  std::vector<const void *> pointers;
};
} // namespace

static bool overlap(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

/// Parameters that are one memory: the first of them stands for all.
static std::size_t firstOf(std::span<const Argument> arguments, std::size_t index) {
  std::span<std::byte> bytes = std::get<Operand>(arguments[index]).bytes;
  for (std::size_t other = 0; other < index; ++other)
    if (const auto *operand = std::get_if<Operand>(&arguments[other]);
        operand != nullptr && operand->bytes.data() == bytes.data() && operand->bytes.size() == bytes.size())
      return other;
  return index;
}

/// The kernel's, or what stands for it for an operand that is reached by its number.
static Parameter parameterOf(const Kernel &kernel, std::span<const Argument> arguments, std::size_t index) {
  if (index < kernel.parameterCount)
    return kernel.parameters[index];
  const auto &operand = std::get<Operand>(arguments[index]);
  return {operand.written ? ParameterKind::output : ParameterKind::input, operand.elementBytes};
}

/// Those that are only read may be views of one tensor, as what a projection makes is.
static bool isWritten(const Kernel &kernel, std::span<const Argument> arguments, std::size_t index) {
  return !std::get<Operand>(arguments[index]).initialised ||
         parameterOf(kernel, arguments, index).kind == ParameterKind::output;
}

/// What is wrong with the arguments, if anything.
static std::optional<std::string> mismatch(const Kernel &kernel, const Launch &launch,
                                           std::span<const Argument> arguments) {
  if (launch.threads == 0 || launch.threads % warpSize != 0 || launch.threads > 1024)
    return "a block requires a multiple of 32 threads, at most 1024; got " + std::to_string(launch.threads);
  bool tooMany =
      arguments.size() > kernel.parameterCount &&
      !std::all_of(arguments.begin() + static_cast<std::ptrdiff_t>(kernel.parameterCount), arguments.end(),
                   [](const Argument &argument) { return std::holds_alternative<Operand>(argument); });
  if (arguments.size() < kernel.parameterCount || tooMany)
    return "the kernel takes " + std::to_string(kernel.parameterCount) + " arguments, got " +
           std::to_string(arguments.size());
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const Parameter parameter = parameterOf(kernel, arguments, index);
    std::string name = "argument " + std::to_string(index);
    const auto *operand = std::get_if<Operand>(&arguments[index]);
    if ((operand == nullptr) != (parameter.kind == ParameterKind::scalar))
      return name + " must be " +
             (operand == nullptr ? "an operand, got a scalar" : "a scalar, got an operand");
    if (operand == nullptr) {
      std::size_t bytes = std::get<Scalar>(arguments[index]).bytes.size();
      if (bytes != parameter.bytes)
        return name + " must have " + std::to_string(parameter.bytes) + " bytes, got " +
               std::to_string(bytes);
      continue;
    }
    if (reinterpret_cast<std::uintptr_t>(operand->bytes.data()) % 16 != 0)
      return name + " must be aligned to 16 bytes";
    for (std::size_t other = 0; other < index; ++other)
      if (const auto *before = std::get_if<Operand>(&arguments[other]);
          before != nullptr && overlap(before->bytes, operand->bytes) && firstOf(arguments, index) == index &&
          (isWritten(kernel, arguments, index) || isWritten(kernel, arguments, other)))
        return name + " overlaps argument " + std::to_string(other) + " and is not the same";
  }
  return std::nullopt;
}

static Bound bind(const Kernel &kernel, std::span<const Argument> arguments) {
  Bound bound;
  bound.byBuffer.resize(arguments.size());
  bound.places.resize(arguments.size());
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const auto *operand = std::get_if<Operand>(&arguments[index]);
    if (operand == nullptr) {
      bound.pointers.push_back(std::get<Scalar>(arguments[index]).bytes.data());
      continue;
    }
    bound.places[index] = {static_cast<std::uint32_t>(index), 0};
    bound.pointers.push_back(&bound.places[index]);
    if (std::size_t first = firstOf(arguments, index); first != index) {
      bound.byBuffer[index] = bound.byBuffer[first];
      continue;
    }
    bool written = !operand->initialised;
    std::uint32_t part = 4;
    for (std::size_t alias = index; alias < arguments.size(); ++alias)
      if (std::holds_alternative<Operand>(arguments[alias]) && firstOf(arguments, alias) == index) {
        Parameter parameter = parameterOf(kernel, arguments, alias);
        written = written || parameter.kind == ParameterKind::output;
        part = std::min(part, parameter.bytes);
      }
    if (!operand->initialised)
      std::fill(operand->bytes.begin(), operand->bytes.end(), notANumber);
    bound.memories.push_back(std::make_unique<Memory>("argument " + std::to_string(index), operand->bytes,
                                                      part, operand->initialised, written));
    bound.byBuffer[index] = bound.memories.back().get();
  }
  return bound;
}

Verdict linmu::emulation::emulate(const Kernel &kernel, const Launch &launch,
                                  std::span<const Argument> arguments) {
  if (std::optional<std::string> wrong = mismatch(kernel, launch, arguments))
    return {Outcome::error, *wrong, "", 0};
  Bound bound = bind(kernel, arguments);
  Grid grid{launch.grid,    launch.threads,   launch.sharedBytes,      launch.architecture,
            bound.byBuffer, launch.mostSteps, launch.withoutOrderingAt};
  std::vector<std::array<std::uint32_t, 3>> blocks;
  for (std::uint32_t z = 0; z < launch.grid[2]; ++z)
    for (std::uint32_t y = 0; y < launch.grid[1]; ++y)
      for (std::uint32_t x = 0; x < launch.grid[0]; ++x)
        blocks.push_back({x, y, z});
  std::shuffle(blocks.begin(), blocks.end(), std::minstd_rand(static_cast<std::uint32_t>(launch.seed)));
  Fibers fibers(launch.threads);
  for (const std::array<std::uint32_t, 3> &index : blocks) {
    Block block(grid, fibers, index, launch.seed);
    if (Verdict verdict = block.run(kernel, bound.pointers.data()); verdict.outcome != Outcome::clean)
      return verdict;
  }
  return {};
}
