// What the cache remembers of one pattern text: its canonical key and its signature.
#pragma once
#include "runtime/core/package.h"
#include "runtime/jit/compile.h"
#include <optional>
#include <string>
#include <vector>

namespace linmu::jit {

/// Everything that decides what a text compiles to, as one string; equal strings mean equal kernels, names
/// included.
std::string textIdentity(std::string_view source, const CompileOptions &options,
                         const std::string &build_identity);

/// File name of the entry of `identity`.
std::string indexName(const std::string &identity);

/// `description` is a package without code: the key and the signature.
std::vector<std::byte> serializeIndex(const std::string &identity, std::span<const std::byte> description);

/// The description, or nothing if the entry is of another text whose name is the same by chance. Throws
/// Error(corruptFile) naming `origin`.
std::optional<Package> deserializeIndex(std::span<const std::byte> bytes, const std::string &identity,
                                        const std::string &origin);

} // namespace linmu::jit
