// Patterns as machine code, and as tile programs, that run on tensors of doubles.
#pragma once
#include "compiler/interpreter/HostTensor.h"
#include "runtime/core/kernel.h"
#include <map>
#include <string>

namespace linmu::test::cuts {

/// Compiles the one function of a text. Throws std::runtime_error with the diagnostics and the text.
Kernel compileFor(const std::string &text, const std::map<std::string, std::string> &schedule);

/// A schedule without the keys that have no effect on maps, which are refused there.
std::map<std::string, std::string> forMaps(std::map<std::string, std::string> schedule);

/// One call; states and tails lie in the memory of those before, where they may.
std::vector<HostTensor> launch(const Kernel &kernel, const std::vector<HostTensor> &inputs, int threads = 1);

/// The same by the definition of the tile dialect, in fp64. Throws std::runtime_error for an access out of
/// bounds.
std::vector<HostTensor> interpretTiles(const std::string &text,
                                       const std::map<std::string, std::string> &schedule,
                                       const std::vector<HostTensor> &inputs);

} // namespace linmu::test::cuts
