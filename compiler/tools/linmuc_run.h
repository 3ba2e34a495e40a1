// linmuc --run: a pattern on the tensors of a safetensors file.
#pragma once
#include "compiler/tools/linmuc_options.h"
#include "runtime/io/atomic_file.h"
#include <string_view>

namespace linmu::linmuc {

/// Matches the tensors of `line.run` to the operands by name, type and shape, runs the pattern, and writes
/// the results by name to `out`, in their storage types. Throws Error; then nothing was written.
void runOnFile(std::string_view source, const CommandLine &line, AtomicFile &out);

} // namespace linmu::linmuc
