// A file that somebody shortens while it is mapped: reading past its new end raises SIGBUS.
#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace linmu {

/// From here on such a fault ends the process with one message, "PROGRAM: error: FILE was shortened ...", and
/// status 1. `program` must outlive the process. For programs; in a library the signal is its program's.
void reportMappingFaults(const char *program);

/// Remembers which file lies at an address, for that message.
void rememberMapping(std::span<const std::byte> bytes, const std::filesystem::path &path);
void forgetMapping(std::span<const std::byte> bytes);

} // namespace linmu
