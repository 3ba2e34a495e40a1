// Files of the cache that know what they are the answer to: the canonical key and the signature of a pattern
// text, and the machine code of a CUDA kernel.
#pragma once
#include "runtime/core/byte_stream.h"
#include "runtime/core/package.h"
#include "runtime/jit/compile.h"
#include <optional>
#include <string>
#include <vector>

namespace linmu::jit {

/// What was written, as a string.
std::string textOf(ByteWriter &out);

/// Everything that decides what a text compiles to, as one string; equal strings mean equal kernels, names
/// included. `target` is Target::name().
std::string textIdentity(std::string_view source, const CompileOptions &options, const std::string &target,
                         const std::string &build_identity);

/// File name of the entry of `identity`, which is of the kind `suffix`.
std::string entryName(const std::string &identity, const char *suffix);

std::vector<std::byte> serializeEntry(const std::string &identity, std::span<const std::byte> content);

/// The content, or nothing if the entry is of another identity whose name is the same by chance. Throws
/// Error(corruptFile) naming `origin`.
std::optional<std::vector<std::byte>>
deserializeEntry(std::span<const std::byte> bytes, const std::string &identity, const std::string &origin);

} // namespace linmu::jit
